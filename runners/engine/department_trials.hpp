// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/client.hpp"
#include "runners/engine/department_job.hpp"
#include "runners/engine/memo.hpp"

namespace patchlab::runners {

// Whether a trial waits for damage that needs a while.
enum class Stability { no, yes };

// The trials of one department: plans them, runs them in its cell, again after lab trouble, and keeps the record of
// each try. Searches on disjoint machines use it at the same time.
class DepartmentTrials {
 public:
  using Indexes = std::vector<std::size_t>;  // of candidates

  DepartmentTrials(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, const Clock& clock,
                   std::stop_token stop);

  // Runs, again as often as lab_retries says while it ends in error, and keeps the record of every attempt. Not reached
  // when the run must stop. When it began where an earlier run had installed a part of the set, and did more than pass
  // with nothing to be said against it, it is lost, and the set is installed anew (docs/adr/0028). What is returned
  // ends on each machine with its first failure, whatever else was seen there: see as_first_failed.
  [[nodiscard]] reports::TrialRecord run(reports::Purpose purpose, const std::vector<std::string>& machines,
                                         const Indexes& set, Stability stability = Stability::yes);
  // A search or confirming trial, or the answer of another department to the same question with the same inputs. Who
  // asks the same question for the second time is given the second execution of it, and so on: no execution answers
  // twice in one department. `likely_next`: what the search will ask after this, if it ends as expected.
  struct Asked {
    reports::Purpose purpose;
    std::vector<std::string> machines;
    Indexes set;
    Stability stability;
    auto operator<=>(const Asked&) const = default;
  };
  [[nodiscard]] reports::TrialRecord ask(const Asked& asked, const std::function<std::optional<Asked>()>& likely_next);
  // Of the question, with everything that decides its answer.
  [[nodiscard]] std::string key_of(const Asked& asked) const;
  // No trial begins any more where an earlier run had installed something. False: it was said before, or nobody heard.
  bool forget_installs();
  void keep(const reports::TrialRecord& record, Stability stability = Stability::yes);
  // Trials that were run before by somebody else, all of this department: their numbers are taken.
  void take_over(std::vector<reports::TrialRecord> earlier);
  // The control of an earlier run, in place of one of this; it gets a number of this run's.
  void take_control(reports::TrialRecord earlier);
  // Trials of this run without a patch, behind the baseline, whatever became of them.
  [[nodiscard]] std::size_t own_controls();
  // `lost` does not count: `as` was run in its place.
  void retried(const std::string& lost, const std::string& as);
  // Those of the same purpose before it do not count: their machines went on from a kept state that was given up.
  void give_way_to(const reports::TrialRecord& trial);

  struct SeenTrial {
    Indexes set;  // of the domain, on those machines
    reports::TrialRecord record;
  };
  // What trials so far saw of parts of the domain on these machines, each trial once, up to each first failure.
  [[nodiscard]] std::vector<SeenTrial> seen_on(const std::vector<std::string>& machines, const Indexes& domain,
                                               Stability stability);
  // Whether a check failed and passed in this trial that was steady in all trials without a patch.
  [[nodiscard]] bool made_a_check_flaky(const reports::TrialRecord& trial);
  // Likewise in a try of the same set that was installed anew (docs/adr/0028): `trial` was the second look at it.
  [[nodiscard]] bool was_flaky_before_installed_anew(const reports::TrialRecord& trial);
  // What made such tries fail, and did not fail any trial of the same set as this run installed it: not reproduced, a
  // fact each. Of silence, which is no failure when it is seen once, the second time may be any trial's.
  [[nodiscard]] std::vector<reports::FlakyRecord> left_open(const std::string& trial);
  [[nodiscard]] std::vector<reports::TrialRecord> take_records();

  // The job's candidates, less what guests did not take. Not while a search is under way.
  [[nodiscard]] std::vector<PlannedCandidate>& candidates() { return candidates_; }
  // Whether no guest of this trial took the candidate.
  [[nodiscard]] bool is_declined(const reports::TrialRecord& trial, std::size_t candidate) const;
  // The machine and what it depends on, directly or through others; sorted.
  [[nodiscard]] std::vector<std::string> with_dependencies(const std::string& machine) const;
  [[nodiscard]] const DepartmentJob& job() const { return job_; }
  // All of the department.
  [[nodiscard]] const std::vector<std::string>& machines() const { return machines_; }
  // Whether the run has taken as long as it may.
  [[nodiscard]] bool is_overdue() const;
  // Cancelled or overdue: nothing more is begun.
  [[nodiscard]] bool must_stop() const;

 private:
  [[nodiscard]] cell::TrialJob inputs(reports::Purpose purpose, const std::vector<std::string>& machines,
                                      const Indexes& set, Stability stability) const;
  [[nodiscard]] Result<cell::TrialJob> plan(const cell::TrialJob& inputs, const Indexes& set);
  [[nodiscard]] bool is_doubtful(const reports::TrialRecord& record);
  [[nodiscard]] reports::TrialRecord run_once(const cell::TrialJob& wanted, const std::string& id, const Indexes& set);
  // The first failure of a machine is what a trial failed with. What a trial of a whole set saw behind it is on record,
  // and blames nobody: it may come of the first, and searches ask for the first.
  [[nodiscard]] reports::TrialRecord as_first_failed(reports::TrialRecord record) const;
  [[nodiscard]] static std::string execution_of(const reports::TrialRecord& record);
  [[nodiscard]] static bool takes_part(const reports::TrialRecord& record, const std::vector<std::string>& machines);
  [[nodiscard]] bool saw_patches(const reports::TrialRecord& record, Stability stability) const;
  [[nodiscard]] Indexes set_on(const reports::TrialRecord& record, const std::vector<std::string>& machines) const;
  // Its name among those with the same key: so many come before it.
  [[nodiscard]] static std::string execution(const std::string& key, std::size_t before) {
    return key + "/" + std::to_string(before);
  }
  [[nodiscard]] reports::TrialRecord answer(const Asked& asked, std::size_t before,
                                            const std::function<void()>& meanwhile);
  [[nodiscard]] std::optional<reports::TrialRecord> earlier_answer(reports::Purpose purpose, const std::string& key,
                                                                   std::size_t before) const;
  [[nodiscard]] std::string next_id();

  const DepartmentJob& job_;
  std::vector<PlannedCandidate> candidates_;
  cell::CellClient& lab_;
  TrialMemo& memo_;
  const Clock& clock_;
  Milliseconds deadline_;
  std::stop_token stop_;
  std::vector<std::string> machines_;
  std::mutex mutex_;
  int last_id_ = 0;
  std::vector<reports::TrialRecord> records_;
  std::map<Asked, std::size_t> asked_;  // how often
  std::set<std::string> waited_;        // trials that looked for damage that needs a while
  bool forgot_installs_ = false;
};

// It passed, and a person need not look at anything.
[[nodiscard]] bool holds_nothing_against(const reports::TrialRecord& trial);

}  // namespace patchlab::runners
