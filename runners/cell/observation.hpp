// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"
#include "runners/cell/expectation.hpp"

namespace patchlab::runners::cell {

// What is asked of a guest in each phase, besides the checks of its role, and held against the baseline: host state,
// installed set, and whether what is installed is in effect. An Error of these: something was not seen, so that the
// phase is no pass.
class Observation {
 public:
  explicit Observation(Guest& guest) : guest_(guest) {}

  // With nothing to compare with yet: everything is remembered. What is no good start for a trial goes into the record.
  [[nodiscard]] Result<void> learn(reports::PhaseRecord& record);
  // Besides those of the baseline.
  void learn_log_kind(const std::string& kind) { learnt_log_kinds_.insert(kind); }
  [[nodiscard]] const std::set<std::string>& learnt_log_kinds() const { return learnt_log_kinds_; }
  void learn_only(std::set<std::string> kinds) { learnt_log_kinds_ = std::move(kinds); }
  [[nodiscard]] const InstalledSet& baseline_installed() const { return baseline_installed_; }

  // The machine is back in a saved state.
  void begin_trial() {
    seen_installed_ = baseline_installed_;
    looked_at_installed_ = false;
  }
  // Of what was installed in this trial, what was there when the installed set was looked at last; nothing, when it was
  // not.
  void tell_what_is_there(std::vector<reports::BroughtRecord>& brought) const;
  enum class Patched { no, yes };  // in this trial
  // Adds to the record what differs from the baseline and is not expected.
  [[nodiscard]] Result<void> compare(reports::PhaseRecord& record, const Expectation& expected, Patched patched);

 private:
  [[nodiscard]] Result<void> compare_state(reports::PhaseRecord& record);
  [[nodiscard]] Result<void> compare_installed(reports::PhaseRecord& record, const Expectation& expected);
  [[nodiscard]] Result<void> compare_effect(reports::PhaseRecord& record, const Expectation& expected);

  Guest& guest_;
  HostState baseline_state_;
  lab::guest::NotInEffect baseline_effect_;
  InstalledSet baseline_installed_;
  InstalledSet seen_installed_;             // when it was looked at last
  bool looked_at_installed_ = false;        // in this trial
  std::set<std::string> usual_log_kinds_;   // at the baseline
  std::set<std::string> learnt_log_kinds_;  // in a control
};

}  // namespace patchlab::runners::cell
