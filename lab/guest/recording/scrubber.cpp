// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/scrubber.hpp"

#include <arpa/inet.h>
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
#include "lab/guest/recording/questions.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr std::size_t shortest_name = 3;
constexpr int most_rounds = 5;

bool is_word(NameKind kind) {
  return kind == NameKind::host || kind == NameKind::domain || kind == NameKind::user || kind == NameKind::other;
}

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

// ---- invented names ----

constexpr std::array<const char*, 4> word_of_kind{"host", "dom", "user", "name"};
constexpr std::array<const char*, 3> other_words{"q", "zz", "vw"};

// "hostxx12": as long as the name.
std::string invented(std::string_view word, std::size_t number, std::size_t length) {
  const auto digits = fmt::format("{}", number);
  if (digits.size() >= length) return digits.substr(0, length);
  auto text = std::string(word.substr(0, length - digits.size()));
  text.append(length - digits.size() - text.size(), 'x');
  return text + digits;
}

std::vector<const char*> words_for(NameKind kind) {
  std::vector<const char*> words;
  if (is_word(kind)) words.push_back(word_of_kind.at(static_cast<std::size_t>(kind)));
  words.insert(words.end(), other_words.begin(), other_words.end());
  return words;
}

bool is_invented(const std::string& name) {
  const auto plain = lower_case(name);
  const auto from = plain.find_last_not_of("0123456789");
  if (from == std::string::npos || from + 1 == plain.size()) return false;
  std::size_t number = 0;
  const auto* end = plain.data() + plain.size();
  if (std::from_chars(plain.data() + from + 1, end, number).ptr != end) return false;
  const auto is_it = [&](const char* word) { return invented(word, number, plain.size()) == plain; };
  return std::ranges::any_of(word_of_kind, is_it) || std::ranges::any_of(other_words, is_it);
}

// Addresses of RFC 2544 and RFC 3849, which nobody has, and a mark in the middle of a MAC.
constexpr std::array<std::string_view, 2> invented_nets{"198.18.", "198.19."};
constexpr std::string_view invented_sid = "S-1-5-21-1000000000-1000000000-";
constexpr std::string_view invented_key = "XXXXX-XXXXX-XXXXX-XXXXX-XXXXX";
constexpr std::string_view invented_id = "00000-00000-00000-XXXXX";

bool is_invented_ipv4(std::string_view text) {
  return text.starts_with(invented_nets[0]) || text.starts_with(invented_nets[1]);
}

bool is_invented_ipv6(std::string_view text) {
  const auto plain = lower_case(text);
  return plain.starts_with("2001:db8::") || (plain.starts_with("fe80::") && plain.find(':', 6) == std::string::npos);
}

bool is_invented_guid(std::string_view text) { return text.starts_with("0000") && text.substr(8, 11) == "-0000-4000-"; }

std::string bare_mac(std::string_view text) {
  auto plain = lower_case(text);
  std::erase_if(plain, [](char c) { return c == ':' || c == '-'; });
  return plain;
}

std::string mac_with(const std::string& bare, char mark) {
  std::string text;
  for (std::size_t i = 0; i < bare.size(); i += 2) {
    if (i > 0) text += mark;
    text += bare.substr(i, 2);
  }
  return text;
}

// The same address may be written in several ways.
std::string canonical_ipv6(std::string_view text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (::inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::string(text);
  return ::inet_ntop(AF_INET6, &address, buffer.data(), buffer.size());
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

// ---- what stands beside ----

bool is_ascii_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii_digit(int c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(int c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// The character that ends at, or begins at, this place; 0: none, or not ASCII.
int before_of(std::string_view bytes, std::size_t at, std::size_t width) {
  if (at < width) return 0;
  if (width == 2 && bytes[at - 1] != '\0') return 0;
  return static_cast<unsigned char>(bytes[at - width]);
}
// Behind the "\0" that reg.exe writes between the values of a REG_MULTI_SZ another one begins.
int begin_of(std::string_view bytes, std::size_t at, std::size_t width) {
  const auto before = before_of(bytes, at, width);
  return before == '0' && at >= width && before_of(bytes, at - width, width) == '\\' ? 0 : before;
}
int behind_of(std::string_view bytes, std::size_t at, std::size_t width) {
  if (at + width > bytes.size()) return 0;
  if (width == 2 && bytes[at + 1] != '\0') return 0;
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

Scrubber::Scrubber(const std::vector<FoundName>& names, const std::vector<std::string>& code_pages) {
  std::set<std::string> pages(code_pages.begin(), code_pages.end());
  pages.insert(usual_code_pages().begin(), usual_code_pages().end());
  const std::vector<std::string> all_pages(pages.begin(), pages.end());
  for (const auto& name : names) {
    Replacement entry{name.kind, name.rule, name.text, {}, {}, 0, 0, {}};
    if (is_word(name.kind)) {
      if (is_invented(name.text)) continue;
      if (characters_of(name.text).size() < shortest_name)
        entry.stays = "shorter than three characters: it would be found in other words";
      else if (name.text.find_first_not_of("0123456789") == std::string::npos)
        entry.stays = "only digits: it would be found in numbers";
      else if (words_of_windows().contains(lower_case(name.text)))
        entry.stays = "a word of Windows itself, without which replies are not understood";
    }
    const bool was_invented = (name.kind == NameKind::ipv4 && is_invented_ipv4(name.text)) ||
                              (name.kind == NameKind::ipv6 && is_invented_ipv6(name.text)) ||
                              (name.kind == NameKind::guid && is_invented_guid(name.text)) ||
                              (name.kind == NameKind::sid && name.text.starts_with(invented_sid)) ||
                              (name.kind == NameKind::key && (name.text == invented_key || name.text == invented_id)) ||
                              (name.kind == NameKind::mac && bare_mac(name.text).substr(6, 2) == "fe");
    if (was_invented) continue;
    all_.push_back(std::move(entry));
  }
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].stays.empty() && is_word(all_[i].kind)) add_name(i, all_pages);
  }
  sort_by_first_byte();
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].stays.empty()) choose_replacement(i);
  }
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].stays.empty() && !is_word(all_[i].kind)) add_name(i, all_pages);
  }
  sort_by_first_byte();
}

