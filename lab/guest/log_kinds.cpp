// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/log_kinds.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "lab/core/json.hpp"

namespace patchlab::lab::guest {
namespace {
constexpr std::size_t longest_kind = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string_view without_leading_blanks(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

bool is_month(std::string_view word) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return std::find(months.begin(), months.end(), word) != months.end();
}

std::string_view take_word(std::string_view& text) {
  text = without_leading_blanks(text);
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

// "Nov 22 06:19:40 dns1 named[163]: text" and "2026-11-22T06:19:40.1+00:00 dns1 named[163]: text" lose time and host
// (RFC 3164, 5424).
std::string_view without_syslog_prefix(std::string_view line) {
  auto rest = line;
  const auto first = take_word(rest);
  const bool classic = is_month(first);
  const bool modern = first.size() >= 19 && is_digit(first[0]) && first[10] == 'T';
  if (!classic && !modern) return line;
  if (classic) {
    take_word(rest);  // day
    take_word(rest);  // time
  }
  take_word(rest);  // host
  return without_leading_blanks(rest);
}

// A maximal run of letters and digits. Mixed hexadecimal (addresses, queue ids, digests) goes as a whole; elsewhere
// only the digits do.
void append_word(std::string& kind, std::string_view word) {
  const bool has_digit = std::any_of(word.begin(), word.end(), is_digit);
  if (!has_digit) {
    kind += word;
    return;
  }
  const auto hex = word.starts_with("0x") ? word.substr(2) : word;
  if (std::all_of(hex.begin(), hex.end(), is_hex)) {
    kind += '#';
    return;
  }
  for (const char c : word) {
    if (!is_digit(c))
      kind += c;
    else if (kind.empty() || kind.back() != '#')
      kind += '#';
  }
}

// Groups of an address or UUID that happen to have no digit: "fe" in "52:54:fe:..." is a number too.
bool is_group_of_number(const std::string& before, std::string_view word, std::string_view after) {
  const auto joins = [](char c) { return c == ':' || c == '-'; };
  if (word.size() > 12 || !std::all_of(word.begin(), word.end(), is_hex)) return false;
  const bool follows = before.size() >= 2 && joins(before.back()) && before[before.size() - 2] == '#';
  const bool leads = after.size() >= 2 && joins(after[0]) && is_digit(after[1]);
  return follows || leads;
}

// "EST" in "2026-11-25 13:40:01.123 EST": the name of a time zone belongs to the time before it. Most end so; levels
// such as "CRIT" and "ALERT" do not.
bool is_time_zone(std::string_view before, std::string_view word) {
  constexpr std::array<std::string_view, 8> endings{"ST", "DT", "MT", "UTC", "CET", "EET", "WET", "MSK"};
  const bool capitals = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool ends_so = std::any_of(endings.begin(), endings.end(), [&](auto ending) { return word.ends_with(ending); });
  if (word.size() < 3 || word.size() > 4 || !capitals || !ends_so || !before.ends_with("# ")) return false;
  before.remove_suffix(1);
  const auto time = before.substr(before.find_last_of(" [(") + 1);  // npos + 1 is the beginning
  return std::count(time.begin(), time.end(), ':') == 2 && time.starts_with("#:#:#");
}

// "#.#.#.#", "#:#", "#-#" are one number to a reader (address, time, version); so is a negative one.
std::string with_joined_numbers(const std::string& text) {
  std::string joined;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i + 1 < text.size() && text[i + 1] == '#' && !joined.empty() && joined.back() == '#';
    if (between && std::string_view(".:-,/+").find(text[i]) != std::string_view::npos) continue;
    if (text[i] == '#' && !joined.empty() && joined.back() == '#') continue;
    joined += text[i];
  }
  return joined;
}

// What follows a folder for temporary files is a random name.
bool ends_with_temporary_folder(std::string_view text) { return text.ends_with("/tmp/") || text.ends_with("/tmp."); }

bool is_crash(std::string_view text) {
  constexpr std::array<std::string_view, 10> words{
      "segfault at",   "general protection", "traps: ",          "Oops",         "BUG: ", "Kernel panic",
      "Out of memory", "oom-kill:",          "blocked for more", "EXT4-fs error"};
  return std::any_of(words.begin(), words.end(), [&](auto word) { return text.find(word) != std::string_view::npos; });
}

// An emulated processor that gets no time from a busy host, most of all while the kernel calibrates its timers at boot:
// says something about the laboratory, nothing about a patch.
bool is_starvation(std::string_view text) {
  constexpr std::array<std::string_view, 11> words{
      "soft lockup", "rcu: INFO", "rcu_sched",  "rcu_preempt",    "clocksource",  "hrtimer: interrupt took",
      "MP-BIOS bug", "calibrat",  "APIC timer", "APIC frequency", "RT throttling"};
  return std::any_of(words.begin(), words.end(), [&](auto word) { return text.find(word) != std::string_view::npos; });
}

// What PostgreSQL says at level FATAL of each session and worker when it is told to stop, and to clients that ask while
// it stops or starts (its manual, appendix A: 57P01 admin_shutdown, 57P03 cannot_connect_now). Who is there at that
// moment is chance, so a control without a patch need not have logged the same ones. A server that went down by itself
// says other words ("because of crash of another server process"), and one that stays down fails its checks.
bool is_stop_as_told(std::string_view text) {
  const auto level = text.find("FATAL:  ");
  if (level == std::string_view::npos) return false;
  const auto said = text.substr(level + std::string_view("FATAL:  ").size());
  if (said.starts_with("terminating ")) return said.ends_with(" due to administrator command");
  constexpr std::array<std::string_view, 3> states{"the database system is shutting down",
                                                   "the database system is starting up",
                                                   "the database system is not yet accepting connections"};
  return std::find(states.begin(), states.end(), said) != states.end();
}

template <class Function>
void for_each_line(std::string_view text, Function function) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!without_leading_blanks(line).empty()) function(line);
  }
}
}  // namespace

