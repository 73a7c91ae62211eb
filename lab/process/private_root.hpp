// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::process {

// Beside a NewProgram: a link to where it is to be executed.
inline constexpr const char* place_link = ".at";

// A file with these bytes, which everybody can read and execute. Where there is a file at `instead_of`, it is seen
// there as well: a program finds what lies beside it.
struct NewProgram {
  std::filesystem::path file;
  std::string bytes;
  std::filesystem::path instead_of;
};

// A line of /etc/hosts (hosts(5)): an address and a name without blanks.
struct HostName {
  std::string address;
  std::string name;
};

// The file system as a process is to see it: the programs and libraries of the host, a few harmless files of /etc, and
// what is named here. No home, no /run, no /var, no socket of the host; /tmp, /run and /dev/shm are new and empty.
// Nothing can be written but these and `writable`.
struct PrivateRoot {
  std::vector<std::filesystem::path> readable;  // files, or folders with all below, at their own paths; if they exist
  std::vector<std::filesystem::path> writable;  // folders
  std::vector<std::pair<std::filesystem::path, std::filesystem::path>> writable_at;  // folder, where it is seen
  std::vector<NewProgram> programs;
  std::vector<HostName> names;       // that can be looked up, besides "localhost"
  std::uint64_t most_written = 0;    // bytes that /tmp, and as many that /dev/shm can hold; 0: what the kernel allows
  std::vector<std::string> devices;  // names below /dev; those that the host lacks are left out
  bool devices_of_kernel = false;    // /sys, read-only
  // For who is the host's root by user id: the kernel lets that id write to files of /proc that change the host,
  // whatever its capabilities. They are then read-only. But no new /proc can be mounted by who sees this one.
  bool protect_proc = false;
  // When no new /proc can be mounted: the one that is there, read-only, instead of an error.
  bool old_proc_will_do = false;
};

// Makes that the root of the calling process, which must have one thread, a mount namespace of its own, CAP_SYS_ADMIN
// in the user namespace that owns that, and a /proc that is seen whole. Its working folder is then '/'. After an error
// the process is good for nothing but telling of it. Who keeps CAP_SYS_ADMIN there can make it writable again; not so
// who goes on to user and mount namespaces below (mount_namespaces(7), locked mounts).
[[nodiscard]] Result<void> enter_private_root(const PrivateRoot& wanted);

}  // namespace patchlab::process
