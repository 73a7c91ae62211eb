// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/result.hpp"

namespace patchlab::process {

// What a process and all its children may no longer ask of the kernel, whatever their privileges (seccomp(2)).
enum class Forbidden {
  // A cell, which makes namespaces, mounts and devices of its own: keys of the user, kernel modules, other kernels,
  // BPF, performance counters; sockets to the hypervisor below this host, to the kernel's ciphers and other families
  // that no network namespace fences.
  beyond_a_cell,
  // What only talks to the network, and has started all programs that it needs: also namespaces, mounts, other
  // processes' memory, other programs, files by handle, input for terminals, rings of requests (io_uring).
  beyond_a_conversation,
  // The same for what still executes programs.
  beyond_a_program,
};

// Refused are these with EPERM, as if the privilege was missing. Other programs executed from now on get no privilege
// (PR_SET_NO_NEW_PRIVS).
[[nodiscard]] Result<void> forbid(Forbidden what);

}  // namespace patchlab::process
