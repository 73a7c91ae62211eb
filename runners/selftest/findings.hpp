// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/exit_code.hpp"
#include "reports/record/record.hpp"
#include "runners/selftest/beside.hpp"
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

// What a set of others (runners/selftest/beside.hpp) said of a candidate.
enum class Said {
  alarm,      // one of them at least, after the installation or at the end
  quiet,      // all were asked at both moments, and all was well
  untold,     // not all of them could be asked
  not_asked,  // it has none for this machine that is well without a patch
};
[[nodiscard]] const char* to_string(Said said);

struct SetResult {
  std::string set;
  Said said = Said::not_asked;
  std::vector<std::string> by;  // names of those that gave alarm
  bool operator==(const SetResult&) const = default;
};

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
  std::int64_t duration_ms = 0;   // of all tries
  std::vector<SetResult> beside;  // a result for each set, when others were asked and the candidate was tried
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

// One of those that were asked beside the checks.
struct BesideCheck {
  std::string machine;
  std::string set;
  std::string name;
  std::string program;  // its file
  std::string sha256;   // of its bytes
  // Whether all was well by it before anything was patched. What gives alarm then says nothing about a patch.
  bool is_usable = false;
  std::string said;  // of one that is not
  bool operator==(const BesideCheck&) const = default;
};

// Trials without a patch, by what a set said of them.
struct SetControls {
  std::string set;
  std::size_t told = 0;
  std::size_t alarms = 0;
  bool operator==(const SetControls&) const = default;
};

struct BesideFigures {
  std::vector<BesideCheck> checks;
  std::vector<SetControls> controls;
};
[[nodiscard]] BesideFigures beside_of(const Beside& beside, const reports::DepartmentRecord& department);
// What each set said of this trial of a candidate.
[[nodiscard]] std::vector<SetResult> said_of(const reports::TrialRecord& trial, const BesideFigures& figures,
                                             const reports::DepartmentRecord& department);

struct SelftestResult {
  std::vector<FaultResult> faults;  // in order of the corpus
  ControlFigures controls;
  BesideFigures beside;  // empty: nobody else was asked
  std::uint64_t seed = 0;
  std::string run;  // its id
  std::string started;
  std::string error;  // why the lab could not begin, or what leaked; empty: neither
  std::map<std::string, std::string> host;
};
[[nodiscard]] SelftestResult selftest_result(const std::vector<Fault>& faults, const reports::RunRecord& record,
                                             std::uint64_t seed, const Beside& beside = {});

// error: of something the lab could not tell; candidate_fails: a fault was missed, or is weaker than it must be, or a
// clean candidate or a control failed; not_tested: of something nothing is known; ok: everything is as expected.
[[nodiscard]] ExitCode exit_code_for(const SelftestResult& result);

}  // namespace patchlab::runners
