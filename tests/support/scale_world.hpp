// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/engine/department_job.hpp"

// Sites that nobody has, to plan for: the same size gives the same site.
namespace patchlab::runners::tests {

struct ScaleWorld {
  std::size_t departments = 10;
  std::size_t machines = 5;  // of each, a role each
  std::size_t patches = 20;  // each for one role; of Windows the first for all
  GuestFamily family = GuestFamily::debian;
  bool all_differ = false;  // no two departments have the same golden machines, so that none answers for another
};

[[nodiscard]] std::vector<DepartmentJob> departments_of(const ScaleWorld& world);

// A run in which one department with these machines recorded how long its installations take: of Windows half an hour
// less five minutes for the first patch, a monthly rollup, and a minute for each other; the rest is left to be assumed.
[[nodiscard]] reports::RunRecord record_of(const ScaleWorld& world);

}  // namespace patchlab::runners::tests
