// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "killed.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;

constexpr int syscall_stop = SIGTRAP | 0x80;

const std::map<std::uint64_t, const char*>& changing_calls() {
  static const std::map<std::uint64_t, const char*> calls{
#ifdef SYS_open
      {SYS_open, "open"},
      {SYS_creat, "creat"},
      {SYS_rename, "rename"},
      {SYS_unlink, "unlink"},
      {SYS_rmdir, "rmdir"},
      {SYS_mkdir, "mkdir"},
      {SYS_symlink, "symlink"},
      {SYS_link, "link"},
      {SYS_chmod, "chmod"},
#endif
#ifdef SYS_renameat
      {SYS_renameat, "renameat"},
#endif
      {SYS_openat, "openat"},
      {SYS_write, "write"},
      {SYS_pwrite64, "pwrite"},
      {SYS_writev, "writev"},
      {SYS_renameat2, "renameat2"},
      {SYS_unlinkat, "unlinkat"},
      {SYS_mkdirat, "mkdirat"},
      {SYS_symlinkat, "symlinkat"},
      {SYS_linkat, "linkat"},
      {SYS_fchmod, "fchmod"},
      {SYS_fchmodat, "fchmodat"},
      {SYS_fsync, "fsync"},
      {SYS_fdatasync, "fdatasync"},
      {SYS_ftruncate, "ftruncate"},
      {SYS_truncate, "truncate"},
      {SYS_sendfile, "sendfile"},
      {SYS_copy_file_range, "copy_file_range"},
  };
  return calls;
}

std::string file_of(pid_t pid, std::uint64_t descriptor) {
  std::error_code code;
  const auto path = fs::read_symlink(fmt::format("/proc/{}/fd/{}", pid, static_cast<int>(descriptor)), code);
  return code ? std::string() : path.string();
}

std::string text_at(pid_t pid, std::uint64_t address) {
  std::string text;
  while (text.size() < 4096) {
    errno = 0;
    const long word = ::ptrace(PTRACE_PEEKDATA, pid, reinterpret_cast<void*>(address + text.size()), nullptr);
    if (errno != 0) return text;
    for (std::size_t i = 0; i < sizeof word; ++i) {
      const char c = static_cast<char>(static_cast<unsigned long>(word) >> (8 * i));
      if (c == '\0') return text;
      text += c;
    }
  }
  return text;
}

bool is_file(const std::string& path) {
  return path.starts_with("/") && !path.starts_with("/dev/") && !path.starts_with("/proc/") &&
         !path.starts_with("/memfd:");
}

// What the call would do to a file; empty when it changes none.
std::string change_of(pid_t pid, const __ptrace_syscall_info& info) {
  const auto call = changing_calls().find(info.entry.nr);
  if (call == changing_calls().end()) return {};
  const auto& args = info.entry.args;
  const std::string name = call->second;
  const auto on_descriptor = [&]() -> std::string {
    const auto file = file_of(pid, args[0]);
    return is_file(file) ? name + " " + file : std::string();
  };
  if (name == "open" || name == "openat") {
    const bool at = name == "openat";
    const auto flags = args[at ? 2 : 1];
    if ((flags & (O_CREAT | O_TRUNC)) == 0 || (flags & O_TMPFILE) == O_TMPFILE) return {};
    const auto path = text_at(pid, args[at ? 1 : 0]);
    return path.starts_with("/proc/") || path.starts_with("/dev/") ? std::string() : name + " " + path;
  }
  if (name == "write" || name == "pwrite" || name == "writev" || name == "fsync" || name == "fdatasync" ||
      name == "ftruncate" || name == "fchmod" || name == "sendfile")
    return on_descriptor();
  if (name == "copy_file_range") return name;
  const bool at = name.ends_with("at") || name == "renameat2";
  const auto path = text_at(pid, args[at && name != "symlinkat" ? 1 : 0]);
  return name + " " + path;
}

