// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>

#include "checks/learn/learn.hpp"
#include "checks/learn/learnt_file.hpp"
#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// What is to be learnt in a cell: by machine.
struct LearnJob {
  struct Wanted {
    std::map<std::string, std::string> accounts;  // user to password
    std::set<std::string> taken;                  // ids of checks that it has already
    bool operator==(const Wanted&) const = default;
  };
  std::map<std::string, Wanted> machines;
};
void to_json(Json& json, const LearnJob& job);
[[nodiscard]] LearnJob learn_job_from_json(const Json& json);
using LearntMachines = std::map<std::string, checks::learn::Learnt>;

// Asks a machine that runs what it serves, tries the checks that may be made of that, and keeps what holds: what is
// expected is what a check's observer saw, and all of them must then pass together once more. An Error means that the
// guest could not be asked at all.
[[nodiscard]] Result<checks::learn::Learnt> learn_checks(Guest& guest, const LearnJob::Wanted& wanted);

}  // namespace patchlab::runners::cell
