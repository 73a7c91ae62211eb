// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "patches/candidate/candidate.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::runners {

// A candidate for a role that no machine of the scenario has would be tested nowhere, or not everywhere it was meant
// for, and nobody would be told. The error names each, and the roles that there are.
[[nodiscard]] Result<void> check_roles(const std::vector<patches::Candidate>& candidates,
                                       const std::set<std::string>& known);

// The department of that name; the only one when none is named. `what` is done in one at a time: "checks are learnt".
// An Error of class usage.
[[nodiscard]] Result<DepartmentPlan> one_department(const Scenario& scenario, const std::string& wanted,
                                                    const std::string& what);

// The names of the machines of these roles (of all when none is named), with what they depend on, and what that depends
// on.
[[nodiscard]] std::set<std::string> machines_for(const DepartmentPlan& department,
                                                 const std::vector<std::string>& roles);

// These machines, with what they depend on, and what that depends on.
[[nodiscard]] std::set<std::string> with_dependencies(const DepartmentPlan& department,
                                                      std::vector<std::string> machines);

}  // namespace patchlab::runners
