// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "lab/core/pipe.hpp"
#include "lab/network/netlink.hpp"

namespace patchlab::lab::network {
namespace {
constexpr uid_t user_inside_for_root = 1000;

Result<void> write_proc(const char* path, const std::string& text) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return errno_error(fmt::format("opening '{}'", path), errno);
  if (::write(file.get(), text.data(), text.size()) < 0)
    return errno_error(fmt::format("writing '{}' to '{}'", text, path), errno);
  return {};
}

Result<void> unshare_all() {
  const auto uid = ::geteuid();
  const auto gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
    auto error = errno_error("making the namespaces of a cell", errno);
    error.hint = "unprivileged user namespaces must be allowed on this host; see 'patchlab doctor'";
    return error;
  }
  // user_namespaces(7): without this a process without CAP_SETGID outside may not write gid_map.
  PATCHLAB_TRY(write_proc("/proc/self/setgroups", "deny"));
  PATCHLAB_TRY(write_proc("/proc/self/uid_map", fmt::format("{} {} 1", uid == 0 ? user_inside_for_root : uid, uid)));
  return write_proc("/proc/self/gid_map", fmt::format("{} {} 1", gid == 0 ? user_inside_for_root : gid, gid));
}

int exit_code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

// The processes that only wait give up what they hold, so that the far end of a pipe sees when the worker closes it.
void let_go_of_files() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int file = 0; file <= 1; ++file) ::dup2(nothing, file);
  if (nothing > 2) ::close(nothing);
}

[[noreturn]] void wait_outside(pid_t init) {
  let_go_of_files();
  int status = 0;
  while (::waitpid(init, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(exit_code_of(status));
}

// Process 1 of the cell. When it exits, the kernel kills and waits for every process that is left in there.
[[noreturn]] void reap_until_ended(pid_t worker) {
  let_go_of_files();
  for (;;) {
    int status = 0;
    const auto ended = ::waitpid(-1, &status, 0);
    if (ended == worker) ::_exit(exit_code_of(status));
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

// Returns in the worker only, unless a fork fails.
Result<void> fork_worker() {
  PATCHLAB_ASSIGN(auto line, make_pipe());
  const pid_t init = ::fork();
  if (init < 0) return errno_error("starting the cell's process 1", errno);
  if (init > 0) {
    line.read = FileDescriptor();
    wait_outside(init);
  }
  die_with_parent(line);
  PATCHLAB_ASSIGN(auto inner_line, make_pipe());
  const pid_t worker = ::fork();
  if (worker < 0) return errno_error("starting the cell's worker", errno);
  if (worker > 0) {
    inner_line.read = FileDescriptor();
    reap_until_ended(worker);
  }
  die_with_parent(inner_line);
  return {};
}

Result<void> mount_at(const char* source, const std::string& target, const char* type, unsigned long flags,
                      const char* data) {
  if (::mount(source, target.c_str(), type, flags, data) == 0) return {};
  return errno_error(fmt::format("mounting {} on '{}' inside the cell", type == nullptr ? source : type, target),
                     errno);
}

struct KeptDevice {
  std::string name;
  FileDescriptor file;
};

std::vector<KeptDevice> open_kept_devices(const CellNamespaces& wanted) {
  std::vector<std::string> names{"null", "zero", "full", "random", "urandom", "tty", "net/tun"};
  if (wanted.offer_kvm) names.emplace_back("kvm");
  std::vector<KeptDevice> devices;
  for (auto& name : names) {
    FileDescriptor file(::open(("/dev/" + name).c_str(), O_PATH | O_CLOEXEC));
    if (file.valid()) devices.push_back({std::move(name), std::move(file)});
  }
  return devices;
}

// A /dev of its own: what a program needs to run, and the tap driver. No disks, no /dev/kvm that does not work.
Result<void> make_private_dev(const CellNamespaces& wanted) {
  const auto devices = open_kept_devices(wanted);
  PATCHLAB_TRY(mount_at("none", "/dev", "tmpfs", MS_NOSUID, "mode=0755"));
  ::mkdir("/dev/net", 0755);
  for (const auto& device : devices) {
    const auto path = "/dev/" + device.name;
    const FileDescriptor place(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    PATCHLAB_TRY(mount_at(fmt::format("/proc/self/fd/{}", device.file.get()).c_str(), path, nullptr, MS_BIND, nullptr));
  }
  if (!wanted.folder.empty()) {
    ::mkdir(cell_folder_inside, 0755);
    PATCHLAB_TRY(mount_at(wanted.folder.c_str(), cell_folder_inside, nullptr, MS_BIND, nullptr));
  }
  ::mkdir("/dev/shm", 01777);
  ::chmod("/dev/shm", 01777);
  ::mkdir("/dev/pts", 0755);
  constexpr std::array<std::array<const char*, 2>, 5> links{{{"/proc/self/fd", "/dev/fd"},
                                                             {"/proc/self/fd/0", "/dev/stdin"},
                                                             {"/proc/self/fd/1", "/dev/stdout"},
                                                             {"/proc/self/fd/2", "/dev/stderr"},
                                                             {"pts/ptmx", "/dev/ptmx"}}};
  for (const auto& [target, name] : links) static_cast<void>(!::symlink(target, name));
  // Nothing we start needs a terminal; a kernel that refuses this mount is no reason to stop.
  static_cast<void>(::mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666"));
  return {};
}

Result<void> make_private_mounts(const CellNamespaces& wanted) {
  PATCHLAB_TRY(mount_at("none", "/", "mount tree", MS_REC | MS_PRIVATE, nullptr));
  PATCHLAB_TRY(make_private_dev(wanted));
  auto mounted = mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  if (!mounted) {
    auto error = mounted.error();
    error.hint =
        "a container that masks parts of /proc does not allow it; run patchlab outside, or give the container an "
        "unmasked /proc";
    return error;
  }
  // Shows the cell's own network devices; a nicety for people who look, and not allowed everywhere.
  static_cast<void>(::mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr));
  return {};
}

Result<void> bring_up_loopback() {
  PATCHLAB_ASSIGN(auto netlink, Netlink::open());
  return netlink.set_up("lo");
}
}  // namespace

Result<void> enter_cell_namespaces(const CellNamespaces& wanted) {
  const auto parent = ::getppid();
  PATCHLAB_TRY(unshare_all());
  // The caller's own death signal, if it had one, may have been cleared by the change of credentials.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno_error("asking to die with the parent process", errno);
  if (::getppid() != parent) return infrastructure_error("the parent process ended while its cell was starting");
  PATCHLAB_TRY(fork_worker());
  PATCHLAB_TRY(make_private_mounts(wanted));
  return bring_up_loopback();
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
