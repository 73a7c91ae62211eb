// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "patches/apt/solver.hpp"
#include "patches/set/machine_plan.hpp"
#include "patches/store/content_store.hpp"

namespace patchlab::patches {

// What apt says to the plan of one machine.
struct AptPlan {
  MachinePlan plan;  // with the new packages that apt needs for the updates, and without what it refuses
  std::map<std::string, std::set<std::string>> needs;  // candidate -> others that it cannot be installed without
  std::map<std::string, std::string> refused;          // candidate -> why apt would not install it here
};

// The control file of a candidate's file.
using ControlReader = std::function<Result<Stanza>(const CandidateFile&)>;
[[nodiscard]] ControlReader control_from(const ContentStore& store);

// Asks apt about each candidate of the plan that goes onto the machine: by itself, with what is on offer from its
// prerequisites and from candidates of the same source package and version, else with what all candidates offer; and
// then about all of them together. A candidate for which apt would remove something, or which cannot be installed at
// all, is refused.
[[nodiscard]] Result<AptPlan> ask_apt(Solver& solver, const std::vector<Candidate>& ordered, MachinePlan plan,
                                      const std::string& role, const ControlReader& control, std::stop_token stop = {});

}  // namespace patchlab::patches
