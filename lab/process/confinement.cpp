// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/confinement.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "lab/core/files.hpp"
#include "lab/process/pid_namespace.hpp"
#include "lab/process/private_root.hpp"
#include "lab/process/syscall_filter.hpp"

namespace patchlab::process {
namespace {
constexpr unsigned nobody = 65534;
constexpr const char* brought_folder = "/program";
constexpr std::uint64_t small_files = std::uint64_t{32} << 20U;  // bytes, of each file system that can be written

using Capabilities = std::uint64_t;
constexpr Capabilities bit(int capability) { return Capabilities{1} << static_cast<unsigned>(capability); }

Result<Capabilities> effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capget, &header, data) != 0) return errno_error("reading our capabilities", errno);
  return Capabilities{data[0].effective} | (Capabilities{data[1].effective} << 32U);
}

Result<void> keep_only(Capabilities kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  for (const unsigned half : {0U, 1U})
    data[half].effective = data[half].permitted = static_cast<std::uint32_t>(kept >> (32U * half));
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || ::syscall(SYS_capset, &header, data) != 0)
    return errno_error("giving up capabilities", errno);
  return {};
}

// What no program that it executes can have, either.
Result<void> lower_bounds(Capabilities kept) {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if ((kept & bit(capability)) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      return errno_error(fmt::format("giving up capability {} for good", capability), errno);
  }
  return {};
}

Result<void> write_proc(const char* path, const std::string& text) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (file.valid() && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return errno_error(fmt::format("writing '{}' to '{}'", text, path), errno);
}

Result<void> leave_namespaces(Capabilities had) {
  const auto uid = ::geteuid();
  const auto gid = ::getegid();
  const int own_user = (had & bit(CAP_SYS_ADMIN)) != 0 ? 0 : CLONE_NEWUSER;
  if (::unshare(own_user | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
    return errno_error("making the namespaces of a confined process", errno);
  if (own_user == 0) return {};
  PATCHLAB_TRY(write_proc("/proc/self/setgroups", "deny"));
  PATCHLAB_TRY(write_proc("/proc/self/uid_map", fmt::format("{} {} 1", uid, uid)));
  return write_proc("/proc/self/gid_map", fmt::format("{} {} 1", gid, gid));
}

// Lines of first id inside, first id outside, how many (user_namespaces(7)).
bool is_mapped(const char* map, unsigned id) {
  std::istringstream lines(read_file(map).value_or(""));
  for (std::uint64_t inside = 0, outside = 0, count = 0; lines >> inside >> outside >> count;) {
    if (id >= inside && id - inside < count) return true;
  }
  return false;
}

Result<void> become_nobody() {
  // Keeps them in spite of the change; the next step drops what is not wanted.
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0 ||
      ::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0)
    return errno_error("becoming nobody", errno);
  // The change has cleared it. Should process 1 have died meanwhile, so do we.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno_error("asking to die with the parent process", errno);
  return {};
}

Result<void> move_home() {
  if (::mkdir(confined_home, 0700) != 0 || ::chdir(confined_home) != 0)
    return errno_error(fmt::format("making '{}'", confined_home), errno);
  ::setenv("HOME", confined_home, 1);
  ::setenv("TMPDIR", confined_home, 1);
  return {};
}
}  // namespace

std::vector<int> capabilities_to_confine() { return {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP}; }

Result<std::filesystem::path> brought_program() {
  std::error_code code;
  auto path = std::filesystem::read_symlink(std::filesystem::path(brought_folder) / place_link, code);
  if (code) return infrastructure_error("no program was brought here");
  return path;
}

Result<void> confine(const std::vector<int>& kept, const BroughtProgram* program, const std::vector<HostName>& names) {
  PATCHLAB_ASSIGN(const auto had, effective_capabilities());
  const bool can_change_user = (had & bit(CAP_SETUID)) != 0 && (had & bit(CAP_SETGID)) != 0;
  const bool nobody_is_there =
      can_change_user && is_mapped("/proc/self/uid_map", nobody) && is_mapped("/proc/self/gid_map", nobody);
  Capabilities keeping = 0;
  for (const int capability : kept) keeping |= had & bit(capability);
  PATCHLAB_TRY(leave_namespaces(had));
  PATCHLAB_TRY(fork_into_pid_namespace(KilledInside::kills_itself_likewise));
  // As nobody it may see, in /proc, that there are others; nothing of theirs is open to it.
  PrivateRoot root{.devices = {"null", "zero", "full", "random", "urandom"}, .old_proc_will_do = nobody_is_there};
  root.names = names;
  if (program != nullptr) {
    root.programs = {{std::filesystem::path(brought_folder) / program->name, program->bytes, program->found_at}};
    root.most_written = small_files;
  }
  PATCHLAB_TRY(enter_private_root(root));
  PATCHLAB_TRY(lower_bounds(keeping));
  if (nobody_is_there) PATCHLAB_TRY(become_nobody());
  PATCHLAB_TRY(keep_only(keeping));
  PATCHLAB_TRY(move_home());
  return forbid(program == nullptr ? Forbidden::beyond_a_conversation : Forbidden::beyond_a_program);
}

}  // namespace patchlab::process
