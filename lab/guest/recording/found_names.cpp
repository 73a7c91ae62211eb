// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/found_names.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <set>

#include "lab/core/text.hpp"
#include "lab/guest/recording/code_page.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr std::string_view decimal_digits = "0123456789";
constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";
constexpr std::size_t longest_name = 256;

bool is_one_of(char c, std::string_view characters) { return characters.find(c) != std::string_view::npos; }
bool is_letter_or_digit(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Calls `found` for every run of such characters, with what stands before and behind it.
template <class Found>
void runs_of(std::string_view text, std::string_view characters, const Found& found) {
  for (std::size_t at = text.find_first_of(characters); at != std::string_view::npos;
       at = text.find_first_of(characters, at)) {
    const auto end = std::min(text.find_first_not_of(characters, at), text.size());
    found(text.substr(at, end - at), at == 0 ? ' ' : text[at - 1], end == text.size() ? ' ' : text[end]);
    at = end;
  }
}

// Four numbers below 256; nothing that is the same everywhere, and no mask.
bool is_somebodys_ipv4(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return false;
  const auto number = ntohl(address.s_addr);
  const auto first = number >> 24U;
  return first != 0 && first != 127 && first < 224;
}

bool is_somebodys_ipv6(std::string_view text) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return false;
  const bool is_of_all =
      std::all_of(std::begin(address.s6_addr), std::begin(address.s6_addr) + 15, [](auto byte) { return byte == 0; });
  return !is_of_all && address.s6_addr[0] != 0xff;
}

// "52:54:00:14:00:10", also with '-'.
bool is_mac(std::string_view text) {
  if (text.size() != 17 || (text[2] != ':' && text[2] != '-')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != text[2] : !is_one_of(text[i], hex_digits)) return false;
  }
  const auto plain = lower_case(text);
  return plain.find_first_not_of("0:-") != std::string::npos && plain.find_first_not_of("f:-") != std::string::npos;
}

bool is_bare_mac(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of(hex_digits) == std::string_view::npos &&
         text.find_first_not_of('0') != std::string_view::npos;
}

bool is_key(std::string_view text) {
  constexpr std::size_t length = 29;
  constexpr std::size_t id_length = 23;
  if (text.size() != length && text.size() != id_length) return false;
  bool has_letter = false;
  bool has_digit = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 6 == 5) {
      if (text[i] != '-') return false;
      continue;
    }
    const bool is_digit = is_one_of(text[i], decimal_digits);
    if (!is_digit && (text[i] < 'A' || text[i] > 'Z')) return false;
    if (text.size() == id_length && i < 18 && !is_digit) return false;  // "00252-10000-00000-AA228"
    has_letter = has_letter || !is_digit;
    has_digit = has_digit || is_digit;
  }
  return has_letter && has_digit;
}

// "S-1-5-21-A-B-C" at the beginning; empty: none. What follows is a number within the domain.
std::string_view sid_at(std::string_view text) {
  constexpr std::string_view head = "S-1-5-21-";
  if (lower_case(text.substr(0, head.size())) != lower_case(head)) return {};
  auto end = head.size();
  for (int part = 0; part < 3; ++part) {
    const auto from = end;
    while (end < text.size() && is_one_of(text[end], decimal_digits)) ++end;
    if (end == from || end - from > 10) return {};
    if (part < 2 && (end == text.size() || text[end++] != '-')) return {};
  }
  return text.substr(0, end);
}

class Finder {
 public:
  explicit Finder(const ScrubRules& rules) : rules_(rules) {}

  void look_at(const std::string& id, const std::string& text) {
    const auto lower = lower_case(text);
    for (const auto& rule : rules_.take) {
      if (rule.from.empty() || rule.from.contains(id)) take(rule, text, lower);
    }
    for (const auto& rule : rules_.forms) {
      if (rule.from.empty() || rule.from.contains(id)) recognise(rule, text);
    }
  }

  void words() {
    for (const auto& word : rules_.words) keep(word.kind, word.text, "words");
  }

  // Whoever stands before the name of a domain is one of its machines. Each dot is looked at once, however many
  // domains there are.
  void below_domains(const std::string& text) {
    if (domains_.empty()) return;
    const auto lower = lower_case(text);
    const auto is_of_label = [](char c) {
      return is_letter_or_digit(c) || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    };
    const auto longest = std::ranges::max(domains_, {}, &std::string::size).size();
    for (auto dot = lower.find('.'); dot != std::string::npos; dot = lower.find('.', dot + 1)) {
      auto begin = dot;
      while (begin > 0 && is_of_label(lower[begin - 1])) --begin;
      if (begin == dot) continue;
      for (auto end = dot + 1; end <= lower.size() && end - dot - 1 <= longest; ++end) {
        if (end < lower.size() && is_of_label(lower[end])) continue;
        if (domains_.contains(lower.substr(dot + 1, end - dot - 1))) {
          host_or_domain(NameKind::host, std::string_view(text).substr(begin, dot - begin), "below a domain");
          break;
        }
        if (end == lower.size() || lower[end] != '.') break;
      }
    }
  }

