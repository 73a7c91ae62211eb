// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/exit_code.hpp"
#include "reports/record/record.hpp"
#include "runners/selftest/corpus.hpp"

// What a run of the corpus (each candidate alone, see runners/engine/each_alone.hpp) found of it: functions over its
// record.
namespace patchlab::runners {

enum class Found {
  failed,     // the candidate fails
  review,     // it passes, and a person has to look
  passed,     // nobody saw anything
  not_made,   // its package could not be installed, or goes nowhere: nothing is known of the checks
  lab_error,  // the lab could not tell
  not_run,    // the run ended before
};
[[nodiscard]] const char* to_string(Found found);

struct FaultResult {
  std::string id;
  std::string role;
  std::string what;
  std::string when;
  Expected expected = Expected::fail;
  Found found = Found::not_run;
  // By which means: check kinds, "state:KIND" of what the machine was seen to be, "install".
  std::vector<std::string> failed_by;
  std::vector<std::string> reviewed_by;
  std::string why;  // of those that tell nothing
  std::string trial;
  std::int64_t duration_ms = 0;  // of all tries
  bool operator==(const FaultResult&) const = default;
};

[[nodiscard]] FaultResult result_of(const Fault& fault, const reports::DepartmentRecord& department);

// A fault that must fail failed; one that must be looked at failed or is looked at; a clean one did not fail.
[[nodiscard]] bool is_as_expected(const FaultResult& result);
// It was tried, and something was seen or not.
[[nodiscard]] bool tells_something(const FaultResult& result);
// A fault of which nothing was seen at all.
[[nodiscard]] bool is_missed(const FaultResult& result);

// Trials without a patch, judged as if they had one.
struct ControlFigures {
  std::size_t judged = 0;
  std::size_t failed = 0;
  std::size_t errors = 0;
  std::vector<std::string> facts;  // that failed: "dns/a-record"
};
// `asked`: how many of them were to be judged; the one before is what all are held against.
[[nodiscard]] ControlFigures controls_of(const reports::DepartmentRecord& department, std::size_t asked);

struct SelftestResult {
  std::vector<FaultResult> faults;  // in order of the corpus
  ControlFigures controls;
  std::uint64_t seed = 0;
  std::string run;  // its id
  std::string started;
  std::string error;  // why the lab could not begin; empty: it could
  std::map<std::string, std::string> host;
};
[[nodiscard]] SelftestResult selftest_result(const std::vector<Fault>& faults, const reports::RunRecord& record,
                                             std::uint64_t seed);

// error: of something the lab could not tell; candidate_fails: a fault was missed, or is weaker than it must be, or a
// clean candidate or a control failed; not_tested: of something nothing is known; ok: everything is as expected.
[[nodiscard]] ExitCode exit_code_for(const SelftestResult& result);

}  // namespace patchlab::runners
