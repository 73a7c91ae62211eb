// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "history/forecast/candidate_forecast.hpp"
#include "reports/record/record.hpp"

// What one run adds to the sums of its month. Pure functions of its record. What a trial took over from another one was
// seen once, and of a try that was lost nothing counts.
namespace patchlab::history {

// "2026-11"; "unknown" when the record does not say when it began.
[[nodiscard]] std::string month_of(const reports::RunRecord& record);
// "kvm", "tcg"; empty: the record does not say.
[[nodiscard]] std::string accelerator_of(const reports::RunRecord& record, const std::string& department);

struct CheckKey {
  std::string department;
  std::string machine;
  std::string role;
  std::string id;  // of the check; of a fact between trials also "state:service:postfix"
  auto operator<=>(const CheckKey&) const = default;
};
struct CheckSums {
  std::int64_t asked = 0;           // times it gave an answer, pass or fail
  std::int64_t asked_again = 0;     // of those: it took more than one try
  std::int64_t disagreed = 0;       // of those: it failed and passed, with nothing changed in between
  std::int64_t between_trials = 0;  // it failed in one trial and not in another one of the same set
  std::int64_t bare = 0;            // of those asked: without any patch
  std::int64_t bare_failed = 0;     // of those: it failed
  std::int64_t errors = 0;          // no answer: trouble of the lab
  bool operator==(const CheckSums&) const = default;
};
[[nodiscard]] std::map<CheckKey, CheckSums> check_sums_of(const reports::RunRecord& record);

// What was measured, by what it depends on.
struct DurationKey {
  std::string accelerator;
  std::string role;
  std::string kind;  // of the candidates: deb, msu, ...; "mixed": of several; "none": nothing was installed
  std::string step;  // install: of one candidate; restart; checks: all of one machine once
  std::int64_t ms = 0;
  auto operator<=>(const DurationKey&) const = default;
};
// How often it took so long. Only what was done and did not end in an error.
[[nodiscard]] std::map<DurationKey, std::int64_t> durations_of(const reports::RunRecord& record);
// To what is kept of it, at most 1.3 % away: of the first three digits the last one is even, 0 or 5, or 0. Thousands of
// runs then have few different ones.
[[nodiscard]] std::int64_t kept_ms(std::int64_t ms);

// What it saw of each candidate in each department, a row for each role that has a machine of it; in the order of those
// names. None of a run that does not say when it began and ended: nobody knows before and after what it was.
[[nodiscard]] std::vector<Tried> tried_in(const reports::RunRecord& record);

// The candidates of a set of this run, by the digest of its SHA256SUMS; nothing: no trial had that set.
[[nodiscard]] const std::vector<std::string>* set_in(const reports::RunRecord& record, const std::string& department,
                                                     const std::string& digest);

}  // namespace patchlab::history
