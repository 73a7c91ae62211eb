// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/pid_namespace.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <utility>

#include "lab/core/files.hpp"

namespace patchlab::process {
namespace {

constexpr int cannot = 77;

// A mount namespace of our own, and for who is not root a user namespace.
bool has_own_mounts() {
  const auto user = ::getuid();
  const auto group = ::getgid();
  if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  if (user != 0) {
    std::ofstream("/proc/self/setgroups") << "deny" << std::endl;
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1" << std::endl;
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1" << std::endl;
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

int opens_since(const FileDescriptor& watch) {
  alignas(inotify_event) std::array<char, 4096> events{};
  int opens = 0;
  const auto size = ::read(watch.get(), events.data(), events.size());
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
    if ((event->mask & IN_OPEN) != 0) ++opens;
    at += static_cast<ssize_t>(sizeof *event + event->len);
  }
  return opens;
}

// Follows a process and those that it forks until it ends. `at_first_fork` is called while it stands still there.
int follow(pid_t process, const std::function<void()>& at_first_fork) {
  bool forked = false;
  for (;;) {
    int status = 0;
    const pid_t one = ::waitpid(-1, &status, __WALL);
    if (one < 0) return 95;
    if (one == process && !WIFSTOPPED(status)) return WIFEXITED(status) ? WEXITSTATUS(status) : 94;
    if (!WIFSTOPPED(status)) continue;
    const int event = status >> 16;
    if (event == PTRACE_EVENT_FORK && !std::exchange(forked, true)) at_first_fork();
    ::ptrace(PTRACE_CONT, one, nullptr, event == 0 ? WSTOPSIG(status) : 0);
  }
}

// Whether /dev/null is opened by its name once somebody waits: 0, 1, or what went wrong.
int opens_of_null(const std::string& file) {
  if (!has_own_mounts() || ::mount(file.c_str(), "/dev/null", nullptr, MS_BIND, nullptr) != 0) return cannot;
  const FileDescriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (::inotify_add_watch(watch.get(), file.c_str(), IN_OPEN) < 0) return 90;
  std::array<int, 2> begin{};
  if (::pipe2(begin.data(), O_CLOEXEC) != 0) return 91;
  const pid_t process = ::fork();
  if (process == 0) {
    ::close(begin[1]);
    char byte = 0;
    if (::read(begin[0], &byte, 1) != 1) ::_exit(93);
    if (::unshare(CLONE_NEWPID) != 0) ::_exit(cannot);
    ::_exit(fork_into_pid_namespace(KilledInside::exits_with_128_and_signal) ? 0 : 92);
  }
  if (::ptrace(PTRACE_SEIZE, process, nullptr, PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL) != 0) return cannot;
  if (::write(begin[1], "x", 1) != 1) return 91;
  int before = 0;
  const int code = follow(process, [&] { before = opens_since(watch); });
  if (code != 0) return code;
  if (before == 0) return 96;  // nobody looks at the file that is opened
  return opens_since(watch) == 0 ? 0 : 1;
}

// Whoever waits outside opens nothing by name: while a root is being built inside, the name means something else there.
TEST(PidNamespace, ThoseWhoWaitOutsideOpenNothingByName) {
  std::string file = ::testing::TempDir() + "patchlab-null-XXXXXX";
  const FileDescriptor made(::mkstemp(file.data()));
  ASSERT_TRUE(made.valid());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(opens_of_null(file));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::unlink(file.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == cannot) GTEST_SKIP() << "no namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace patchlab::process
