// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "patches/apt/apt_plan.hpp"
#include "runners/engine/golden.hpp"

// What of the candidates goes onto which machine. Files that are an update there are chosen by patches/set; on Debian
// apt decides whether and with what they can be installed.
namespace patchlab::runners {

// The machines of one department with what they start from.
struct PackagePlace {
  std::string department;
  std::string machine;
  std::string role;
  std::string golden_key;
  const Golden* golden = nullptr;
};

using InDepartment = std::pair<std::string, std::string>;  // department, and a machine or a candidate's id

struct PackagePlan {
  std::vector<patches::Candidate> candidates;             // what a candidate needs stands before it
  std::map<InDepartment, patches::MachinePlan> machines;  // as many candidates as above, in their order
  std::map<InDepartment, std::string> held_back;          // by candidate: why the department does not test it
  std::map<std::string, std::set<std::string>> needs;     // beyond what candidates declare
};

// A solver for a golden machine; a test has its own.
using SolverFactory = std::function<Result<patches::Solver>(const Golden& golden)>;
// `known`: folder for what apt said before.
[[nodiscard]] SolverFactory host_solvers(ProcessRunner& runner, std::filesystem::path known);

// A candidate that apt refuses on one machine is held back in that whole department, with all that need it: what
// cannot be installed on one of its machines is no patch for it. It never stops the others.
[[nodiscard]] Result<PackagePlan> plan_packages(std::vector<patches::Candidate> candidates,
                                                const std::vector<PackagePlace>& places, const SolverFactory& solvers,
                                                const patches::ControlReader& control, std::stop_token stop);

}  // namespace patchlab::runners
