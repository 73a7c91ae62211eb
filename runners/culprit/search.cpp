// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/search.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

namespace patchlab::runners {
namespace {

using Indexes = std::vector<std::size_t>;

class Search {
 public:
  Search(const std::vector<SearchCandidate>& candidates, const Probe& probe, const SearchPolicy& policy)
      : candidates_(candidates), probe_(probe), policy_(policy) {}

  SearchResult run() {
    Indexes all(candidates_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    result_.suspicious = all;
    if (all.empty()) return stop(SearchEnd::not_reproduced, "there was no candidate to search among");
    if (!fails(all, Freshness::may_reuse)) {
      return stopped_ ? *stopped_ : stop(SearchEnd::not_reproduced, "the whole set passed when it was tried again");
    }
    if (policy_.suspect) {
      if (fails(closure({*policy_.suspect}), Freshness::may_reuse)) return judge({*policy_.suspect});
      if (stopped_) return *stopped_;
    }
    std::set<std::size_t> kept;
    std::size_t limit = all.size();  // the prefix [0, limit) together with kept is known to fail
    while (kept.size() < all.size()) {
      if (!kept.empty()) {
        if (fails(closure(kept), Freshness::may_reuse)) break;
        if (stopped_) return *stopped_;
        // Before the long way to a pair: was the first failure real? Else a flake would cost n log n probes.
        if (kept.size() == 1 && !fails(all, Freshness::again)) {
          return stopped_ ? *stopped_ : stop(SearchEnd::not_reproduced, "the whole set passed when it was tried again");
        }
      }
      const auto length = smallest_failing_prefix(kept, limit);
      if (stopped_) return *stopped_;
      kept.insert(length - 1);
      limit = length - 1;
    }
    return judge(kept);
  }

 private:
  // The set with everything its members need.
  [[nodiscard]] Indexes closure(const std::set<std::size_t>& members) const {
    std::set<std::size_t> closed;
    std::vector<std::size_t> open(members.begin(), members.end());
    while (!open.empty()) {
      const auto index = open.back();
      open.pop_back();
      if (!closed.insert(index).second) continue;
      const auto& needed = candidates_[index].prerequisites;
      open.insert(open.end(), needed.begin(), needed.end());
    }
    return {closed.begin(), closed.end()};
  }

  [[nodiscard]] Indexes prefix_with(std::size_t length, const std::set<std::size_t>& kept) const {
    auto members = kept;
    for (std::size_t i = 0; i < length; ++i) members.insert(i);
    return closure(members);
  }

  // Invariant: prefix `limit` with kept fails; kept alone (prefix 0) does not. Returns the least failing length in [1,
  // limit].
  std::size_t smallest_failing_prefix(const std::set<std::size_t>& kept, std::size_t limit) {
    std::size_t passes = 0;
    std::size_t breaks = limit;
    while (breaks - passes > 1) {
      // The odd one goes into the prefix: the longer one is likelier to fail, and a failing probe ends at its first
      // failure.
      const auto middle = passes + (breaks - passes + 1) / 2;
      const auto set = prefix_with(middle, kept);
      const bool failed = fails(set, Freshness::may_reuse);
      if (stopped_) return breaks;
      (failed ? breaks : passes) = middle;
    }
    return breaks;
  }

  // An unresolved probe is tried again, then ends the search: it is never taken for a pass.
  bool fails(const Indexes& set, Freshness freshness) {
    for (std::size_t attempt = 0; attempt <= policy_.unresolved_retries; ++attempt) {
      ++result_.probes;
      switch (probe_(set, attempt == 0 ? freshness : std::max(freshness, Freshness::again))) {
        case Outcome::fail:
          if (set.size() < result_.suspicious.size()) result_.suspicious = set;
          return true;
        case Outcome::pass: return false;
        case Outcome::not_reached: stopped_ = stop(SearchEnd::cancelled, "the search was cancelled"); return false;
        case Outcome::error:
        case Outcome::skipped: break;
      }
    }
    stopped_ = stop(SearchEnd::inconclusive, "a probe could not be resolved: the lab could not tell");
    return false;
  }

  SearchResult judge(const std::set<std::size_t>& kept) {
    auto culprit = kept;
    // A kept member that another kept member needs anyway is part of every closure: it cannot be left out, so it is not
    // minimality that keeps it.
    for (const auto member : kept) {
      auto rest = culprit;
      rest.erase(member);
      const auto without = closure(rest);
      if (std::ranges::binary_search(without, member)) continue;
      if (rest.empty()) continue;
      if (fails(without, Freshness::may_reuse)) {
        culprit = rest;  // failed without it: not needed after all
      } else if (stopped_) {
        return *stopped_;
      }
    }
    const auto set = closure(culprit);
    for (std::size_t i = 0; i < policy_.confirmations; ++i) {
      if (!fails(set, Freshness::fresh)) {
        if (stopped_) return *stopped_;
        return stop(SearchEnd::inconclusive, "the failure did not happen again when the named set was tried once more");
      }
    }
    // Prerequisites that pass by themselves are not to blame.
    auto blamed = culprit;
    for (const auto member : culprit) {
      for (const auto needed : closure({member})) {
        if (needed != member && culprit.contains(needed) && !fails(closure({needed}), Freshness::may_reuse)) {
          if (stopped_) return *stopped_;
          blamed.erase(needed);
        }
      }
    }
    result_.culprit.assign(blamed.begin(), blamed.end());
    return stop(SearchEnd::found, blamed.size() == 1 ? "fails alone, and the rest was tried without it"
                                                     : "fail only together: each left out makes the role work");
  }

  SearchResult stop(SearchEnd end, std::string explanation) {
    result_.end = end;
    result_.explanation = std::move(explanation);
    if (end != SearchEnd::found) result_.culprit.clear();
    return result_;
  }

  const std::vector<SearchCandidate>& candidates_;
  const Probe& probe_;
  const SearchPolicy& policy_;
  SearchResult result_;
  std::optional<SearchResult> stopped_;
};

}  // namespace

SearchResult find_culprit(const std::vector<SearchCandidate>& candidates, const Probe& probe,
                          const SearchPolicy& policy) {
  return Search(candidates, probe, policy).run();
}

std::optional<Indexes> next_question(const std::vector<SearchCandidate>& candidates,
                                     const std::map<Indexes, Outcome>& answers, std::optional<std::size_t> suspect) {
  std::optional<Indexes> next;
  const auto probe = [&](const Indexes& set, Freshness freshness) {
    if (freshness == Freshness::again) return Outcome::fail;
    if (freshness == Freshness::fresh) return Outcome::not_reached;
    if (const auto known = answers.find(set); known != answers.end()) return known->second;
    next = set;
    return Outcome::not_reached;
  };
  (void)find_culprit(candidates, probe, {.unresolved_retries = 0, .suspect = suspect});
  return next;
}

}  // namespace patchlab::runners
