// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/result.hpp"
#include "lab/process/private_root.hpp"

namespace patchlab::process {

// What a program needs to confine itself, on top of what it is to keep; see ProcessSpec::capabilities_if_held.
[[nodiscard]] std::vector<int> capabilities_to_confine();

// The only folder that a confined process can write; new, empty, gone with it.
inline constexpr const char* confined_home = "/tmp/home";

// A program that nobody finds here: to be executed by the confined process, and what it needs besides is the host's.
struct BroughtProgram {
  std::string name;  // of the file: no '/'
  std::string bytes;
  // Where it was found on a host, if that was among the programs that a confined process sees: where there is a file
  // now, the program stands in its place, and finds what it needs beside it.
  std::filesystem::path found_at;
};
// Where the program is then, as a file that nobody can write. An error in a process that has none.
[[nodiscard]] Result<std::filesystem::path> brought_program();

// Takes from the calling process, which must have one thread, all that a conversation over the network does not need.
// On success it returns in a *new* process, as fork_into_pid_namespace() does, which
// - has a root with the programs of the host and nothing else (private_root.hpp), and confined_home as working folder
//   and HOME,
// - cannot look into other processes, and sees none but its own kind unless it is nobody,
// - is nobody, where that user can be reached, else the user it was,
// - has no capability but those of `kept` that it had, and can get none,
// - cannot ask the kernel for what Forbidden::beyond_a_conversation lists; when it has a program to execute, for what
//   Forbidden::beyond_a_program does, and all files that it can write are in memory and small.
// The network stays that of the caller. Where the caller cannot make namespaces by itself, a user namespace is made as
// well, and what is kept is of no use for a network of another user namespace. An error may come back in either
// process.
// `names` are what it can look up besides "localhost".
[[nodiscard]] Result<void> confine(const std::vector<int>& kept, const BroughtProgram* program = nullptr,
                                   const std::vector<HostName>& names = {});

}  // namespace patchlab::process
