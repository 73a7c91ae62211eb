// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::lab::network {

// The cell's folder as it is seen inside: short, because libvirt puts sockets below it and their paths may have 107
// bytes (unix(7)).
inline constexpr const char* cell_folder_inside = "/dev/cell";

struct CellNamespaces {
  // Whether /dev/kvm is visible inside. A useless one costs libvirt four seconds of probing at every start: hide it.
  bool offer_kvm = false;
  // An existing folder, reachable as `cell_folder_inside` too; empty: none.
  std::filesystem::path folder;
  // What else of the host's files is there, at the same paths. All that is not named here or in PrivateRoot is not.
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> writable;
};

// Moves the calling process, which must have one thread, into a cell: its own user, network, mount, process, IPC and
// host name namespaces. On success it returns in a *new* process, the worker; the caller's process stays behind
// outside, only waits, and exits as the worker does (128 + signal when that was killed). Between them stands the cell's
// process 1, which reaps orphans: QEMU makes itself one, and libvirt polls for its disappearance. The three die
// together, and with the cell's process 1 die all its processes: killing any of them, or the parent of the caller,
// leaves nothing behind.
//
// Inside: our user (uid 1000 when we are root: libvirt as uid 0 would try what only the real root may do) with all
// capabilities over the cell, but for what process::Forbidden::beyond_a_cell lists; a network with nothing but `lo`; a
// /proc of its own, a /dev with the harmless devices only, and a root that is read-only and has neither homes nor
// sockets of the host (lab/process/private_root.hpp). When we are root, nobody (65534) can be reached, for those who
// confine themselves. The working folder is '/', HOME is /tmp. An error may come back in either process; the caller
// reports it and exits.
[[nodiscard]] Result<void> enter_cell_namespaces(const CellNamespaces& wanted = {});

// Whether a cell can be made here: tries it in a child process. For `doctor`.
[[nodiscard]] Result<void> can_enter_cell_namespaces();

}  // namespace patchlab::lab::network
