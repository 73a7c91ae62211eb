// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/client.hpp"
#include "runners/culprit/search.hpp"
#include "runners/engine/memo.hpp"

namespace patchlab::runners {

// A candidate as one department sees it.
struct PlannedCandidate {
  std::string id;
  std::string digest;
  std::vector<std::size_t> prerequisites;            // indexes into the department's list, smaller than its own
  std::map<std::string, cell::InstallJob> installs;  // by machine; empty: it applies to nothing here
  std::string skipped_because;                       // when installs is empty
};

// Everything a department's part of the run needs, resolved.
struct DepartmentJob {
  cell::CellJob cell;
  std::vector<PlannedCandidate> candidates;  // in the order they are applied
  // The medium with these candidates' files for one machine.
  std::function<Result<std::filesystem::path>(const std::string& machine, const std::vector<std::size_t>& candidates)>
      medium;
};

// The life of one department in a run: baseline, control, the whole batch, the search for what breaks it, and again the
// exact set that is left, until that passes on the whole department. Knows machines only through CellClient.
class DepartmentRun {
 public:
  DepartmentRun(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, Clock& clock, std::stop_token stop);
  // Never fails: troubles are in the record. `promotion` is left for the gate.
  [[nodiscard]] reports::DepartmentRecord run();

 private:
  using Indexes = std::vector<std::size_t>;
  struct Conviction {
    std::string machine;
    Indexes culprit;
    Indexes quarantined;  // when the search could not name anybody
    std::vector<std::string> failed;
    std::vector<std::string> trials;
    std::string explanation;
  };

  [[nodiscard]] bool bring_up();
  // Whether a trial waits for damage that needs a while.
  enum class Stability { no, yes };
  [[nodiscard]] cell::TrialJob plan_trial(reports::Purpose purpose, const std::vector<std::string>& machines,
                                          const Indexes& set, Stability stability, std::optional<Error>& error);
  // Runs with lab_retries and keeps the record of every attempt.
  [[nodiscard]] reports::TrialRecord run_trial(reports::Purpose purpose, const std::vector<std::string>& machines,
                                               const Indexes& set, Stability stability = Stability::yes);
  [[nodiscard]] reports::TrialRecord search_trial(const std::vector<std::string>& machines, const Indexes& set,
                                                  Stability stability,
                                                  const std::function<std::optional<Indexes>()>& likely_next);
  [[nodiscard]] std::vector<Conviction> convict(const reports::TrialRecord& failed, const Indexes& set);
  [[nodiscard]] Conviction search_machine(const std::string& machine, const reports::TrialRecord& failed,
                                          const Indexes& set);
  [[nodiscard]] std::vector<std::string> with_dependencies(const std::string& machine) const;
  [[nodiscard]] std::string memo_key(const std::vector<std::string>& machines, const Indexes& set,
                                     Stability stability) const;
  void hold(const Conviction& conviction, const reports::TrialRecord& failed, Indexes& remaining);
  void drop_dependents(Indexes& remaining);
  // Whether no guest of this trial took the candidate.
  [[nodiscard]] bool is_declined(const reports::TrialRecord& trial, std::size_t candidate) const;
  // Candidates that a guest of this trial did not take are left out there from now on. True when there are any.
  [[nodiscard]] bool learn_declined(const reports::TrialRecord& trial, Indexes& remaining);
  // What passed is taken away again, for the reader to know whether that can be done; decides nothing.
  void rehearse_removal(const Indexes& passed);
  void keep(const reports::TrialRecord& record);
  [[nodiscard]] std::string next_id();
  [[nodiscard]] reports::VerdictRecord& verdict(std::size_t candidate) { return record_.verdicts[candidate]; }
  void conclude();

  const DepartmentJob& job_;
  std::vector<PlannedCandidate> candidates_;      // the job's, less what guests did not take
  std::map<std::size_t, std::string> not_taken_;  // by candidate: "; 'dns' did not take it: not applicable, 0x80240017"
  cell::CellClient& lab_;
  TrialMemo& memo_;
  Clock& clock_;
  std::stop_token stop_;
  std::mutex mutex_;  // searches on disjoint machines run side by side
  int last_id_ = 0;
  reports::DepartmentRecord record_;
};

}  // namespace patchlab::runners
