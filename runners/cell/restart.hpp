// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runners/cell/context.hpp"
#include "runners/cell/expectation.hpp"

namespace patchlab::runners::cell {

// if_due: only when the guest wants it, as guests of some families do.
enum class Reboot { warm, cold, if_due };

// Restarts, proves it by the boot id, and again as long as the guest wants it. An Error of class guest: it was seen not
// to come back.
[[nodiscard]] Result<void> restart(Guest& guest, Reboot kind, Expectation& expected);

}  // namespace patchlab::runners::cell
