// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/pid_namespace.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "lab/core/pipe.hpp"

namespace patchlab::process {
namespace {
int exit_code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

// The processes that only wait give up what they hold, so that the far end of a pipe sees when the inner one closes it.
void let_go_of_files(const FileDescriptor& nothing) {
  for (int file = 0; file <= 1; ++file) ::dup2(nothing.get(), file);
}

[[noreturn]] void wait_outside(pid_t init, KilledInside how, const FileDescriptor& nothing) {
  let_go_of_files(nothing);
  int status = 0;
  while (::waitpid(init, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = exit_code_of(status);
  if (how == KilledInside::kills_itself_likewise && code > 128) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(code - 128, SIG_DFL);
    ::raise(code - 128);
  }
  ::_exit(code);
}

// Process 1. When it exits, the kernel kills and waits for every process that is left in there.
[[noreturn]] void reap_until_ended(pid_t inner, const FileDescriptor& nothing) {
  let_go_of_files(nothing);
  for (;;) {
    int status = 0;
    const auto ended = ::waitpid(-1, &status, 0);
    if (ended == inner) ::_exit(exit_code_of(status));
    if (ended < 0 && errno != EINTR) ::_exit(1);
  }
}

// True when the process at the other end of the pipe is gone: its death before prctl(PR_SET_PDEATHSIG) went unnoticed,
// and a parent in another process namespace has no process id that could be compared.
bool hung_up(const FileDescriptor& pipe) {
  pollfd watched{pipe.get(), 0, 0};
  return ::poll(&watched, 1, 0) == 1;
}

void die_with_parent(Pipe& line) {
  line.write = FileDescriptor();
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || hung_up(line.read)) ::_exit(1);
}
}  // namespace

Result<void> fork_into_pid_namespace(KilledInside how) {
  // Opened now: pivot_root(2) changes the root of those who wait as well, and while a root is being built, the name
  // means a file there, whose writers would keep that root from becoming read-only.
  const FileDescriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing.valid()) return errno_error("opening /dev/null", errno);
  PATCHLAB_ASSIGN(auto line, make_pipe());
  const pid_t init = ::fork();
  if (init < 0) return errno_error("starting process 1 of a process namespace", errno);
  if (init > 0) {
    line.read = FileDescriptor();
    wait_outside(init, how, nothing);
  }
  die_with_parent(line);
  PATCHLAB_ASSIGN(auto inner_line, make_pipe());
  const pid_t inner = ::fork();
  if (inner < 0) return errno_error("starting a process in a process namespace", errno);
  if (inner > 0) {
    inner_line.read = FileDescriptor();
    reap_until_ended(inner, nothing);
  }
  die_with_parent(inner_line);
  return {};
}

}  // namespace patchlab::process
