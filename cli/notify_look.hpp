// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "process/notify/config.hpp"

namespace patchlab::cli {

// Looks at everything that is named, now. What cannot be looked at is in its sight, and a fact of its own. Of runs the
// newest are looked at, and all that came since the last look.
[[nodiscard]] std::vector<process::Sight> look_around(const process::LookAt& look,
                                                      const process::Remembered& remembered);

}  // namespace patchlab::cli