void Scrubber::add(Needle needle) {
  for (const auto& character : needle.characters) needle.length += character.front().bytes.size();
  if (!needle.characters.empty()) needles_.push_back(std::move(needle));
}

void Scrubber::sort_by_first_byte() {
  std::ranges::stable_sort(needles_, [](const auto& a, const auto& b) { return a.length > b.length; });
  for (auto& list : by_first_) list.clear();
  for (std::size_t i = 0; i < needles_.size(); ++i) {
    std::set<unsigned char> firsts;
    for (const auto& way : needles_[i].characters.front()) firsts.insert(static_cast<unsigned char>(way.bytes.front()));
    for (const auto first : firsts) by_first_.at(first).push_back(i);
  }
}

void Scrubber::add_bytes(std::size_t entry, std::string_view bytes, std::string_view by) {
  Needle needle{entry, {}, Coding::bytes, Edge::none, std::string(by), 0};
  for (const char byte : bytes) needle.characters.push_back({{std::string(1, byte), false, false}});
  add(std::move(needle));
}

void Scrubber::add_text(std::size_t entry, std::string_view utf8, Edge edge, const std::vector<std::string>& code_pages,
                        const std::string& by) {
  const auto characters = characters_of(utf8);
  const auto in_coding = [&](Coding coding, const auto& write) {
    Needle needle{entry, {}, coding, edge, {}, 0};
    for (const auto& character : characters) {
      std::vector<Way> ways;
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
    add(std::move(needle));
  };
  using Written = std::optional<std::string>;
  const auto wide = [](const std::string& one) { return little_endian(to_utf16(one)); };
  in_coding(Coding::bytes, [](const std::string& one) { return Written(one); });
  in_coding(Coding::utf16, [&](const std::string& one) { return Written(wide(one)); });
  for (const bool upper : {false, true}) {
    in_coding(upper ? Coding::hex16_upper : Coding::hex16,
              [&](const std::string& one) { return Written(in_hexadecimal(wide(one), upper)); });
    in_coding(upper ? Coding::hex8_upper : Coding::hex8,
              [&](const std::string& one) { return Written(in_hexadecimal(one, upper)); });
  }
  if (characters.size() == utf8.size()) return;  // the same in every code page
  for (const auto& page : code_pages)
    in_coding(Coding::bytes, [&](const std::string& one) { return in_code_page(one, page); });
}

void Scrubber::add_name(std::size_t number, const std::vector<std::string>& code_pages) {
  const auto& entry = all_[number];
  const auto& text = entry.text;
  switch (entry.kind) {
    case NameKind::host:
    case NameKind::domain:
    case NameKind::user:
    case NameKind::other: {
      const bool is_hex = std::ranges::all_of(text, [](char c) { return is_hex_digit(static_cast<unsigned char>(c)); });
      const bool has_digit =
          std::ranges::any_of(text, [](char c) { return is_ascii_digit(static_cast<unsigned char>(c)); });
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

// Of the names alone, whose needles are there already.
bool Scrubber::is_found_in(std::string_view text) const {
  Match match;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (match_at(text, at, match, nullptr)) return true;
  }
  return false;
}

void Scrubber::choose_replacement(std::size_t number) {
  auto& entry = all_[number];
  const auto is_used = [&](const std::string& by) {
    return std::ranges::any_of(all_, [&](const auto& other) {
      return other.kind == entry.kind && (other.by == by || lower_case(other.text) == by);
    });
  };
  const auto first_free = [&](const std::function<std::string(std::size_t)>& make) {
    for (std::size_t i = 1; i < 100'000; ++i) {
      if (auto by = make(i); !is_used(by)) return by;
    }
    return make(99'999);
  };
  switch (entry.kind) {
    case NameKind::host:
    case NameKind::domain:
    case NameKind::user:
    case NameKind::other: {
      const auto length = characters_of(entry.text).size();
      for (const auto* word : words_for(entry.kind)) {
        for (std::size_t i = 1; i < 1000; ++i) {
          const auto by = invented(word, i, length);
          const auto is_taken = [&](const auto& other) { return other.by == by; };
          if (is_found_in(by) || std::ranges::any_of(all_, is_taken)) continue;
          entry.by = by;
          return;
        }
      }
      entry.stays = "no other name of its length was free";
      return;
    }
    case NameKind::ipv4: {
      const auto net = entry.text.substr(0, entry.text.rfind('.') + 1);
      const auto last = entry.text.substr(net.size());
      for (const auto& other : all_) {
        if (other.kind == NameKind::ipv4 && !other.by.empty() && other.text.starts_with(net)) {
          entry.by = other.by.substr(0, other.by.rfind('.') + 1) + last;
          return;
        }
      }
      const auto net_of = [](std::size_t i) { return fmt::format("{}{}.", invented_nets.at(i / 256 % 2), i % 256); };
      for (std::size_t i = 1; i < 512; ++i) {
        const auto is_net = [&](const auto& other) {
          return other.kind == NameKind::ipv4 && (other.by.starts_with(net_of(i)) || other.text.starts_with(net_of(i)));
        };
        if (std::ranges::any_of(all_, is_net)) continue;
        entry.by = net_of(i) + last;
        return;
      }
      entry.by = net_of(511) + last;
      return;
    }
    case NameKind::ipv6: {
      const auto same = canonical_ipv6(entry.text);
      for (const auto& other : all_) {
        if (other.kind == NameKind::ipv6 && !other.by.empty() && canonical_ipv6(other.text) == same) {
          entry.by = other.by;
          return;
        }
      }
      const bool is_local = lower_case(entry.text).starts_with("fe80:");
      entry.by =
          first_free([&](std::size_t i) { return fmt::format("{}{:x}", is_local ? "fe80::" : "2001:db8::", i); });
      return;
    }
    case NameKind::mac: {
      const auto maker = bare_mac(entry.text).substr(0, 6);
      const auto same = bare_mac(entry.text);
      for (const auto& other : all_) {
        if (other.kind == NameKind::mac && !other.by.empty() && bare_mac(other.text) == same) {
          entry.by = other.by;
          return;
        }
      }
      entry.by =
          first_free([&](std::size_t i) { return mac_with(fmt::format("{}fe{:04x}", maker, i & 0xFFFFU), ':'); });
      return;
    }
    case NameKind::sid:
      entry.by = first_free([](std::size_t i) { return fmt::format("{}{}", invented_sid, 1'000'000'000 + i); });
      return;
    case NameKind::guid:
      entry.by =
          first_free([](std::size_t i) { return fmt::format("0000{:04}-0000-4000-8000-000000000000", i % 10'000); });
      return;
    case NameKind::key: entry.by = entry.text.size() == invented_key.size() ? invented_key : invented_id; return;
  }
}

bool Scrubber::edges_hold(const Needle& needle, std::string_view bytes, std::size_t at, std::size_t end) const {
  const bool is_hex = needle.coding != Coding::bytes && needle.coding != Coding::utf16;
  if (is_hex || needle.edge == Edge::none) return true;
  const std::size_t width = needle.coding == Coding::utf16 ? 2 : 1;
  const auto before = begin_of(bytes, at, width);
  const auto behind = behind_of(bytes, end, width);
  switch (needle.edge) {
    case Edge::none: return true;
    case Edge::letters: {
      // "ContosoAgent" is two words, "Corporation" is one.
      constexpr std::size_t long_enough = 5;
      const bool may_be_joined = needle.characters.size() >= long_enough;
      const auto joins = [&](int left, int right) {
        return is_ascii_letter(left) && is_ascii_letter(right) &&
               !(may_be_joined && std::islower(left) != 0 && std::isupper(right) != 0);
      };
      return !joins(before, behind_of(bytes, at, width)) && !joins(before_of(bytes, end, width), behind);
    }
    case Edge::letters_and_digits:
      return !is_ascii_letter(before) && !is_ascii_letter(behind) && !is_ascii_digit(before) && !is_ascii_digit(behind);
    case Edge::ipv4:
      // "~10.0.0.1" is a version of a package.
      return !is_ascii_letter(before) && !is_ascii_digit(before) && before != '.' && before != '~' && before != '_' &&
             !is_ascii_letter(behind) && !is_ascii_digit(behind) &&
             !(behind == '.' && is_ascii_digit(behind_of(bytes, end + width, width)));
    case Edge::ipv6: return !is_hex_digit(before) && before != ':' && !is_hex_digit(behind) && behind != ':';
    case Edge::digits: return !is_ascii_digit(before) && !is_ascii_digit(behind);
  }
  return true;
}

bool Scrubber::match_at(std::string_view bytes, std::size_t at, Match& match, std::size_t* in_word) const {
  for (const auto number : by_first_.at(static_cast<unsigned char>(bytes[at]))) {
    const auto& needle = needles_[number];
    auto end = at;
    match.upper.clear();
    bool any_lower = false;
    for (const auto& character : needle.characters) {
      const auto way = std::ranges::find_if(
          character, [&](const auto& one) { return bytes.substr(std::min(end, bytes.size())).starts_with(one.bytes); });
      if (way == character.end()) break;
      end += way->bytes.size();
      match.upper.push_back(way->upper);
      any_lower = any_lower || way->lower;
    }
    if (match.upper.size() != needle.characters.size()) continue;
    if (!edges_hold(needle, bytes, at, end)) {
      if (in_word != nullptr && needle.coding == Coding::bytes && is_word(all_[needle.entry].kind))
        *in_word = needle.entry;
      continue;
    }
    match.in_capitals = !any_lower && std::ranges::count(match.upper, true) > 0;
    match.needle = number;
    match.length = end - at;
    return true;
  }
  return false;
}

void Scrubber::emit(std::string& out, const Match& match) const {
  const auto& needle = needles_[match.needle];
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
  std::string out;
  out.reserve(bytes.size());
  Match match;
  for (std::size_t at = 0; at < bytes.size();) {
    auto in_word = nobody;
    if (match_at(bytes, at, match, counts ? &in_word : nullptr)) {
      emit(out, match);
      if (counts) ++all_[needles_[match.needle].entry].places;
      at += match.length;
      continue;
    }
    if (in_word != nobody) {
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
std::vector<std::string> suspects_in(const std::vector<Reply>& replies, const std::string& page) {
  ScrubRules rules;
  for (const auto* form : {"ipv4", "ipv6", "mac", "sid", "key", "mail"}) rules.forms.push_back({form, form, {}});
  std::vector<std::string> suspects;
  std::map<std::string, std::set<std::string>> found;
  for (const auto& reply : replies) {
    for (const auto& name : names_in({reply}, rules, page)) {
      // What a scrubber would leave alone is its own.
      const Scrubber left({name}, {});
      if (!left.replacements().empty() && left.replacements().front().stays.empty()) found[name.text].insert(reply.id);
    }
  }
  for (const auto& [text, ids] : found) suspects.push_back(fmt::format("{} in {}", text, fmt::join(ids, ", ")));
  return suspects;
}

}  // namespace

Scrubbed scrubbed(std::vector<Reply> replies, const std::vector<Reply>& only_names, const ScrubRules& rules,
                  const std::string& program, const std::string& recorded) {
  Scrubbed result;
  result.recording.program = program;
  result.recording.recorded = recorded;
  result.recording.machine = machine_told_by(replies);
  const auto& machine = result.recording.machine;
  // Names first from where they stand alone.
  auto all = only_names;
  all.insert(all.end(), replies.begin(), replies.end());
  Scrubber scrubber(names_in(all, rules, machine.oem_code_page), {machine.oem_code_page, machine.ansi_code_page});
  for (auto& reply : replies) {
    for (auto* text : {&reply.output, &reply.errors, &reply.trouble}) *text = scrubber.scrub(*text);
    if (reply.file) reply.file = scrubber.scrub(*reply.file);
  }
  result.recording.machine.product = scrubber.scrub(machine.product);
  result.replacements = scrubber.replacements();
  std::map<std::pair<std::string, std::string>, ScrubCount> counts;
  for (const auto& one : result.replacements) {
    if (one.by.empty() || one.places == 0) continue;
    auto& count = counts[{one.rule, to_string(one.kind)}];
    count.rule = one.rule;
    count.kind = to_string(one.kind);
    ++count.names;
    count.places += one.places;
  }
  for (const auto& [rule, count] : counts) result.recording.scrubbed.push_back(count);
  result.suspects = suspects_in(replies, machine.oem_code_page);
  result.recording.replies = std::move(replies);
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
  if (!scrubbed.suspects.empty()) {
    text += "\nStill there, and of the form of an address, a SID or a key (a version may look so):\n";
    for (const auto& one : scrubbed.suspects) text += fmt::format("       {}\n", one);
  }
  return text;
}

}  // namespace patchlab::lab::guest::recording
