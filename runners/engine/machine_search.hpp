// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runners/culprit/search.hpp"
#include "runners/engine/department_trials.hpp"

namespace patchlab::runners {

// A group that breaks what is left when the others are gone, and how it showed.
struct Conviction {
  std::vector<std::size_t> culprits;
  std::vector<std::string> failed;  // what the group alone broke
  std::string explanation;
};

struct SearchFinding {
  SearchEnd end = SearchEnd::inconclusive;
  std::vector<std::string> machines;     // that it was about
  Stability stability = Stability::no;   // of its trials
  std::vector<Conviction> convictions;   // found
  std::vector<std::size_t> quarantined;  // inconclusive: fewer than all; empty: it may be anybody
  std::vector<std::string> failed;       // what the search was about
  std::vector<std::string> trials;
  std::string explanation;
  std::vector<reports::FlakyRecord> flaky;  // what failed and passed with the same set
  // Of a search on the whole department that ended as not reproduced: the trial in which the exact set passed.
  std::string final_trial;
  // Of a search on the whole department that named somebody: the trial in which exactly what is left passed, as one of
  // a whole set, if there was one.
  std::optional<reports::TrialRecord> rest_trial;
  [[nodiscard]] bool names_somebody() const { return !convictions.empty() || !quarantined.empty(); }
};

// The search for what breaks some machines, among the candidates that touch them. Turns the questions of the culprit
// search into trials, and trials into answers. What earlier trials of the department saw of these machines counts.
class MachineSearch {
 public:
  using Indexes = std::vector<std::size_t>;
  // `set` failed in `failed` on one of `machines`, which hold whatever these depend on. `passes_before`: how often it
  // passed elsewhere since then, where not all of its machines took part.
  MachineSearch(DepartmentTrials& trials, std::vector<std::string> machines, const reports::TrialRecord& failed,
                const Indexes& set, std::size_t passes_before = 0);
  [[nodiscard]] bool has_candidates() const { return !domain_.empty(); }
  [[nodiscard]] bool covers_the_department() const;
  [[nodiscard]] SearchFinding run();

 private:
  // What was seen of a set, in trials of this search and before.
  struct Seen {
    std::map<std::string, std::vector<std::string>> failed;  // by fact, the trials
    std::vector<std::string> passed;
    std::vector<std::string> last_failures;
  };

  [[nodiscard]] std::vector<SearchCandidate> candidates() const;
  [[nodiscard]] SearchPolicy policy();
  [[nodiscard]] std::optional<std::size_t> suspect() const;
  [[nodiscard]] Outcome answer(const CulpritSearch& search, const Question& question);
  [[nodiscard]] reports::TrialRecord run_trial(const CulpritSearch& search, const Question& question,
                                               const Indexes& members);
  [[nodiscard]] bool is_promotable_trial(const Question& question) const;
  [[nodiscard]] std::vector<std::string> failures_here(const reports::TrialRecord& trial) const;
  [[nodiscard]] bool is_known(const std::vector<std::string>& failures) const;
  void note(const Indexes& members, const reports::TrialRecord& trial);
  [[nodiscard]] Indexes chosen(const Indexes& members) const;
  [[nodiscard]] std::vector<reports::FlakyRecord> flaky(SearchEnd end) const;
  // Whether what may be promoted now failed with it and that was not reproduced: a person decides.
  [[nodiscard]] bool leaves_open(const Indexes& members, const std::vector<std::string>& failed, SearchEnd end) const;

  DepartmentTrials& trials_;
  std::vector<std::string> machines_;
  Indexes domain_;  // the candidates that touch these machines; the search knows them by their places in this list
  Indexes all_;     // all of these places
  std::vector<std::string> searched_;  // failures that are known to be real: those that started it, and what repeated
  Stability stability_ = Stability::no;
  std::size_t passes_before_ = 0;
  std::vector<SearchCandidate> candidates_;
  std::map<Indexes, Seen> seen_;
  std::set<std::string> finals_;  // trials that were run as final ones
  SearchFinding finding_;
};

}  // namespace patchlab::runners
