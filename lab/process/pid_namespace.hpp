// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/result.hpp"

namespace patchlab::process {

// How the process that stays outside tells how the one inside was killed by a signal.
enum class KilledInside { exits_with_128_and_signal, kills_itself_likewise };

// To be called by a process with one thread after unshare(CLONE_NEWPID). On success it returns in a *new* process
// inside; the caller's process stays behind outside, only waits, and ends as that does. Between them stands process 1
// of the namespace, which reaps orphans. The three die together, and with process 1 die all processes of the namespace:
// killing any of them, or the parent of the caller when that asked for PR_SET_PDEATHSIG, leaves nothing behind.
[[nodiscard]] Result<void> fork_into_pid_namespace(KilledInside how);

}  // namespace patchlab::process
