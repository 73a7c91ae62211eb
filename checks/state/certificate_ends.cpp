// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/certificate_ends.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "checks/state/rules.hpp"

namespace patchlab::checks::state {
namespace {

constexpr const char* certificate_kind = "tls-certificate";
constexpr const char* end_kind = "certificate-end";

std::optional<unsigned> number_in(std::string_view text) {
  unsigned number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// "2027-03-04"
std::optional<std::chrono::sys_days> day_in(std::string_view day) {
  if (day.size() != 10 || day[4] != '-' || day[7] != '-') return std::nullopt;
  const auto year = number_in(day.substr(0, 4));
  const auto month = number_in(day.substr(5, 2));
  const auto of_month = number_in(day.substr(8, 2));
  if (!year || !month || !of_month) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*of_month)};
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

// The first day of those in "..., until 2027-03-04, key SHA-256 ...": a port may show one certificate to some clients
// and another one to others.
std::optional<std::chrono::sys_days> end_in(std::string_view certificates) {
  constexpr std::string_view before = ", until ";
  constexpr std::string_view behind = ", key SHA-256 ";
  std::optional<std::chrono::sys_days> first;
  for (auto at = certificates.find(before); at != std::string_view::npos; at = certificates.find(before, at + 1)) {
    const auto rest = certificates.substr(at + before.size());
    const auto end = day_in(rest.substr(0, 10));
    if (!end || !rest.substr(10).starts_with(behind)) continue;
    if (!first || *end < *first) first = end;
  }
  return first;
}

std::string text_of(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

}  // namespace

std::vector<StateDifference> certificate_ends(const HostState& state, std::chrono::sys_days today,
                                              std::chrono::days within) {
  std::vector<StateDifference> found;
  const auto rows = state.rows.find(certificate_kind);
  if (rows == state.rows.end() || within == std::chrono::days(0)) return found;
  for (const auto& [port, certificate] : rows->second) {
    const auto end = end_in(certificate);
    if (!end || *end > today + within) continue;
    const auto text = *end < today ? fmt::format("ended on {}", text_of(*end))
                                   : fmt::format("ends on {}, within {} days", text_of(*end), within.count());
    found.push_back(classified({end_kind, port, {}, text}));
  }
  return found;
}

void say_which_end_sooner(std::vector<StateDifference>& differences) {
  for (auto& one : differences) {
    if (one.kind != certificate_kind) continue;
    const auto before = end_in(one.before);
    const auto after = end_in(one.after);
    if (!before || !after || *after >= *before) continue;
    if (one.finding == FindingClass::notice) one.finding = FindingClass::review;
    one.why = "the server proves itself by a certificate that ends sooner than the one before";
  }
}

}  // namespace patchlab::checks::state