  std::vector<FoundName> found() && { return std::move(found_); }

 private:
  void take(const TakeRule& rule, const std::string& text, const std::string& lower) {
    const auto after = lower_case(rule.after);
    for (auto at = lower.find(after); at != std::string::npos; at = lower.find(after, at)) {
      at += after.size();
      const auto from = behind_words(text, at, rule.skip);
      const auto end = std::min(text.find_first_of(rule.until, from), text.size());
      const auto name = trimmed(std::string_view(text).substr(from, end - from), " \t\r\n");
      if (name.empty() || name.size() > longest_name || name.find(rule.needs) == std::string_view::npos) continue;
      named(rule.kind, name, rule.id);
    }
  }

  // Where the next word but `count` begins, within its quotes; the end of the line when there is none.
  static std::size_t behind_words(const std::string& text, std::size_t at, std::size_t count) {
    const auto line_end = std::min(text.find_first_of("\r\n", at), text.size());
    const auto next = [&](std::size_t from) { return std::min(text.find_first_not_of(" \t", from), line_end); };
    if (count == 0 && at < line_end && text[at] != '"') return at;
    for (at = next(at); count > 0 && at < line_end; --count) {
      const bool quoted = text[at] == '"';
      const auto end = quoted ? text.find('"', at + 1) : text.find_first_of(" \t", at);
      at = end >= line_end ? line_end : next(end + 1);
    }
    return at < line_end && text[at] == '"' ? at + 1 : at;
  }

