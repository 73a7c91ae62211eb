// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runners/culprit/search.hpp"
#include "runners/engine/department_trials.hpp"

namespace patchlab::runners {

struct Conviction {
  std::string machine;
  std::vector<std::size_t> culprit;
  std::vector<std::size_t> quarantined;  // when the search could not name anybody
  std::vector<std::string> failed;
  std::vector<std::string> trials;
  std::string explanation;
};

// The search for what breaks one machine: on that machine and what it depends on, among the candidates that touch
// these. Turns the questions of the culprit search into trials, and trials into answers.
class MachineSearch {
 public:
  using Indexes = std::vector<std::size_t>;
  // `set` failed in `failed`.
  MachineSearch(DepartmentTrials& trials, std::string machine, const reports::TrialRecord& failed, const Indexes& set);
  [[nodiscard]] Conviction run();

 private:
  [[nodiscard]] std::vector<SearchCandidate> candidates() const;
  [[nodiscard]] std::optional<std::size_t> suspect() const;
  [[nodiscard]] Outcome probe(const Indexes& members, Freshness freshness);
  [[nodiscard]] Outcome ask(const Indexes& members, Freshness freshness);
  [[nodiscard]] reports::TrialRecord run_trial(const Indexes& members, Freshness freshness);
  [[nodiscard]] std::vector<std::string> failures_here(const reports::TrialRecord& trial) const;
  [[nodiscard]] Indexes chosen(const Indexes& members) const;

  DepartmentTrials& trials_;
  std::vector<std::string> machines_;
  Indexes domain_;  // the candidates that touch these machines; the search knows them by their places in this list
  std::vector<std::string> searched_;  // the failures that started it
  Stability stability_ = Stability::no;
  std::vector<SearchCandidate> candidates_;
  std::map<Indexes, Outcome> answers_;
  // Other candidates of the first trial may have broken something as well: only what the smallest failing set broke,
  // when it was tried last, is said of it.
  std::size_t smallest_ = 0;
  Conviction conviction_;
};

}  // namespace patchlab::runners
