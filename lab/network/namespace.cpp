// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "lab/core/pipe.hpp"
#include "lab/network/netlink.hpp"
#include "lab/process/pid_namespace.hpp"
#include "lab/process/private_root.hpp"
#include "lab/process/syscall_filter.hpp"

namespace patchlab::lab::network {
namespace {
constexpr uid_t user_inside_for_root = 1000;
constexpr uid_t nobody = 65534;

int exit_code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

Result<void> write_proc(const char* path, const std::string& text) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return errno_error(fmt::format("opening '{}'", path), errno);
  if (::write(file.get(), text.data(), text.size()) < 0)
    return errno_error(fmt::format("writing '{}' to '{}'", text, path), errno);
  return {};
}

Result<void> leave_namespaces(int kinds) {
  if (::unshare(kinds) == 0) return {};
  auto error = errno_error("making the namespaces of a cell", errno);
  error.hint = "unprivileged user namespaces must be allowed on this host; see 'patchlab doctor'";
  return error;
}

// The caller's own user and group, `inside` as what they are called there.
Result<void> leave_as_ourselves(int kinds) {
  const auto uid = ::geteuid();
  const auto gid = ::getegid();
  PATCHLAB_TRY(leave_namespaces(kinds));
  // user_namespaces(7): without this a process without CAP_SETGID outside may not write gid_map.
  PATCHLAB_TRY(write_proc("/proc/self/setgroups", "deny"));
  PATCHLAB_TRY(write_proc("/proc/self/uid_map", fmt::format("{} {} 1", uid, uid)));
  return write_proc("/proc/self/gid_map", fmt::format("{} {} 1", gid, gid));
}

// As user and group 1000, and with nobody. Only a process that is still outside may map more than one user: it is told
// by the end of a pipe that it is time, and tells by its exit code that it is done.
Result<void> leave_with_nobody(int kinds) {
  PATCHLAB_ASSIGN(auto ready, make_pipe());
  const auto caller = ::getpid();
  const auto map = fmt::format("{} {} 1\n{} {} 1\n", user_inside_for_root, ::geteuid(), nobody, nobody);
  const pid_t mapper = ::fork();
  if (mapper < 0) return errno_error("starting a process", errno);
  if (mapper == 0) {
    ready.write = FileDescriptor();
    char nothing = 0;
    static_cast<void>(!::read(ready.read.get(), &nothing, 1));
    for (const auto* file : {"uid_map", "gid_map"}) {
      if (!write_proc(fmt::format("/proc/{}/{}", caller, file).c_str(), map)) ::_exit(1);
    }
    ::_exit(0);
  }
  ready.read = FileDescriptor();
  auto left = leave_namespaces(kinds);
  ready.write = FileDescriptor();
  int status = 0;
  while (::waitpid(mapper, &status, 0) < 0 && errno == EINTR) {
  }
  PATCHLAB_TRY(std::move(left));
  if (exit_code_of(status) == 0) return {};
  return infrastructure_error("the users 'root' and 'nobody' cannot be mapped into a cell",
                              "a root without CAP_SETUID and CAP_SETGID cannot make cells; another user can");
}

Result<void> make_private_root(const CellNamespaces& wanted, bool is_root) {
  process::PrivateRoot root{
      .readable = wanted.readable,
      .writable = wanted.writable,
      .devices = {"null", "zero", "full", "random", "urandom", "tty", "net/tun"},
      .devices_of_kernel = true,
      .protect_proc = is_root,
  };
  if (wanted.offer_kvm) root.devices.emplace_back("kvm");
  if (!wanted.folder.empty()) {
    root.writable.push_back(wanted.folder);
    root.writable_at.emplace_back(wanted.folder, cell_folder_inside);
  }
  PATCHLAB_TRY(process::enter_private_root(root));
  // Nothing we start needs a terminal; a kernel that refuses this mount is no reason to stop.
  static_cast<void>(::mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666"));
  return {};
}

// The folders that libraries know of a user are not there; libvirt makes some below HOME.
void forget_home() {
  for (const auto* name : {"TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
                           "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK"})
    ::unsetenv(name);
  ::setenv("HOME", "/tmp", 1);
}

// A program that a scenario brings is nobody and has no rights, and who speaks for a client of DHCP does so from port
// 68 (RFC 2131 section 4.1). Behind a fence no port belongs to somebody else. `settings`: /proc/sys as it was before
// the private root, where nobody can write it. Where it cannot be written, such a program says that it cannot.
void let_all_use_low_ports(const FileDescriptor& settings) {
  const FileDescriptor file(::openat(settings.get(), "net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC));
  if (file.valid()) static_cast<void>(!::write(file.get(), "0", 1));
}

Result<void> bring_up_loopback() {
  PATCHLAB_ASSIGN(auto netlink, Netlink::open());
  return netlink.set_up("lo");
}
}  // namespace

Result<void> enter_cell_namespaces(const CellNamespaces& wanted) {
  const auto parent = ::getppid();
  const bool is_root = ::geteuid() == 0 && ::getegid() == 0;
  const auto leave = is_root ? leave_with_nobody : leave_as_ourselves;
  PATCHLAB_TRY(leave(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID));
  // The caller's own death signal, if it had one, may have been cleared by the change of credentials.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno_error("asking to die with the parent process", errno);
  if (::getppid() != parent) return infrastructure_error("the parent process ended while its cell was starting");
  PATCHLAB_TRY(process::fork_into_pid_namespace(process::KilledInside::exits_with_128_and_signal));
  const FileDescriptor settings(::open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  PATCHLAB_TRY(make_private_root(wanted, is_root));
  forget_home();
  // Once more: what its user namespace did not make, the cell cannot undo.
  PATCHLAB_TRY(leave(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
  let_all_use_low_ports(settings);
  PATCHLAB_TRY(bring_up_loopback());
  // Shows the cell's own network devices; a nicety for people who look, and not allowed everywhere.
  static_cast<void>(::mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr));
  return process::forbid(process::Forbidden::beyond_a_cell);
}

Result<void> can_enter_cell_namespaces() {
  PATCHLAB_ASSIGN(auto report, make_pipe());
  const pid_t child = ::fork();
  if (child < 0) return errno_error("starting a process", errno);
  if (child == 0) {
    const auto entered = enter_cell_namespaces();
    if (entered) ::_exit(0);
    const auto& text = entered.error().message;
    static_cast<void>(!::write(report.write.get(), text.data(), text.size()));
    ::_exit(1);
  }
  report.write = FileDescriptor();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (exit_code_of(status) == 0) return {};
  std::array<char, 1024> text{};
  const auto count = ::read(report.read.get(), text.data(), text.size());
  return infrastructure_error(count > 0 ? std::string(text.data(), static_cast<std::size_t>(count))
                                        : fmt::format("the trial cell ended with exit code {}", exit_code_of(status)),
                              "allow unprivileged user namespaces on this host");
}

}  // namespace patchlab::lab::network
