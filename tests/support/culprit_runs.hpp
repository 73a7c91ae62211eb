// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/culprit_lab.hpp"

// Runs of a department of one machine, from a batch that failed to a set that passed, in small.
namespace patchlab::runners::tests {

enum class Ending {
  correct,    // exactly the culprits were named, and what is left works
  partial,    // a culprit was named, not all of them, and what is left works
  wrong,      // an innocent was named
  escaped,    // what was accepted is broken
  abstained,  // nobody was named though somebody should be, or somebody was only held back
};
inline constexpr std::size_t endings = 5;

struct SimulatedRun {
  Ending ending = Ending::abstained;
  CandidateSet named, quarantined;
  bool passed = false;          // the exact rest, or it is empty
  bool needs_a_person = false;  // it failed and was not reproduced: the gate refuses the set, and a person decides
  std::size_t search = 0;       // trials that look for the culprit, the one that asks whether the failure was real too
  std::size_t confirm = 0;      // of somebody alone, from nothing
  std::size_t rest = 0;         // of what would be left, within the search and at the end
  std::size_t back = 0;         // of somebody who was put back into what is left, after that was seen passing
  double seconds = 0;           // modelled; of these:
  double confirm_seconds = 0, rest_seconds = 0, back_seconds = 0;
  std::vector<double> steps_ms;  // what the search itself computed before each question; only when it was asked for
};

enum class MeasureSteps { no, yes };

// As DepartmentRun and MachineSearch do it: culprit_engine_test holds both together.
[[nodiscard]] SimulatedRun simulate(SimulatedLab& lab, MeasureSteps measure = MeasureSteps::no);

// What became of it. `remaining`: what is accepted if it passed.
[[nodiscard]] Ending ending_of(const World& world, const SimulatedRun& run, const CandidateSet& remaining);

}  // namespace patchlab::runners::tests
