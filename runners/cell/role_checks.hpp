// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "checks/slowness.hpp"
#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// yes: nothing is under test. What is seen is how this machine behaves without any patch, and later trials are held
// against it.
enum class Learning { no, yes };

// For whoever asks checks of this machine, with those who ask the others of its cell.
[[nodiscard]] checks::CheckWorkers check_workers(const Guest& guest);

// Once each, with no second chance and nothing learnt: what others than the role's checks say (MachinePlan::beside).
[[nodiscard]] std::vector<checks::CheckResult> ask_beside(Guest& guest);

// The checks of a machine's role, and what is known of each of them in one night: how long it takes, and whether it is
// flaky.
class RoleChecks {
 public:
  explicit RoleChecks(Guest& guest) : guest_(guest) {}
  void begin_trial();
  // Checks remember nothing of the trial so far: the clock was moved, and what they counted on may be over.
  void forget_phases() { memories_.clear(); }

  // The checks as they are asked in one phase.
  class Round {
   public:
    Round(RoleChecks& checks, Learning learning);
    Round(const Round&) = delete;
    Round& operator=(const Round&) = delete;
    [[nodiscard]] std::vector<checks::CheckResult> ask() { return asking_.ask(planned_); }
    // The guest has nothing to do: what is being asked only waits. May be called by another thread meanwhile.
    void let_more_in();
    // These two ask again, where it matters how long a check takes.
    void learn_durations(std::vector<checks::CheckResult>& results);
    void compare_durations(const std::string& phase, std::vector<checks::CheckResult>& results);

   private:
    RoleChecks& checks_;
    Learning learning_;
    std::vector<checks::PlannedCheck> planned_;
    checks::Places places_;
    checks::CheckWorkers workers_;
    checks::Asking asking_;
  };

  // How long they take without any patch.
  [[nodiscard]] checks::UsualDurations& usual_durations() { return usual_durations_; }

  // Asks one of the checks, round about, for nobody to judge by; twice when it fails. Nothing: there are none.
  [[nodiscard]] std::function<checks::CheckResult(std::size_t number)> as_load();

  // Of a phase whose checks and log lines are known: which checks are flaky, and which lines are laid to that. A client
  // that gives up, or is cut off, leaves lines in the server's log. What is logged in a phase in which a steady check
  // failed and then passed is told with the failed try, and decides nothing in this trial: such a set is tried once
  // more, and that time the check's first failure counts, and every line does.
  void account_for_flaky(reports::PhaseRecord& record, Learning learning);
  // What is seen behind a failure, if the trial goes on, decides nothing about other trials. A check that failed is
  // asked once from then on: it would only be waited for again.
  void remember_failure(const reports::PhaseRecord& record);

 private:
  [[nodiscard]] checks::SecondChance second_chance(const std::string& check, Learning learning) const;
  void lay_log_to_flaky(reports::PhaseRecord& record);

  Guest& guest_;
  checks::UsualDurations usual_durations_;
  std::set<std::string> flaky_without_patch_;  // checks, by id: at the baseline and in the control
  std::set<std::string> flaky_with_patch_;     // others
  // Of the trial that is under way:
  checks::Memories memories_;
  std::set<std::string> laid_to_checks_;  // kinds of log lines
  bool failed_ = false;                   // with a patch, in a phase before this one
  std::set<std::string> failed_checks_;   // by id, likewise
};

}  // namespace patchlab::runners::cell
