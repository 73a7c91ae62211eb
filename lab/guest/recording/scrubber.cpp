// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/scrubber.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "lab/core/text.hpp"
#include "lab/core/utf16.hpp"
#include "lab/guest/recording/code_page.hpp"
#include "lab/guest/recording/inventor.hpp"
#include "lab/guest/recording/learned_names.hpp"
#include "lab/guest/recording/questions.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr std::size_t shortest_name = 3;
constexpr int most_rounds = 5;

// Of valid UTF-8: its characters, each as it stands there.
std::vector<std::string> characters_of(std::string_view utf8) {
  std::vector<std::string> all;
  for (const char c : utf8) {
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U && !all.empty())
      all.back() += c;
    else
      all.emplace_back(1, c);
  }
  return all;
}

// The same letter, small and capital: Latin, Greek and Cyrillic, as far as the two are a fixed distance apart.
std::pair<std::string, std::string> both_cases(const std::string& character) {
  auto units = to_utf16(character);
  if (units.size() != 1) return {character, character};
  const auto unit = units.front();
  char16_t small = unit;
  char16_t capital = unit;
  const auto between = [&](char16_t from, char16_t to) { return unit >= from && unit <= to; };
  const auto apart = [&](char16_t from, char16_t to, char16_t distance) {
    if (between(from, to)) small = static_cast<char16_t>(unit + distance);
    if (between(static_cast<char16_t>(from + distance), static_cast<char16_t>(to + distance)))
      capital = static_cast<char16_t>(unit - distance);
  };
  apart(u'A', u'Z', 0x20);
  if (unit != 0xD7 && unit != 0xF7) apart(0xC0, 0xDE, 0x20);
  apart(0x391, 0x3A9, 0x20);
  apart(0x410, 0x42F, 0x20);
  apart(0x400, 0x40F, 0x50);
  if (between(0x100, 0x137) || between(0x14A, 0x177)) {
    small = static_cast<char16_t>(unit | 1U);
    capital = static_cast<char16_t>(unit & ~1U);
  }
  return {to_utf8(std::u16string(1, small)), to_utf8(std::u16string(1, capital))};
}

std::string little_endian(std::u16string_view units) {
  std::string bytes;
  for (const auto unit : units) {
    bytes += static_cast<char>(unit & 0xFFU);
    bytes += static_cast<char>(unit >> 8U);
  }
  return bytes;
}

std::string in_hexadecimal(std::string_view bytes, bool upper) {
  std::string text;
  for (const char byte : bytes)
    text += upper ? fmt::format("{:02X}", static_cast<unsigned char>(byte))
                  : fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string mac_with(const std::string& bare, char mark) {
  std::string text;
  for (std::size_t i = 0; i < bare.size(); i += 2) {
    if (i > 0) text += mark;
    text += bare.substr(i, 2);
  }
  return text;
}

// "S-1-5-21-A-B-C": the three numbers as they stand in binary data.
std::string sid_bytes(std::string_view sid) {
  std::string bytes;
  const auto parts = split(sid, '-');
  for (std::size_t i = 4; i < parts.size(); ++i) {
    std::uint32_t number = 0;
    std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), number);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((number >> shift) & 0xFFU);
  }
  return bytes;
}

// Words without which no reply would be understood, and that say nothing of anybody.
const std::set<std::string>& words_of_windows() {
  static const std::set<std::string> all = [] {
    std::set<std::string> words{"administrator", "system",  "service", "services", "users",     "public", "default",
                                "guest",         "windows", "server",  "network",  "local",     "hkey",   "reg_sz",
                                "reg_dword",     "name",    "host",    "user",     "microsoft", "state",  "enabled"};
    const auto add = [&](std::string_view line) {
      std::string word;
      for (const char c : lower_case(line) + " ") {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
          word += c;
        } else {
          if (word.size() >= shortest_name) words.insert(word);
          word.clear();
        }
      }
    };
    for (const auto& row : windows::commands()) add(row.line);
    for (const auto& asked : recorded_questions()) add(asked.line);
    return words;
  }();
  return all;
}

// Why a name cannot be replaced wherever it stands; empty: it can.
std::string why_it_stays(const FoundName& name) {
  if (!is_word(name.kind)) return {};
  if (characters_of(name.text).size() < shortest_name)
    return "shorter than three characters: it would be found in other words";
  if (name.text.find_first_not_of("0123456789") == std::string::npos)
    return "only digits: it would be found in numbers";
  if (words_of_windows().contains(lower_case(name.text)))
    return "a word of Windows itself, without which replies are not understood";
  return {};
}

}  // namespace