  void recognise(const FormRule& rule, const std::string& text) {
    if (rule.form == "ipv4") {
      runs_of(text, "0123456789.", [&](std::string_view run, char before, char behind) {
        while (run.ends_with('.')) run.remove_suffix(1);
        // "10.20.0.10\010.20.0.11": reg.exe writes \0 between the values of a REG_MULTI_SZ.
        if (before == '\\' && run.size() > 1 && run.front() == '0') run.remove_prefix(1);
        const bool is_part = is_letter_or_digit(before) || before == '~' || before == '_' || is_letter_or_digit(behind);
        if (!is_part && is_somebodys_ipv4(run)) keep(NameKind::ipv4, run, rule.id);
      });
    } else if (rule.form == "ipv6") {
      runs_of(text, "0123456789abcdefABCDEF:.", [&](std::string_view run, char, char) {
        if (run.find("::") == std::string_view::npos && std::ranges::count(run, ':') < 7) return;
        if (is_somebodys_ipv6(run)) keep(NameKind::ipv6, run, rule.id);
      });
    } else if (rule.form == "mac") {
      runs_of(text, "0123456789abcdefABCDEF:-", [&](std::string_view run, char, char) {
        run = trimmed(run, ":-");
        if (is_mac(run)) keep(NameKind::mac, run, rule.id);
      });
    } else if (rule.form == "event") {
      events(rule, text);
    } else if (rule.form == "key") {
      runs_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", [&](std::string_view run, char before, char behind) {
        if (!is_letter_or_digit(before) && !is_letter_or_digit(behind) && is_key(run))
          keep(NameKind::key, run, rule.id);
      });
    } else if (rule.form == "sid") {
      for (auto at = text.find_first_of("sS"); at != std::string::npos; at = text.find_first_of("sS", at + 1)) {
        if (at + 1 == text.size() || text[at + 1] != '-') continue;
        const auto sid = sid_at(std::string_view(text).substr(at, 60));
        if (!sid.empty()) keep(NameKind::sid, sid, rule.id);
      }
    } else {
      mails(rule, text);
    }
  }

  // "  User: S-1-5-21-1-2-3-1001", below it "  User Name: CORP\\jdoe" and "  Computer: srv1.corp.example", in whatever
  // language.
  void events(const FormRule& rule, std::string_view text) {
    std::array<std::string_view, 2> before;  // the values of the last lines
    for (const auto line : split(text, '\n')) {
      const auto colon = line.find(':');
      const auto value =
          colon == std::string_view::npos ? std::string_view{} : trimmed(line.substr(colon + 1), " \t\r");
      // Accounts of Windows itself are called in its own language.
      if (is_sid(before[1]) && before[1].starts_with("S-1-5-21-")) user(value, rule.id);
      if (is_sid(before[0])) host_or_domain(NameKind::host, value, rule.id);
      before = {before[1], value};
    }
  }
  static bool is_sid(std::string_view text) {
    return text.starts_with("S-1-") && text.find_first_not_of("0123456789-", 4) == std::string_view::npos;
  }

  void mails(const FormRule& rule, std::string_view text) {
    const auto is_part = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; };
    for (auto at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
      auto begin = at;
      while (begin > 0 && is_part(text[begin - 1])) --begin;
      auto end = at + 1;
      while (end < text.size() && is_part(text[end])) ++end;
      auto domain = text.substr(at + 1, end - at - 1);
      while (domain.ends_with('.')) domain.remove_suffix(1);
      if (begin == at || domain.find('.') == std::string_view::npos) continue;
      keep(NameKind::user, text.substr(begin, at - begin), rule.id);
      host_or_domain(NameKind::domain, domain, rule.id);
    }
  }

  void named(NameKind kind, std::string_view name, const std::string& rule) {
    switch (kind) {
      case NameKind::host:
      case NameKind::domain: return host_or_domain(kind, name, rule);
      case NameKind::user: return user(name, rule);
      case NameKind::ipv4:
        if (is_somebodys_ipv4(name)) keep(kind, name, rule);
        return;
      case NameKind::ipv6:
        if (is_somebodys_ipv6(name)) keep(kind, name, rule);
        return;
      case NameKind::mac:
        if (is_mac(name) || is_bare_mac(name)) return keep(kind, name, rule);
        // A client may be told by more than its MAC (RFC 4361).
        if (name.find_first_not_of(hex_digits) == std::string_view::npos) keep(NameKind::other, name, rule);
        return;
      case NameKind::sid:
        if (const auto sid = sid_at(name); !sid.empty()) keep(kind, sid, rule);
        return;
      case NameKind::guid:
        if (is_guid(name)) keep(kind, name.substr(1, name.size() - 2), rule);
        return;
      case NameKind::key:
        if (is_key(name)) keep(kind, name, rule);
        return;
      case NameKind::other: return keep(kind, name, rule);
    }
  }

  // "srv1.corp.example", "\\srv1", "SRV1$"
  void host_or_domain(NameKind kind, std::string_view name, const std::string& rule) {
    name = trimmed(name, "\\$.");
    // The way back from addresses has no names in it.
    if (name.empty() || is_somebodys_ipv4(name) || lower_case(name).ends_with(".arpa")) return;
    const auto is_part = [](char c) {
      return is_letter_or_digit(c) || is_one_of(c, ".-_") || static_cast<unsigned char>(c) >= 0x80;
    };
    // "srv1:445", "srv1)": what cannot be in a name ends it. Words ("NT AUTHORITY") are no name of these kinds.
    if (name.find(' ') != std::string_view::npos) return;
    name =
        trimmed(name.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(name, is_part) - name.begin())), ".");
    if (name.empty() || is_somebodys_ipv4(name)) return;
    const auto dot = name.find('.');
    const auto domain = kind == NameKind::domain ? name : dot == std::string_view::npos ? "" : name.substr(dot + 1);
    if (domain.find('.') != std::string_view::npos) domains_.insert(lower_case(domain));
    bool is_first = true;
    for (const auto label : split(name, '.')) {
      keep(is_first ? kind : NameKind::domain, label, rule);
      is_first = false;
    }
  }

  void user(std::string_view name, const std::string& rule) {
    if (rules_.keep.contains(lower_case(name))) return;  // "N/A"
    // What no account can have in its name ends it, as does a bracket that was opened before it.
    name = name.substr(0, name.find_first_of("\"/[]:;|=,+*?<>\t\r\n"));
    const auto bracket = name.find(')');
    if (bracket < name.find('(')) name = name.substr(0, bracket);
    name = trimmed(name, " .");
    if (lower_case(name).starts_with("s-1-")) return;
    if (const auto slash = name.find('\\'); slash != std::string_view::npos) {
      const auto before = name.substr(0, slash);
      // Of Windows itself: "NT AUTHORITY\SYSTEM", "NT SERVICE\x", in German "NT-AUTORITÄT\SYSTEM".
      const auto lower = lower_case(before);
      if (lower.starts_with("nt ") || lower.starts_with("nt-") || lower == "builtin") return;
      if (before != ".") host_or_domain(NameKind::domain, before, rule);
      return user(name.substr(slash + 1), rule);
    }
    if (const auto at = name.find('@'); at != std::string_view::npos) {
      host_or_domain(NameKind::domain, name.substr(at + 1), rule);
      name = name.substr(0, at);
    }
    while (name.ends_with('$')) name.remove_suffix(1);
    keep(NameKind::user, name, rule);
  }

  void keep(NameKind kind, std::string_view name, const std::string& rule) {
    const auto lower = lower_case(name);
    if (name.empty() || rules_.keep.contains(lower)) return;
    if (known_.insert(lower).second) found_.push_back({kind, std::string(name), rule});
  }

  const ScrubRules& rules_;
  std::set<std::string> domains_;
  std::set<std::string> known_;
  std::vector<FoundName> found_;
};

}  // namespace

std::vector<FoundName> names_in(const std::vector<Reply>& replies, const ScrubRules& rules,
                                const std::string& oem_code_page) {
  const auto page = oem_code_page.empty() ? std::string("850") : oem_code_page;
  Finder finder(rules);
  finder.words();
  std::vector<std::string> texts;
  for (const auto& reply : replies) {
    for (const auto* bytes : {&reply.output, &reply.errors, reply.file ? &*reply.file : nullptr}) {
      if (bytes == nullptr || bytes->empty()) continue;
      texts.push_back(reply_text(*bytes, page));
      finder.look_at(reply.id, texts.back());
    }
  }
  for (const auto& text : texts) finder.below_domains(text);
  return std::move(finder).found();
}

}  // namespace patchlab::lab::guest::recording