// Half of the bytes of a write are written, and no more.
bool halve(pid_t pid, const __ptrace_syscall_info& info) {
#ifdef __x86_64__
  if (info.entry.nr != SYS_write && info.entry.nr != SYS_pwrite64) return false;
  if (info.entry.args[2] < 2) return false;
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return false;
  registers.rdx /= 2;
  return ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers) == 0;
#else
  static_cast<void>(pid);
  static_cast<void>(info);
  return false;
#endif
}

[[noreturn]] void become(const std::string& program, const std::vector<std::string>& arguments, const fs::path& folder,
                         int output) {
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const auto& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (::chdir(folder.c_str()) != 0 || ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(126);
  ::raise(SIGSTOP);
  ::execv(program.c_str(), words.data());
  ::_exit(127);
}

std::string read_all(int file) {
  std::string text;
  char block[4096];
  ::lseek(file, 0, SEEK_SET);
  for (ssize_t count = 0; (count = ::read(file, block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(count));
  return text;
}

}  // namespace

Watched watch(const std::string& program, const std::vector<std::string>& arguments, const fs::path& folder,
              const Point* point) {
  Watched watched;
  const int output = ::memfd_create("output", MFD_CLOEXEC);
  const pid_t child = ::fork();
  if (child == 0) become(program, arguments, folder, output);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
    ADD_FAILURE() << "cannot be watched: " << program;
    ::close(output);
    return watched;
  }
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
  ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  bool runs = false;          // the program itself, behind exec
  bool kill_at_exit = false;  // of the call that was halved
  std::set<pid_t> threads{child};
  while (!threads.empty()) {
    const pid_t pid = ::waitpid(-1, &status, __WALL);
    if (pid < 0) break;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      threads.erase(pid);
      if (pid == child && WIFEXITED(status)) watched.exit_code = WEXITSTATUS(status);
      continue;
    }
    threads.insert(pid);
    long deliver = 0;
    const int signal = WSTOPSIG(status);
    if (signal == syscall_stop && runs) {
      __ptrace_syscall_info info{};
      ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
      if (info.op == PTRACE_SYSCALL_INFO_EXIT && kill_at_exit) {
        ::kill(child, SIGKILL);
        watched.killed = true;
        continue;
      }
      if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !watched.killed) {
        if (auto change = change_of(pid, info); !change.empty()) {
          const bool here = point != nullptr && point->call == watched.calls.size();
          watched.calls.push_back(std::move(change));
          kill_at_exit = here && point->moment == Point::Moment::half && halve(pid, info);
          if (here && !kill_at_exit) {
            ::kill(child, SIGKILL);
            watched.killed = true;
            continue;
          }
        }
      }
    } else if (signal == SIGTRAP && (status >> 16) != 0) {
      if ((status >> 16) == PTRACE_EVENT_EXEC) runs = true;
    } else if (signal != syscall_stop && signal != SIGSTOP) {
      deliver = signal;
    }
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, reinterpret_cast<void*>(deliver));
  }
  watched.output = read_all(output);
  ::close(output);
  return watched;
}

std::string why_no_watching() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "" : "this host does not let a program be traced (ptrace)";
}

std::vector<Point> points_of(const std::vector<std::string>& calls) {
  std::vector<Point> all;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    all.push_back({i, Point::Moment::before});
    if (calls[i].starts_with("write ") || calls[i].starts_with("pwrite ")) all.push_back({i, Point::Moment::half});
  }
  const char* asked = std::getenv("PATCHLAB_KILL_POINTS");
  if (asked != nullptr && std::string(asked) == "all") return all;
  const auto most = static_cast<std::size_t>(std::max(1, std::atoi(asked == nullptr ? "8" : asked)));
  if (all.size() <= most) return all;
  std::vector<Point> some;
  const auto step = static_cast<double>(all.size()) / static_cast<double>(most);
  for (std::size_t i = 0; i < most; ++i) {
    some.push_back(all[static_cast<std::size_t>(step * (static_cast<double>(i) + 0.5))]);
  }
  return some;
}

}  // namespace patchlab::e2e