Scrubber::Scrubber(const std::vector<FoundName>& names, const std::vector<std::string>& code_pages,
                   const std::set<std::string>& made_before) {
  std::set<std::string> pages(code_pages.begin(), code_pages.end());
  pages.insert(usual_code_pages().begin(), usual_code_pages().end());
  const std::vector<std::string> all_pages(pages.begin(), pages.end());
  for (const auto& name : names) {
    if (made_before.contains(plain_name(name.kind, name.text))) continue;
    all_.push_back({name.kind, name.rule, name.text, {}, why_it_stays(name), 0, 0, {}});
  }
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].stays.empty() && is_word(all_[i].kind)) add_name(i, all_pages);
  }
  Inventor inventor(names, made_before);
  for (auto& entry : all_) {
    if (!entry.stays.empty()) continue;
    if (auto by = inventor.instead_of(entry.kind, entry.text, search_))
      entry.by = std::move(*by);
    else
      entry.stays = "no other name of its length was free";
  }
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].stays.empty() && !is_word(all_[i].kind)) add_name(i, all_pages);
  }
}

void Scrubber::add_bytes(std::size_t entry, std::string_view bytes, std::string_view by) {
  Needle needle{entry, {}, Coding::bytes, Edge::none, std::string(by), 0};
  for (const char byte : bytes) needle.characters.push_back({{std::string(1, byte), false, false}});
  search_.add("binary", std::move(needle));
}

void Scrubber::add_text(std::size_t entry, std::string_view utf8, Edge edge, const std::vector<std::string>& code_pages,
                        const std::string& by) {
  const auto characters = characters_of(utf8);
  const auto in_coding = [&](const std::string& alphabet, Coding coding, const auto& write) {
    Needle needle{entry, {}, coding, edge, {}, 0};
    for (const auto& character : characters) {
      std::vector<NameSearch::Way> ways;
      const auto [small, capital] = both_cases(character);
      for (const auto& [one, upper] : {std::pair{small, false}, {capital, true}}) {
        const auto bytes = write(one);
        if (!bytes || bytes->empty() || (upper && one == small)) continue;
        ways.push_back({*bytes, upper, !upper && small != capital});
      }
      if (ways.empty()) return;
      needle.characters.push_back(std::move(ways));
    }
    if (!by.empty()) {
      for (const char c : by) needle.literal += write(std::string(1, c)).value_or("");
    }
    search_.add(alphabet, std::move(needle));
  };
  using Written = std::optional<std::string>;
  const auto wide = [](const std::string& one) { return little_endian(to_utf16(one)); };
  in_coding("utf8", Coding::bytes, [](const std::string& one) { return Written(one); });
  in_coding("utf16", Coding::utf16, [&](const std::string& one) { return Written(wide(one)); });
  for (const bool upper : {false, true}) {
    in_coding(upper ? "HEX16" : "hex16", upper ? Coding::hex16_upper : Coding::hex16,
              [&](const std::string& one) { return Written(in_hexadecimal(wide(one), upper)); });
    in_coding(upper ? "HEX8" : "hex8", upper ? Coding::hex8_upper : Coding::hex8,
              [&](const std::string& one) { return Written(in_hexadecimal(one, upper)); });
  }
  if (characters.size() == utf8.size()) return;  // the same in every code page
  for (const auto& page : code_pages)
    in_coding("page " + page, Coding::bytes, [&](const std::string& one) { return in_code_page(one, page); });
}

