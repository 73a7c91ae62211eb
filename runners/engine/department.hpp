// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/client.hpp"
#include "runners/engine/department_job.hpp"
#include "runners/engine/machine_search.hpp"

namespace patchlab::runners {

// The life of one department in a run: baseline, control, the whole batch, the search for what breaks it, and again the
// exact set that is left, until that passes on the whole department. Knows machines only through CellClient.
class DepartmentRun {
 public:
  DepartmentRun(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, Clock& clock, std::stop_token stop);
  // Never fails: troubles are in the record.
  [[nodiscard]] reports::DepartmentRecord run();

 private:
  using Indexes = std::vector<std::size_t>;

  [[nodiscard]] bool bring_up();
  // Goes by the control of an earlier run, if there is one.
  [[nodiscard]] bool take_kept_control();
  // For later runs.
  void keep_control(const reports::TrialRecord& control);
  [[nodiscard]] bool no_control(const reports::TrialRecord& control);  // notes why; false
  // The control, and once more, openly, when it fails.
  [[nodiscard]] reports::TrialRecord run_control();
  // What an earlier run's control explains may pass, but before anything is held against a patch, this run makes its
  // own control. When that explains all of it, the set is tried once more, and that trial is returned; otherwise what
  // was seen stands. Nothing: there is no control.
  [[nodiscard]] std::optional<reports::TrialRecord> beside_own_control(reports::TrialRecord trial, const Indexes& set);
  // The trial, or the one that was run in its place: once in a night, when nothing in it failed but time, and the
  // control takes as long now as that.
  [[nodiscard]] reports::TrialRecord timed_again(reports::TrialRecord trial, const Indexes& set);
  // What an earlier run convicted is held back without being tried again.
  void hold_known(Indexes& remaining);
  void test(Indexes& remaining);
  // For later runs: machines on which the first of the accepted candidates are installed.
  void keep_installs(const Indexes& accepted);
  // Whether a set that passed is tried once more before it is accepted.
  [[nodiscard]] bool asks_for_another(const reports::TrialRecord& passed);
  [[nodiscard]] bool is_of_exactly(const reports::TrialRecord& trial, const Indexes& set) const;
  void accept(const std::string& final_trial, const Indexes& passed, const std::string& reason);
  [[nodiscard]] std::vector<std::string> machines_to_search(const reports::TrialRecord& failed) const;
  [[nodiscard]] std::vector<SearchFinding> search(const reports::TrialRecord& failed, const Indexes& set);
  void hold(const SearchFinding& finding, Indexes& remaining);
  // Notes that it is not promoted; the rest of its verdict is the caller's.
  reports::VerdictRecord& hold_back(std::size_t index, Outcome outcome, const std::vector<std::string>& failed,
                                    const Indexes& group, Indexes& remaining);
  // Each of the group, for what it broke, and why that is its fault.
  void convict(const Indexes& culprits, const std::vector<std::string>& failed, const std::string& explanation,
               Indexes& remaining);
  void end_without_a_name(const std::vector<SearchFinding>& findings, const Indexes& remaining);
  void drop_dependents(Indexes& remaining);
  // Candidates that a guest of this trial did not take are left out there from now on. True when there are any.
  [[nodiscard]] bool learn_declined(const reports::TrialRecord& trial, Indexes& remaining);
  // What passed is taken away again, for the reader to know whether that can be done; decides nothing.
  void rehearse_removal(const Indexes& passed);
  [[nodiscard]] reports::VerdictRecord& verdict(std::size_t candidate) { return record_.verdicts[candidate]; }
  void conclude();

  const DepartmentJob& job_;
  DepartmentTrials trials_;
  std::vector<PlannedCandidate>& candidates_;     // the job's, less what guests did not take
  std::map<std::size_t, std::string> not_taken_;  // by candidate: "; 'dns' did not take it: not applicable, 0x80240017"
  cell::CellClient& lab_;
  std::stop_token stop_;
  bool timed_again_ = false;
  bool goes_by_kept_control_ = false;
  bool is_on_kept_state_ = false;
  reports::DepartmentRecord record_;
};

}  // namespace patchlab::runners
