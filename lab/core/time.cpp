// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/time.hpp"

#include <fmt/chrono.h>

#include <thread>

namespace patchlab {
namespace {
class SystemClock final : public Clock {
 public:
  Milliseconds now() const override {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }
  std::chrono::system_clock::time_point wall() const override { return std::chrono::system_clock::now(); }
  void pause(Milliseconds duration) override { std::this_thread::sleep_for(duration); }
};
}  // namespace

Clock& system_clock_source() {
  static SystemClock clock;
  return clock;
}

std::string rfc3339(std::chrono::system_clock::time_point when) {
  const auto milliseconds = std::chrono::floor<Milliseconds>(when.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     (milliseconds - seconds).count());
}

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view form = "0000-00-00T00:00:00";
  constexpr std::size_t most_digits = 9;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() <= form.size() || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? !is_digit(text[i]) : text[i] != form[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (const char c : text.substr(at, length)) value = value * 10 + (c - '0');
    return value;
  };
  const year_month_day day(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                           std::chrono::day(static_cast<unsigned>(number(8, 2))));
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  // A moment of nanoseconds ends in 2262, and ssh-keygen takes 1970 for "no date".
  if (number(0, 4) < 1970 || number(0, 4) > 2199) return std::nullopt;
  if (!day.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  auto fraction = text.substr(form.size(), text.size() - form.size() - 1);
  std::int64_t nanoseconds_in = 0;
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > most_digits + 1) return std::nullopt;
    fraction.remove_prefix(1);
    for (std::size_t i = 0; i < most_digits; ++i) {
      if (i < fraction.size() && !is_digit(fraction[i])) return std::nullopt;
      nanoseconds_in = nanoseconds_in * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    }
  }
  return time_point_cast<system_clock::duration>(sys_days(day) + hours(hour) + minutes(minute) + seconds(second) +
                                                 nanoseconds(nanoseconds_in));
}

Result<Milliseconds> wait_until(Clock& clock, const Wait& wait, const std::function<bool()>& done) {
  const auto start = clock.now();
  for (;;) {
    if (done()) return clock.now() - start;
    if (wait.stop.stop_requested()) {
      return Error{ErrorClass::cancelled, "cancelled while waiting for " + wait.awaited, {}};
    }
    const auto elapsed = clock.now() - start;
    if (elapsed >= wait.deadline) {
      auto message = fmt::format("{} did not happen within {:.1f} s", wait.awaited,
                                 std::chrono::duration<double>(wait.deadline).count());
      if (wait.last_seen) message += " (last seen: " + wait.last_seen() + ")";
      return timeout_error(std::move(message));
    }
    clock.pause(std::min(wait.interval, wait.deadline - elapsed));
  }
}

}  // namespace patchlab
