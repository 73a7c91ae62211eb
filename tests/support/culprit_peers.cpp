// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/culprit_peers.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace patchlab::runners::tests {
namespace {

using Set = CandidateSet;

Set part(const Set& set, std::size_t begin, std::size_t end) {
  return {set.begin() + static_cast<std::ptrdiff_t>(begin), set.begin() + static_cast<std::ptrdiff_t>(end)};
}

// Each candidate alone. Right when each culprit breaks something by itself.
Set one_by_one(PeerLab& lab, std::size_t) {
  Set named;
  for (const auto candidate : lab.remaining()) {
    const auto needed = lab.prerequisites().with_needed({candidate});
    const bool spoiled = std::ranges::any_of(named, [&](auto bad) { return std::ranges::count(needed, bad) > 0; });
    if (!spoiled && lab.fails({candidate})) named.push_back(candidate);
  }
  return named;
}

// All without each candidate. Right when there is one culprit, or candidates that fail only together.
Set leave_one_out(PeerLab& lab, std::size_t) {
  Set named;
  for (const auto candidate : lab.remaining()) {
    if (!lab.fails_without({candidate})) named.push_back(candidate);
  }
  // Without what others need, these are left out too: the last one of a chain is who it was.
  for (const auto candidate : Set(named)) {
    const auto needs = without(lab.prerequisites().with_needed({candidate}), {candidate});
    named = without(named, needs);
  }
  return named;
}

// What merge queues do: a batch that fails is split, each half is tried on top of what was merged. When the first half
// of what failed passed, the second one must fail and is split at once. Right for any number of culprits that each
// break something by themselves; of a pair it names the later one.
Set halving(PeerLab& lab, std::size_t) {
  struct Batch {
    Set members;
    bool fails = false;  // on top of what was merged, as far as is known
  };
  Set merged, named;
  std::deque<Batch> queue{{lab.remaining(), true}};
  while (!queue.empty()) {
    auto batch = std::move(queue.front());
    queue.pop_front();
    batch.members = without(batch.members, lab.prerequisites().with_dependents(named));
    if (batch.members.empty()) continue;
    if (!batch.fails && !lab.fails(united(merged, batch.members))) {
      merged = united(merged, batch.members);
      continue;
    }
    if (batch.members.size() == 1) {
      named = united(named, batch.members);
      continue;
    }
    const auto middle = batch.members.size() / 2;
    const auto first = part(batch.members, 0, middle);
    const auto second = part(batch.members, middle, batch.members.size());
    const bool first_fails = lab.fails(united(merged, first));
    if (!first_fails) merged = united(merged, first);
    queue.push_front({second, !first_fails});
    if (first_fails) queue.push_front({first, true});
  }
  return named;
}

// Zeller's: removes ever smaller parts while what is left fails. Right when candidates fail only together, one
// included.
Set ddmin(PeerLab& lab, std::size_t) {
  auto failing = lab.remaining();
  for (std::size_t parts = 2; failing.size() >= 2;) {
    const auto border = [&](std::size_t i) { return i * failing.size() / parts; };
    bool reduced = false;
    for (std::size_t i = 0; i < parts && !reduced; ++i) {
      auto chunk = part(failing, border(i), border(i + 1));
      if (!lab.fails(chunk)) continue;
      failing = std::move(chunk);
      parts = 2;
      reduced = true;
    }
    for (std::size_t i = 0; i < parts && parts > 2 && !reduced; ++i) {
      auto less = without(failing, part(failing, border(i), border(i + 1)));
      if (!lab.fails(less)) continue;
      failing = std::move(less);
      --parts;
      reduced = true;
    }
    if (reduced) continue;
    if (parts >= failing.size()) break;
    parts = std::min(2 * parts, failing.size());
  }
  return failing;
}

// As syzkaller's slice minimisation: the largest part is split, and what can be left out is. A half without which
// nothing fails is needed; when neither can be left out, both stay and are split in turn.
Set minimise(PeerLab& lab, std::size_t) {
  std::deque<Set> parts{lab.remaining()};
  const auto all_but = [&](const Set& left_out) {
    Set rest;
    for (const auto& one : parts) rest = united(rest, one);
    return without(rest, left_out);
  };
  for (;;) {
    const auto largest = std::ranges::max_element(parts, {}, [](const auto& set) { return set.size(); });
    if (largest == parts.end() || largest->size() <= 1) break;
    const auto middle = largest->size() / 2;
    auto first = part(*largest, 0, middle), second = part(*largest, middle, largest->size());
    if (lab.fails(all_but(first))) {
      *largest = std::move(second);
    } else if (lab.fails(all_but(second))) {
      *largest = std::move(first);
    } else {
      *largest = std::move(first);
      parts.push_back(std::move(second));
    }
  }
  Set named;
  for (const auto& one : parts) named = united(named, one);
  return named;
}

// Hwang's generalised binary splitting, told how many culprits there are at most. Right when each breaks something by
// itself.
Set binary_splitting(PeerLab& lab, std::size_t culprits) {
  Set named;
  auto open = lab.remaining();
  for (auto left = std::max<std::size_t>(1, culprits); left > 0 && !open.empty();) {
    std::size_t size = 1;
    if (open.size() + 2 > 2 * left) {
      while (2 * size * left <= open.size() - left + 1) size *= 2;
    }
    auto group = part(open, 0, size);
    if (!lab.fails(group)) {
      open = without(open, group);
      continue;
    }
    while (group.size() > 1) {
      const auto middle = group.size() / 2;
      const auto first = part(group, 0, middle);
      if (lab.fails(first)) {
        group = first;
      } else {
        open = without(open, first);
        group = part(group, middle, group.size());
      }
    }
    named = united(named, group);
    open = without(open, lab.prerequisites().with_dependents(group));
    --left;
  }
  return named;
}

// Bisection of prefixes with the probability of each candidate and a fixed rate of false answers, as "git bayesect"
// and the noisy binary search of the literature. Right for one culprit in a lab with that rate.
Set bayesian_bisection(PeerLab& lab, std::size_t) {
  constexpr double noise = 0.05, sure = 0.99;
  constexpr int most_answers = 100;
  const auto& all = lab.remaining();
  std::vector<double> share(all.size(), 1 / static_cast<double>(all.size()));
  for (int answers = 0; answers < most_answers; ++answers) {
    const auto best = std::ranges::max_element(share);
    if (*best >= sure) return {all[static_cast<std::size_t>(best - share.begin())]};
    double sum = 0, nearest = 2;
    std::size_t length = 1;
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      sum += share[i];
      if (std::abs(sum - 0.5) < nearest) nearest = std::abs(sum - 0.5), length = i + 1;
    }
    const bool failed = lab.fails(part(all, 0, length));
    double total = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      share[i] *= (i < length) == failed ? 1 - noise : noise;
      total += share[i];
    }
    for (auto& one : share) one /= total;
  }
  return {};
}

}  // namespace

