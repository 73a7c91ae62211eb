// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/outcome.hpp"

// Which candidates of a failing, ordered set break the role? A function over outcomes: it needs no machine, no clock,
// no file.
//
// Method: the smallest failing prefix ends in a candidate that the failure needs; keep it, and look again for the
// smallest prefix that fails together with what is kept, until the kept ones fail by themselves (Junker's QuickXplain
// by prefix bisection). A single culprit among n costs about log2(n) + 1 probes, a pair about twice that. The answer is
// then tested for minimality (each member left out must pass) and confirmed (it must fail again), so a flaky probe ends
// in `inconclusive`, never in a wrong name.
namespace patchlab::runners {

struct SearchCandidate {
  std::string id;
  std::vector<std::size_t> prerequisites;  // indexes into the list, each smaller than the candidate's own
};

// One try of a set, given as ascending indexes closed under prerequisites. fail: the role broke. pass: it works.
// Anything else: unresolved. may_reuse: an earlier answer for the same set will do. again: a run of its own. fresh: a
// run of its own, from nothing: this one convicts.
enum class Freshness { may_reuse, again, fresh };
using Probe = std::function<Outcome(const std::vector<std::size_t>& set, Freshness freshness)>;

struct SearchPolicy {
  std::size_t confirmations = 1;  // how often the named set must fail again
  std::size_t unresolved_retries = 1;
  // The candidate that the failure itself names, such as one that cannot be installed: it is tried alone first.
  std::optional<std::size_t> suspect;
};

enum class SearchEnd { found, not_reproduced, inconclusive, cancelled };

struct SearchResult {
  SearchEnd end = SearchEnd::inconclusive;
  std::vector<std::size_t> culprit;     // found: minimal failing set, without members that are only prerequisites of it
  std::vector<std::size_t> suspicious;  // not found: the smallest set that was seen failing; quarantine these
  std::size_t probes = 0;
  std::string explanation;
};

// Searches one minimal failing subset of all candidates, which together were seen failing.
[[nodiscard]] SearchResult find_culprit(const std::vector<SearchCandidate>& candidates, const Probe& probe,
                                        const SearchPolicy& policy);

// What that search asks next when it knows these answers; nothing when it cannot go on without a run of its own. The
// first failure is taken for real. For whoever has time to spare while an answer is on its way.
[[nodiscard]] std::optional<std::vector<std::size_t>> next_question(
    const std::vector<SearchCandidate>& candidates, const std::map<std::vector<std::size_t>, Outcome>& answers,
    std::optional<std::size_t> suspect = std::nullopt);

}  // namespace patchlab::runners
