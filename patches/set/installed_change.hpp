// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "patches/set/machine_plan.hpp"

namespace patchlab::patches {

// What installing these files changes in the set of installed packages, in the names by which the guest lists them:
// name -> version, empty: removed. Debian: the file's package. Windows: the servicing packages of an .msu or .cab
// (identity -> "installed"), the product of an .msi; an .msp or .exe does not say.
[[nodiscard]] InstalledSet expected_changes(const InstalledSet& installed, const std::vector<CandidateFile>& files);

// Whether `expected_changes` is all that they change.
[[nodiscard]] bool say_what_they_change(const std::vector<CandidateFile>& files);

}  // namespace patchlab::patches
