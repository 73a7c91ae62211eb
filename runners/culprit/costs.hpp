// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "runners/culprit/fault_model.hpp"

namespace patchlab::runners {

// About what the parts of a trial cost, in seconds. They only choose between questions, and only their ratios matter.
struct TrialCosts {
  double revert = 5;
  double install = 22;  // one candidate, and to save the state after it
  double checks = 10;   // in one phase
  double restart = 45;
  std::size_t kept_states = 6;
};

// Which states a machine keeps, as snapshots::SnapshotTree does it with its prefixes.
class KeptStates {
 public:
  // `limit`: at least one.
  explicit KeptStates(std::size_t limit) : limit_(limit) {}
  // How many of the sequence are in the kept state that holds most of it.
  [[nodiscard]] std::size_t applied(const CandidateSet& sequence) const;
  // The same; then what comes after it is installed, and each state on the way is kept.
  std::size_t install(const CandidateSet& sequence);

 private:
  [[nodiscard]] std::deque<CandidateSet>::const_iterator start_for(const CandidateSet& sequence) const;
  std::size_t limit_;
  std::deque<CandidateSet> states_;  // the most recently used one last
};

// What the next trial would cost after those that were run.
class ExpectedCosts {
 public:
  explicit ExpectedCosts(const TrialCosts& costs) : costs_(costs), kept_(costs.kept_states) {}
  void ran(const CandidateSet& set) { (void)kept_.install(set); }
  // `failing`: how likely it fails, which mostly shows before the restart.
  [[nodiscard]] double seconds(const CandidateSet& set, bool from_nothing, double failing) const;
  // Of a trial for which nothing has to be installed.
  [[nodiscard]] double least(double failing) const;

 private:
  TrialCosts costs_;
  KeptStates kept_;
};

}  // namespace patchlab::runners
