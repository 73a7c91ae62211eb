// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "lab/core/files.hpp"
#include "lab/process/process.hpp"

// Inside lab/process only: starting a host program and ending it, shared by the runner and by ChildProcess.
namespace patchlab::process {

// A program that runs, leader of its own process group. Our ends of the three pipes never block and are not inherited.
struct Launched {
  pid_t pid = -1;
  FileDescriptor pidfd;  // readable once the program has ended, before anybody reaped it
  FileDescriptor input;
  FileDescriptor output;
  FileDescriptor errors;
};

// The program gets nothing but its three pipes, default signal handling, and SIGKILL when the calling thread ends: call
// it from a thread that outlives the program.
[[nodiscard]] Result<Launched> launch(const ProcessSpec& spec);

// To the whole group. Safe until `reap`: an unreaped leader keeps its process id, and so the group's.
void signal_group(const Launched& child, int signal);
// Waits for the leader, which must have ended or been killed, and ends what it left in its group.
[[nodiscard]] std::variant<Exited, Signalled> reap(const Launched& child);

// While it lives, writing to a pipe that nobody reads is EPIPE in this thread instead of a signal that ends the
// process.
class SigpipeGuard {
 public:
  SigpipeGuard();
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  bool was_blocked_ = false;
  bool was_pending_ = false;
};

}  // namespace patchlab::process