PeerLab::PeerLab(SimulatedLab& lab, CandidateSet remaining)
    : lab_(lab), prerequisites_(lab.world().candidates), remaining_(std::move(remaining)) {}

bool PeerLab::fails(const CandidateSet& members) { return run(prerequisites_.with_needed(members)); }

bool PeerLab::fails_without(const CandidateSet& left_out) {
  const auto rest = without(remaining_, prerequisites_.with_dependents(left_out));
  return !rest.empty() && run(rest);
}

void PeerLab::hold(const CandidateSet& members) {
  remaining_ = without(remaining_, prerequisites_.with_dependents(members));
}

bool PeerLab::run(const CandidateSet& set) {
  for (;;) {
    const auto trial = lab_.run(set, TrialKind::search);
    if (trial.outcome != Outcome::error) return trial.outcome == Outcome::fail;
  }
}

const std::vector<Peer>& peers() {
  static const std::vector<Peer> all{{"one by one", one_by_one},
                                     {"leave one out", leave_one_out},
                                     {"halving of merge queues", halving, true},
                                     {"ddmin", ddmin},
                                     {"minimising of syzkaller", minimise},
                                     {"binary splitting (Hwang)", binary_splitting},
                                     {"Bayesian bisection", bayesian_bisection}};
  return all;
}

SimulatedRun simulate(const Peer& peer, SimulatedLab& lab, std::size_t culprits) {
  SimulatedRun run;
  CandidateSet all(lab.world().candidates.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  PeerLab peer_lab(lab, std::move(all));
  (void)lab.batch();
  while (!peer_lab.remaining().empty() && !run.passed) {
    const auto named = peer.search(peer_lab, culprits);
    if (named.empty()) break;
    run.named = united(run.named, named);
    peer_lab.hold(named);
    if (peer_lab.remaining().empty() || peer.ends_with_the_rest) {
      run.passed = true;
      break;
    }
    auto trial = lab.run(peer_lab.remaining(), TrialKind::final);
    while (trial.outcome == Outcome::error) trial = lab.run(peer_lab.remaining(), TrialKind::final);
    run.passed = trial.outcome == Outcome::pass;
  }
  run.ending = ending_of(lab.world(), run, peer_lab.remaining());
  run.search = lab.count(TrialKind::search);
  run.rest = lab.count(TrialKind::final);
  run.seconds = lab.seconds();
  return run;
}

}  // namespace patchlab::runners::tests
