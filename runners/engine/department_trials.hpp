// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <optional>
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

  DepartmentTrials(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, std::stop_token stop);

  // Runs with lab_retries and keeps the record of every attempt.
  [[nodiscard]] reports::TrialRecord run(reports::Purpose purpose, const std::vector<std::string>& machines,
                                         const Indexes& set, Stability stability = Stability::yes);
  // A search trial, or the answer of another department with the same inputs. `likely_next`: what the search will ask
  // after this, if it ends as expected.
  [[nodiscard]] reports::TrialRecord search(const std::vector<std::string>& machines, const Indexes& set,
                                            Stability stability,
                                            const std::function<std::optional<Indexes>()>& likely_next);
  void keep(const reports::TrialRecord& record);
  [[nodiscard]] std::vector<reports::TrialRecord> take_records();

  // The job's candidates, less what guests did not take. Not while a search is under way.
  [[nodiscard]] std::vector<PlannedCandidate>& candidates() { return candidates_; }
  // Whether no guest of this trial took the candidate.
  [[nodiscard]] bool is_declined(const reports::TrialRecord& trial, std::size_t candidate) const;
  // The machine and what it depends on, directly or through others; sorted.
  [[nodiscard]] std::vector<std::string> with_dependencies(const std::string& machine) const;
  [[nodiscard]] const DepartmentJob& job() const { return job_; }
  [[nodiscard]] bool stop_requested() const { return stop_.stop_requested(); }

 private:
  [[nodiscard]] cell::TrialJob plan(reports::Purpose purpose, const std::vector<std::string>& machines,
                                    const Indexes& set, Stability stability, std::optional<Error>& error);
  [[nodiscard]] std::string memo_key(const std::vector<std::string>& machines, const Indexes& set,
                                     Stability stability) const;
  [[nodiscard]] std::string next_id();

  const DepartmentJob& job_;
  std::vector<PlannedCandidate> candidates_;
  cell::CellClient& lab_;
  TrialMemo& memo_;
  std::stop_token stop_;
  std::mutex mutex_;
  int last_id_ = 0;
  std::vector<reports::TrialRecord> records_;
};

}  // namespace patchlab::runners
