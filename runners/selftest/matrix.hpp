// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runners/selftest/findings.hpp"

// The result of a selftest as text, JSON and a page: functions over values.
namespace patchlab::runners {

// A row of the detection matrix.
struct DetectionRow {
  std::string name;  // a role, or when the damage shows
  std::size_t faults = 0;
  std::size_t failed = 0;
  std::size_t reviewed = 0;
  std::size_t missed = 0;
  std::size_t untold = 0;                     // not made, not run, lab trouble
  std::map<std::string, std::size_t> by;      // means -> how many it saw
  std::map<std::string, std::size_t> beside;  // set of others -> how many it gave alarm of
  std::int64_t duration_ms = 0;
  bool operator==(const DetectionRow&) const = default;
};
// Of faults only; clean candidates have no row.
[[nodiscard]] std::vector<DetectionRow> rows_by_role(const std::vector<FaultResult>& faults);
[[nodiscard]] std::vector<DetectionRow> rows_by_time(const std::vector<FaultResult>& faults);

struct SelftestSummary {
  std::size_t faults = 0;
  std::size_t told = 0;  // of them: something was seen or not
  std::size_t as_expected = 0;
  std::size_t must_fail = 0;  // of those told
  std::size_t did_fail = 0;   // of must_fail
  std::size_t missed = 0;
  std::size_t clean = 0;
  std::size_t clean_told = 0;
  std::size_t false_fails = 0;    // clean ones that failed
  std::size_t false_reviews = 0;  // clean ones that somebody would have to look at
  std::int64_t duration_ms = 0;
};
[[nodiscard]] SelftestSummary summary_of(const std::vector<FaultResult>& faults);

// What a set of others saw of the faults, held against what the checks saw of the same ones.
struct SetSummary {
  std::string set;
  std::size_t told = 0;          // faults of which the checks and the set tell something, or the set has nothing to ask
  std::size_t alarms = 0;        // of them, by the set
  std::size_t not_asked = 0;     // of them: it has nothing that could be asked
  std::size_t failed = 0;        // of them, by the checks
  std::size_t seen = 0;          // of them, by the checks: failed, or sent to review
  std::size_t untold = 0;        // not counted: the set could not tell
  std::size_t clean = 0;         // good candidates of which it tells something
  std::size_t clean_alarms = 0;  // of them
  std::size_t controls = 0;      // trials without a patch
  std::size_t control_alarms = 0;
  bool operator==(const SetSummary&) const = default;
};
[[nodiscard]] std::vector<SetSummary> sets_of(const SelftestResult& result);

// patchlab/selftest/v1, without the schema's name.
[[nodiscard]] Json selftest_json(const SelftestResult& result);
[[nodiscard]] std::string selftest_text(const SelftestResult& result);
// One page with the heat map, fetches nothing.
[[nodiscard]] std::string selftest_html(const SelftestResult& result);

}  // namespace patchlab::runners
