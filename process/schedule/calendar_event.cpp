// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/schedule/calendar_event.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

std::optional<unsigned> number_in(std::string_view text, unsigned least, unsigned most) {
  unsigned value = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || trouble != std::errc() || end != text.data() + text.size() || value < least || value > most)
    return std::nullopt;
  return value;
}

std::optional<std::set<unsigned>> weekdays_in(std::string_view text) {
  static constexpr std::array<std::string_view, 7> names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
  std::set<unsigned> days;
  for (const auto part : split(text, ',')) {
    const auto found = std::ranges::find(names, lower_case(part));
    if (found == names.end()) return std::nullopt;
    days.insert(static_cast<unsigned>(found - names.begin()));
  }
  return days;
}

// "1..7,15..21"
std::optional<std::set<unsigned>> days_in(std::string_view text) {
  std::set<unsigned> days;
  if (text == "*") return days;
  for (const auto part : split(text, ',')) {
    const auto dots = part.find("..");
    const auto first = number_in(part.substr(0, dots), 1, 31);
    const auto last = dots == std::string_view::npos ? first : number_in(part.substr(dots + 2), 1, 31);
    if (!first || !last || *last < *first) return std::nullopt;
    for (auto day = *first; day <= *last; ++day) days.insert(day);
  }
  return days;
}

bool is_day_of(const TimerDays& days, std::chrono::local_days day) {
  const auto weekday = std::chrono::weekday(day).c_encoding();
  const auto of_month = static_cast<unsigned>(std::chrono::year_month_day(day).day());
  return (days.weekdays.empty() || days.weekdays.contains(weekday)) &&
         (days.days.empty() || days.days.contains(of_month));
}

}  // namespace

std::optional<std::chrono::minutes> time_of_day(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || (parts.size() == 3 && parts[2] != "00")) return std::nullopt;
  const auto hour = number_in(parts[0], 0, 23), minute = number_in(parts[1], 0, 59);
  if (!hour || !minute || parts[0].size() > 2 || parts[1].size() != 2) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute);
}

std::optional<TimerDays> timer_days(std::string_view on_calendar) {
  std::vector<std::string_view> words;
  for (const auto word : split(on_calendar, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() < 2 || words.size() > 3) return std::nullopt;
  constexpr std::string_view any_month = "*-*-";
  const auto date = words[words.size() - 2];
  const auto at = time_of_day(words.back());
  const auto weekdays = words.size() == 3 ? weekdays_in(words.front()) : std::optional(std::set<unsigned>());
  const auto days = date.starts_with(any_month) ? days_in(date.substr(any_month.size())) : std::nullopt;
  if (!at || !weekdays || !days) return std::nullopt;
  return TimerDays{*weekdays, *days, *at};
}

std::optional<std::chrono::days> longest_gap(const TimerDays& days) {
  using namespace std::chrono;
  // After 28 years weekdays and leap years begin anew.
  const local_days begin{year(2000) / January / 1};
  std::optional<local_days> last;
  std::optional<std::chrono::days> longest;
  for (auto day = begin; day < begin + std::chrono::days(366 * 30); day += std::chrono::days(1)) {
    if (!is_day_of(days, day)) continue;
    if (last && (!longest || day - *last > *longest)) longest = day - *last;
    last = day;
  }
  return longest;
}

std::optional<TimerTime> last_due(const TimerDays& days, TimerTime now) {
  using namespace std::chrono;
  const auto today = floor<std::chrono::days>(now);
  for (int back = 0; back <= 366; ++back) {
    const auto day = today - std::chrono::days(back);
    const auto due = day + days.at;
    if (is_day_of(days, day) && due <= now) return due;
  }
  return std::nullopt;
}

}  // namespace patchlab::process
