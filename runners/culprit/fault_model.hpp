// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace patchlab::runners {

struct SearchCandidate {
  std::string id;
  std::vector<std::size_t> prerequisites;  // indexes into the list, each smaller than the candidate's own
};

// Indexes of candidates, ascending.
using CandidateSet = std::vector<std::size_t>;
[[nodiscard]] CandidateSet united(const CandidateSet& a, const CandidateSet& b);
[[nodiscard]] CandidateSet without(const CandidateSet& set, const CandidateSet& left_out);
[[nodiscard]] bool contains_all(const CandidateSet& set, const CandidateSet& members);

// Who needs whom, directly or through others. Only sets that hold what their members need can be installed.
class Prerequisites {
 public:
  explicit Prerequisites(const std::vector<SearchCandidate>& candidates);
  [[nodiscard]] std::size_t count() const { return needs_.size(); }
  [[nodiscard]] CandidateSet all() const;
  [[nodiscard]] CandidateSet with_needed(const CandidateSet& members) const;
  [[nodiscard]] CandidateSet with_dependents(const CandidateSet& members) const;
  // Whether none of them needs anybody.
  [[nodiscard]] bool need_nobody(const CandidateSet& members) const;

 private:
  std::vector<CandidateSet> needs_;       // by candidate, itself included
  std::vector<CandidateSet> dependents_;  // likewise
};

// The possible faults of a set of candidates, and how likely each is after what was seen. A fault is a list of groups:
// a set breaks when it holds all members of one of them. No group: there is no fault, a failure was noise. {{a}}: a
// breaks it. {{a, b}}: a and b together do. {{a}, {b}}: each of them does.
//
// The noise of the lab is not known. So the likelihood of a fault is averaged over a grid of rates, one for failures
// that mean nothing and one for passes that mean nothing: a lab that contradicts itself is believed less.
//
// There are too many faults to list. The model begins with none and the single ones, and adds what lies one step away
// from a fault once that has become likely: one more group, or one more member of a group.
class FaultModel {
 public:
  struct Fault {
    std::vector<CandidateSet> groups;  // as they are named: a member that another one needs anyway is left out
    std::vector<CandidateSet> closed;  // the same with everything they need
    double log_prior = 0;
    double probability = 0;
    // What was seen and would not have been without noise, and what would.
    std::size_t false_fails = 0, true_passes = 0, false_passes = 0, true_fails = 0;
    bool grown = false;
    [[nodiscard]] bool breaks(const std::vector<char>& present) const;
    [[nodiscard]] CandidateSet members() const;
  };

  explicit FaultModel(const Prerequisites& prerequisites);
  void observe(const CandidateSet& set, bool failed);
  // The one that the failure itself points at.
  void suspect(std::size_t candidate);
  // This group breaks nothing as long as the rest of `harmless` is there. What was seen of it with less than that says
  // nothing about the others, and is forgotten.
  void acquit(const CandidateSet& group, const CandidateSet& harmless);

  [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }
  [[nodiscard]] const Fault& likeliest() const { return faults_[likeliest_]; }
  // The most likely ones, at most `count`, most likely first.
  [[nodiscard]] std::vector<const Fault*> likeliest(std::size_t count) const;
  // How likely this set fails.
  [[nodiscard]] double failing(const CandidateSet& set) const;
  // Rates of failures, and of passes, that mean nothing; estimated.
  [[nodiscard]] double false_fail_rate() const { return false_fail_rate_; }
  [[nodiscard]] double false_pass_rate() const { return false_pass_rate_; }
  [[nodiscard]] std::vector<char> flags(const CandidateSet& set) const;

 private:
  struct Observation {
    std::vector<char> present;
    bool failed = false;
  };
  struct Rates;

  void add(std::vector<CandidateSet> groups, double log_prior);
  [[nodiscard]] bool normalise(std::vector<CandidateSet>& groups, std::vector<CandidateSet>& closed) const;
  static void count(Fault& fault, const Observation& observation);
  void update();
  [[nodiscard]] bool grow();
  void weigh();
  // By numbers of wrong and right observations; filled as they are asked for.
  using Table = std::vector<std::vector<double>>;
  [[nodiscard]] static double log_likelihood(Table& table, const Rates& rates, std::size_t wrong, std::size_t right);

  const Prerequisites* prerequisites_;  // outlives the model; a pointer, so that a model can be copied
  std::vector<Fault> faults_;
  std::set<std::vector<CandidateSet>> known_;
  std::vector<Observation> observations_;
  CandidateSet acquitted_;
  Table of_false_fails_, of_false_passes_;
  std::size_t likeliest_ = 0;
  double false_fail_rate_ = 0;
  double false_pass_rate_ = 0;
};

}  // namespace patchlab::runners
