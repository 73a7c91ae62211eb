// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/outcome.hpp"
#include "runners/culprit/costs.hpp"
#include "runners/culprit/fault_model.hpp"

// Which candidates of a failing, ordered set break the role? A function over outcomes: it needs no machine, no clock,
// no file.
//
// First the failure must happen again. Then each question is the one that tells most about what may be wrong
// (fault_model.hpp): prefixes of the set, with or without those who are under suspicion. A lab has flakes, so an answer
// only moves probabilities. Named is a group when, besides, it was seen failing alone twice, the exact rest was seen
// passing, and leaving out any member was seen passing: every sentence of the result was run. What contradicts itself
// is asked again, within a budget, and else the search says that it does not know. docs/adr/0011.
namespace patchlab::runners {

// may_reuse: the first question about a set. again: one more observation of it, by another run than those before.
// fresh: the same, by a run from nothing: this one convicts.
enum class Freshness { may_reuse, again, fresh };

struct Question {
  CandidateSet set;  // closed under prerequisites, never empty
  Freshness freshness = Freshness::may_reuse;
  bool is_rest = false;  // what would be left without those who are under suspicion: it may be promoted
};
// One try of a set. fail: the role broke. pass: it works. Anything else: unresolved.
using Probe = std::function<Outcome(const CandidateSet& set, Freshness freshness)>;

// What was seen of a set before the search began.
struct Sighting {
  CandidateSet set;
  bool failed = false;
};

struct SearchPolicy {
  std::size_t confirmations = 1;       // how often a named group must fail again, from nothing
  std::size_t passes = 2;              // of the whole set, that end the search: not reproduced
  std::size_t rest_passes = 1;         // of what is left without those who are to be named; more in a lab that lies
  std::size_t unresolved_retries = 1;  // of one question
  std::size_t budget = 0;              // of answers; 0: 64 and 12 for each doubling of the candidates
  // The candidate that the failure itself names, such as one that cannot be installed: it is tried alone first.
  std::optional<std::size_t> suspect;
  TrialCosts costs;
  std::vector<Sighting> seen;  // the failure that started the search is added when it is not among them
};

enum class SearchEnd { found, not_reproduced, inconclusive, cancelled };

struct NamedGroup {
  CandidateSet members;     // break the role, together when there are several; without what they only need
  CandidateSet tried;       // the members with what they need: the set that was seen failing
  std::string explanation;  // what was seen of it: "fails alone, and the rest passes without it"
};

// A set that failed and passed.
struct Contradiction {
  CandidateSet set;
  std::size_t fails = 0, passes = 0;
};

struct SearchResult {
  SearchEnd end = SearchEnd::inconclusive;
  std::vector<NamedGroup> groups;  // found: each of them breaks what is left when the others are gone
  CandidateSet culprit;            // found: all their members
  CandidateSet suspicious;         // inconclusive: who is part of it with 1 % or more; quarantine these
  std::vector<Contradiction> contradictions;
  std::size_t probes = 0;
  std::string explanation;
};

// The search as a machine that asks and is answered. Can be copied: a copy may be told what is not known yet.
class CulpritSearch {
 public:
  // `candidates` together were seen failing.
  CulpritSearch(const std::vector<SearchCandidate>& candidates, SearchPolicy policy);
  // What to try next; nothing when the search has ended.
  [[nodiscard]] std::optional<Question> next();
  void answer(const Question& question, Outcome outcome);
  [[nodiscard]] const SearchResult& result() const { return result_; }
  // What comes after `pending` if that ends as it most likely will; nothing when the search ends then. For whoever has
  // time to spare while the answer is on its way.
  [[nodiscard]] std::optional<Question> foreseen(const Question& pending) const;

 private:
  struct Answers {
    std::size_t fails = 0, passes = 0, fresh_fails = 0, unresolved = 0;
    [[nodiscard]] bool is_unasked() const { return fails + passes + unresolved == 0; }
    // Not by a single lucky run: a set that failed once must pass twice as often.
    [[nodiscard]] bool is_settled_pass(std::size_t wanted = 1) const { return passes >= wanted && passes >= 2 * fails; }
  };
  using Step = std::optional<Question>;

  [[nodiscard]] Step reproduce();
  [[nodiscard]] Step decide();
  [[nodiscard]] Step prove(const FaultModel::Fault& fault);
  [[nodiscard]] Step put_back(const FaultModel::Fault& fault, bool& acquitted);
  [[nodiscard]] Step ask_what_tells_most();
  [[nodiscard]] Question ask(const CandidateSet& set) const;
  [[nodiscard]] const Answers& answers_for(const CandidateSet& set) const;
  [[nodiscard]] CandidateSet rest_without(const std::vector<CandidateSet>& groups) const;
  [[nodiscard]] bool is_proven_alone(const CandidateSet& group, const CandidateSet& closed) const;
  // Whether it failed more often than a lab that lies as often as this one would make a working set fail, in all but
  // `doubt` of the cases.
  [[nodiscard]] bool is_settled_fail(const Answers& seen, double doubt) const;
  // Whether some answer was a lie, or the most likely explanation says so.
  [[nodiscard]] bool lab_has_lied() const;
  // How often what is left must pass before somebody is named.
  [[nodiscard]] std::size_t passes_of_the_rest() const;
  void name(const FaultModel::Fault& fault);
  void stop(SearchEnd end, std::string explanation);
  void give_up(const std::string& because);

  std::shared_ptr<const Prerequisites> prerequisites_;
  CandidateSet all_;
  SearchPolicy policy_;
  FaultModel model_;
  ExpectedCosts costs_;
  std::map<CandidateSet, Answers> answers_;
  CandidateSet acquitted_;
  bool ended_ = false;
  SearchResult result_;
};

// Asks until the search ends.
[[nodiscard]] SearchResult find_culprit(const std::vector<SearchCandidate>& candidates, const Probe& probe,
                                        const SearchPolicy& policy);

}  // namespace patchlab::runners
