// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "checks/state/compare.hpp"

namespace patchlab::runners::cell {

// What a machine should be after everything that was done to it. A kept state carries it to other trials, and to other
// runs.
struct Expectation {
  InstalledSet installed;                                         // baseline plus what was asked for
  std::string boot_id;                                            // of the start that it runs on
  checks::state::Restart restart = checks::state::Restart::done;  // since the last package was installed
  bool operator==(const Expectation&) const = default;
};

}  // namespace patchlab::runners::cell