void Scrubber::add_name(std::size_t number, const std::vector<std::string>& code_pages) {
  const auto& entry = all_[number];
  const auto& text = entry.text;
  switch (entry.kind) {
    case NameKind::host:
    case NameKind::domain:
    case NameKind::user:
    case NameKind::other: {
      const bool is_hex = text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
      const bool has_digit = text.find_first_of("0123456789") != std::string::npos;
      constexpr std::size_t long_enough = 5;
      // "SRV01" is nobody else's, wherever it stands; "corp" is in other words, and "dc1" in numbers.
      const auto edge = is_hex || (has_digit && text.size() < long_enough) ? Edge::letters_and_digits
                        : has_digit                                        ? Edge::none
                                                                           : Edge::letters;
      return add_text(number, text, edge, code_pages);
    }
    case NameKind::ipv4: {
      add_text(number, text, Edge::ipv4, {}, entry.by);
      // The zone for the way back: "0.20.10.in-addr".
      const auto parts = split(text, '.');
      const auto others = split(entry.by, '.');
      return add_text(number, fmt::format("{}.{}.{}.in-addr", parts[2], parts[1], parts[0]), Edge::digits, {},
                      fmt::format("{}.{}.{}.in-addr", others[2], others[1], others[0]));
    }
    case NameKind::ipv6: return add_text(number, text, Edge::ipv6, {}, entry.by);
    case NameKind::mac: {
      const auto bare = bare_mac(text);
      const auto by = bare_mac(entry.by);
      for (const char mark : {':', '-'})
        add_text(number, mac_with(bare, mark), Edge::letters_and_digits, {}, mac_with(by, mark));
      return add_text(number, bare, Edge::letters_and_digits, {}, by);
    }
    case NameKind::sid: {
      const auto from = sid_bytes(text);
      const auto to = sid_bytes(entry.by);
      add_bytes(number, from, to);
      for (const bool upper : {false, true}) add_bytes(number, in_hexadecimal(from, upper), in_hexadecimal(to, upper));
      return add_text(number, text, Edge::digits, {}, entry.by);
    }
    case NameKind::guid:
    case NameKind::key: return add_text(number, text, Edge::letters_and_digits, {}, entry.by);
  }
}

void Scrubber::emit(std::string& out, const NameSearch::Match& match) const {
  const auto& needle = search_.needle(match.needle);
  if (!needle.literal.empty()) {
    out += needle.literal;
    return;
  }
  const auto& by = all_[needle.entry].by;
  for (std::size_t i = 0; i < by.size(); ++i) {
    const char c = match.in_capitals || match.upper.at(i)
                       ? static_cast<char>(std::toupper(static_cast<unsigned char>(by[i])))
                       : by[i];
    switch (needle.coding) {
      case Coding::bytes: out += c; break;
      case Coding::utf16: out += {c, '\0'}; break;
      case Coding::hex8: out += in_hexadecimal({&c, 1}, false); break;
      case Coding::hex8_upper: out += in_hexadecimal({&c, 1}, true); break;
      case Coding::hex16: out += in_hexadecimal({&c, 1}, false) + "00"; break;
      case Coding::hex16_upper: out += in_hexadecimal({&c, 1}, true) + "00"; break;
    }
  }
}

std::string Scrubber::once(std::string_view bytes, bool counts) {
  constexpr std::size_t nobody = ~std::size_t{0};
  auto in_word = nobody;
  std::function<void(const Needle&)> refused;
  if (counts)
    refused = [&](const Needle& needle) {
      if (needle.coding == Coding::bytes && is_word(all_[needle.entry].kind)) in_word = needle.entry;
    };
  std::string out;
  out.reserve(bytes.size());
  NameSearch::Match match;
  for (std::size_t at = 0; at < bytes.size();) {
    in_word = nobody;
    if (search_.match_at(bytes, at, match, refused)) {
      auto& entry = all_[search_.needle(match.needle).entry];
      if (entry.by.empty()) {
        out += bytes.substr(at, match.length);
      } else {
        emit(out, match);
        if (counts) ++entry.places;
      }
      at += match.length;
      continue;
    }
    if (in_word != nobody && !all_[in_word].by.empty()) {
      auto& entry = all_[in_word];
      ++entry.in_words;
      auto begin = at;
      auto end = at + entry.text.size();
      while (begin > 0 && std::isalnum(static_cast<unsigned char>(bytes[begin - 1])) != 0 && at - begin < 30) --begin;
      while (end < bytes.size() && std::isalnum(static_cast<unsigned char>(bytes[end])) != 0 && end - at < 60) ++end;
      const auto word = std::string(bytes.substr(begin, end - begin));
      if (entry.words.size() < 5 && std::ranges::count(entry.words, word) == 0) entry.words.push_back(word);
    }
    out += bytes[at++];
  }
  return out;
}

std::string Scrubber::scrub(std::string_view bytes) {
  auto text = once(bytes, true);
  // What stands in its place may make a name with what stands beside it.
  for (int round = 1; round < most_rounds; ++round) {
    auto again = once(text, false);
    if (again == text) break;
    text = std::move(again);
  }
  return text;
}

