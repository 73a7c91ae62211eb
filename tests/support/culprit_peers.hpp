// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/culprit_runs.hpp"

// How others look for a culprit, each small and right in its own model, to be measured beside the culprit search in the
// same labs. None of them expects a lab that lies, but for the last.
namespace patchlab::runners::tests {

// What a peer may ask: whether a set fails. Sets are closed under prerequisites; what the lab cannot tell is tried
// again.
class PeerLab {
 public:
  PeerLab(SimulatedLab& lab, CandidateSet remaining);
  // `members` and what they need, of what remains.
  [[nodiscard]] bool fails(const CandidateSet& members);
  // What remains less these and what needs them.
  [[nodiscard]] bool fails_without(const CandidateSet& left_out);
  [[nodiscard]] const CandidateSet& remaining() const { return remaining_; }
  [[nodiscard]] const Prerequisites& prerequisites() const { return prerequisites_; }
  void hold(const CandidateSet& members);

 private:
  [[nodiscard]] bool run(const CandidateSet& set);
  SimulatedLab& lab_;
  Prerequisites prerequisites_;
  CandidateSet remaining_;
};

struct Peer {
  std::string name;
  // Whom it names among what remains, which is known to fail; nobody: it does not know.
  std::function<CandidateSet(PeerLab& lab, std::size_t culprits)> search;
  // Whether its last passing trial was of exactly what is left, so that no trial of it has to follow.
  bool ends_with_the_rest = false;
};
[[nodiscard]] const std::vector<Peer>& peers();

// Rounds of its search, each followed by a trial of the exact rest, until that passes.
[[nodiscard]] SimulatedRun simulate(const Peer& peer, SimulatedLab& lab, std::size_t culprits);

}  // namespace patchlab::runners::tests