std::string log_kind(std::string_view line) {
  auto rest = without_syslog_prefix(without_leading_blanks(line));
  std::string kind;
  while (!rest.empty() && kind.size() < 2 * longest_kind) {
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_word);
    const auto word = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    if (word.empty()) {
      kind += rest.front();
      rest.remove_prefix(1);
    } else if (is_time_zone(kind, word)) {
      rest.remove_prefix(word.size());
      rest = without_leading_blanks(rest);
    } else if (ends_with_temporary_folder(kind)) {
      kind += '#';
      rest.remove_prefix(std::min(rest.find_first_of(" '\":,)/"), rest.size()));
    } else {
      if (is_group_of_number(kind, word, rest.substr(word.size())))
        kind += '#';
      else
        append_word(kind, word);
      rest.remove_prefix(word.size());
    }
  }
  return to_valid_utf8(with_joined_numbers(kind).substr(0, longest_kind));
}

std::set<std::string> log_kinds(std::string_view text) {
  std::set<std::string> kinds;
  for_each_line(text, [&](std::string_view line) {
    if (!is_starvation(line) && !is_stop_as_told(line)) kinds.insert(log_kind(line));
  });
  return kinds;
}

std::set<std::string> kernel_kinds(std::string_view text) {
  std::set<std::string> kinds;
  for_each_line(text, [&](std::string_view line) {
    if (line.size() < 3 || line[0] != '<' || !is_digit(line[1])) return;
    const auto close = line.find('>');
    if (close == std::string_view::npos) return;
    // The priority holds facility * 8 + level; err is 3, and less is worse.
    const int priority = std::atoi(std::string(line.substr(1, close - 1)).c_str());
    auto message = line.substr(close + 1);
    if (message.starts_with('[')) message.remove_prefix(std::min(message.find(']') + 1, message.size()));
    if (is_starvation(message)) return;
    if (priority % 8 <= 3 || is_crash(message)) kinds.insert("kernel: " + log_kind(message));
  });
  return kinds;
}

}  // namespace patchlab::lab::guest