namespace {

// Forms alone, wherever they stand: for the person who decides.
std::vector<std::string> suspects_in(const std::vector<Reply>& replies, const std::string& page,
                                     const std::set<std::string>& made) {
  ScrubRules rules;
  for (const auto* form : {"ipv4", "ipv6", "mac", "sid", "key", "mail"}) rules.forms.push_back({form, form, {}});
  std::vector<std::string> suspects;
  std::map<std::string, std::set<std::string>> found;
  for (const auto& reply : replies) {
    for (const auto& name : names_in({reply}, rules, page)) {
      if (!made.contains(plain_name(name.kind, name.text)) && why_it_stays(name).empty())
        found[name.text].insert(reply.id);
    }
  }
  for (const auto& [text, ids] : found) suspects.push_back(fmt::format("{} in {}", text, fmt::join(ids, ", ")));
  return suspects;
}

}  // namespace

bool Scrubbed::is_whole() const {
  return not_learned.empty() &&
         std::ranges::all_of(recording.replies, [](const auto& reply) { return reply.trouble.empty(); });
}

Scrubbed scrubbed(Recording before, const std::vector<Reply>& only_names, const ScrubRules& rules) {
  Scrubbed result;
  auto& recording = result.recording = std::move(before);
  recording.machine = machine_told_by(recording.replies);
  const auto page = recording.machine.oem_code_page;
  if (!only_names.empty()) result.not_learned = names_not_learned(only_names, rules, page);
  // Names first from where they stand alone.
  auto all = only_names;
  all.insert(all.end(), recording.replies.begin(), recording.replies.end());
  Scrubber scrubber(names_in(all, rules, page), {page, recording.machine.ansi_code_page}, recording.replaced_by);
  for (auto& reply : recording.replies) {
    for (auto* text : {&reply.output, &reply.errors, &reply.trouble}) *text = scrubber.scrub(*text);
    if (reply.file) reply.file = scrubber.scrub(*reply.file);
  }
  recording.machine.product = scrubber.scrub(recording.machine.product);
  result.replacements = scrubber.replacements();
  std::map<std::pair<std::string, std::string>, ScrubCount> counts;
  for (const auto& one : result.replacements) {
    if (one.by.empty() || one.places == 0) continue;
    auto& count = counts[{one.rule, to_string(one.kind)}];
    count.rule = one.rule;
    count.kind = to_string(one.kind);
    ++count.names;
    count.places += one.places;
    recording.replaced_by.insert(plain_name(one.kind, one.by));
  }
  for (const auto& [rule, count] : counts) recording.scrubbed.push_back(count);
  result.suspects = suspects_in(recording.replies, page, recording.replaced_by);
  return result;
}

std::string list_of_replacements(const Scrubbed& scrubbed) {
  std::string text =
      "What was replaced in the recording, by what, how often, and which rule found it. This list holds the names: it "
      "is not\nto be given away. Look for what is missing here, put it under \"words\" of the rules and record "
      "again.\n\n";
  for (const auto& one : scrubbed.replacements) {
    if (one.stays.empty()) {
      text += fmt::format("{:<7}{} -> {}  ({} {}, rule '{}')\n", to_string(one.kind), one.text, one.by, one.places,
                          one.places == 1 ? "place" : "places", one.rule);
      if (one.in_words > 0)
        text += fmt::format("       stays in {} longer {}: {}\n", one.in_words, one.in_words == 1 ? "word" : "words",
                            fmt::join(one.words, ", "));
    } else {
      text += fmt::format("{:<7}{} STAYS: {} (rule '{}')\n", to_string(one.kind), one.text, one.stays, one.rule);
    }
  }
  if (scrubbed.replacements.empty()) text += "nothing\n";
  if (!scrubbed.not_learned.empty()) {
    text +=
        "\nNames that could not be learned. They may stand anywhere: look for them, and put them under \"words\".\n";
    for (const auto& one : scrubbed.not_learned) text += fmt::format("       {}\n", one);
  }
  if (!scrubbed.suspects.empty()) {
    text += "\nStill there, and of the form of an address, a SID or a key (a version may look so):\n";
    for (const auto& one : scrubbed.suspects) text += fmt::format("       {}\n", one);
  }
  return text;
}

}  // namespace patchlab::lab::guest::recording
