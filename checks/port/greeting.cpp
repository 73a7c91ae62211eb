// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/greeting.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lab/core/text.hpp"

namespace patchlab::checks::port {
namespace {

using Words = std::vector<std::string>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A line as a glob whose only sign is `anything`. Each part is looked for once, from where the one before it ended.
bool is_line(std::string_view expected, std::string_view seen) {
  const auto first = expected.find(anything);
  if (first == std::string_view::npos) return expected == seen;
  if (!seen.starts_with(expected.substr(0, first))) return false;
  seen.remove_prefix(first);
  expected.remove_prefix(first + anything.size());
  for (auto next = expected.find(anything); next != std::string_view::npos; next = expected.find(anything)) {
    const auto found = seen.find(expected.substr(0, next));
    if (found == std::string_view::npos) return false;
    seen.remove_prefix(found + next);
    expected.remove_prefix(next + anything.size());
  }
  return seen.ends_with(expected);
}

Words words_of(std::string_view line) {
  Words words;
  for (const auto word : split(line, ' ')) words.emplace_back(word);
  return words;
}

// How many characters of `shape` there are at the start of `text`: '0' stands for a digit, all others for themselves.
bool begins_as(std::string_view text, std::string_view shape) {
  return text.size() >= shape.size() && std::equal(shape.begin(), shape.end(), text.begin(), [](char wanted, char c) {
           return wanted == '0' ? is_digit(c) : c == wanted;
         });
}
bool has(std::string_view text, std::string_view shape) {
  for (; text.size() >= shape.size(); text.remove_prefix(1)) {
    if (begins_as(text, shape)) return true;
  }
  return false;
}
bool has_time(std::string_view word) { return has(word, "00:00") || has(word, "0000-00-00"); }

// What may stand beside a time of day: "Sun,", "29", "Nov", "2026", "+0000", "(UTC)".
bool is_of_a_date(std::string_view word) {
  constexpr std::array names{"mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may",
                             "jun", "jul", "aug", "sep", "oct", "nov", "dec", "utc", "gmt", "cet", "cest"};
  auto core = lower_case(trimmed(word, " ,()."));
  if (core.empty()) return false;
  if (std::ranges::find(names, core) != names.end()) return true;
  if (core.front() == '+' || core.front() == '-') core.erase(0, 1);
  return core.size() <= 4 && std::ranges::all_of(core, is_digit);
}

bool is_address(std::string_view word) {
  const auto parts = split(trimmed(word, "()[],;<>"), '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && part.size() <= 3 && std::ranges::all_of(part, is_digit);
         });
}

// "9.2p1", "(3.0.3)", "Debian-2+deb12u3"; not "mail1.corp.example" and not an address.
bool has_version(std::string_view word) {
  return !is_address(word) && (has(word, "0.0") || has(word, "deb0") || has(word, "ubuntu0"));
}

// Numbers of versions become `anything`; that of the protocol in "SSH-2.0-" (RFC 4253 section 4.2) stays.
std::string without_versions(std::string_view word) {
  std::string text;
  constexpr std::string_view ssh = "SSH-2.0-";
  if (word.starts_with(ssh)) {
    text = ssh;
    word.remove_prefix(ssh.size());
  }
  for (std::size_t i = 0; i < word.size();) {
    auto end = i;
    while (end < word.size() && (is_digit(word[end]) || (word[end] == '.' && end > i))) ++end;
    while (end > i && word[end - 1] == '.') --end;
    if (end == i) {
      text += word[i++];
      continue;
    }
    text += anything;
    i = end;
  }
  return text;
}

std::string lasting_word(const std::string& word, bool is_dated) {
  if (is_dated && (has_time(word) || is_of_a_date(word))) return std::string(anything);
  return has_version(word) ? without_versions(word) : word;
}

// The code of an answer ("220") stays whatever else is in its line.
bool is_code(const Words& words, std::size_t i) { return i == 0 && words[0].size() == 3 && has(words[0], "000"); }

// Words that are the same at the beginning and at the end; between them `anything` when something differs.
Words common_words(const Words& first, const Words& second) {
  if (first.size() == second.size()) {
    Words common;
    for (std::size_t i = 0; i < first.size(); ++i)
      common.push_back(first[i] == second[i] ? first[i] : std::string(anything));
    return common;
  }
  const auto shorter = std::min(first.size(), second.size());
  std::size_t begin = 0;
  while (begin < shorter && first[begin] == second[begin]) ++begin;
  std::size_t end = 0;
  while (end < shorter - begin && first[first.size() - 1 - end] == second[second.size() - 1 - end]) ++end;
  Words common(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(begin));
  common.emplace_back(anything);
  common.insert(common.end(), first.end() - static_cast<std::ptrdiff_t>(end), first.end());
  return common;
}

std::string lasting_line(std::string_view first, std::string_view second) {
  const bool is_dated = has_time(first);
  auto words = common_words(words_of(first), words_of(second));
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!is_code(words, i)) words[i] = lasting_word(words[i], is_dated);
  }
  const auto doubled = std::unique(words.begin(), words.end(),
                                   [](const auto& a, const auto& b) { return a == anything && b == anything; });
  words.erase(doubled, words.end());
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

std::string greeting_text(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') continue;
    if (c == '\n' || (c >= ' ' && c <= '~'))
      text += c;
    else
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool is_greeting(std::string_view expected, std::string_view seen) {
  const auto wanted = split(expected, '\n');
  const auto lines = split(seen, '\n');
  return std::equal(wanted.begin(), wanted.end(), lines.begin(), lines.end(), is_line);
}

std::optional<std::string> lasting_greeting(const std::string& first, const std::string& second) {
  const auto lines = split(first, '\n');
  const auto others = split(second, '\n');
  if (lines.size() != others.size()) return std::nullopt;
  std::vector<std::string> lasting;
  for (std::size_t i = 0; i < lines.size(); ++i) lasting.push_back(lasting_line(lines[i], others[i]));
  auto text = fmt::format("{}", fmt::join(lasting, "\n"));
  // Nothing but gaps would hold for any server.
  auto rest = text;
  for (auto gap = rest.find(anything); gap != std::string::npos; gap = rest.find(anything))
    rest.erase(gap, anything.size());
  const bool says_something = std::ranges::any_of(rest, [](char c) { return is_letter(c) || is_digit(c); });
  if (!first.empty() && !says_something) return std::nullopt;
  return text;
}

}  // namespace patchlab::checks::port
