// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <sstream>

#include "lab/core/printable.hpp"

namespace patchlab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_command = 120;

bool is_same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// The file systems that are made of others number their devices differently in /proc/locks: there, a process counts
// when it really has the file open.
bool has_open(const std::string& pid, const struct stat& wanted) {
  std::error_code code;
  auto at = fs::directory_iterator("/proc/" + pid + "/fd", code);
  for (; !code && at != fs::directory_iterator(); at.increment(code)) {
    struct stat open {};
    if (::stat(at->path().c_str(), &open) == 0 && is_same_file(open, wanted)) return true;
  }
  return false;
}

std::string described(const std::string& pid) {
  auto command = read_file("/proc/" + pid + "/cmdline", 1U << 20U).value_or("");
  while (!command.empty() && command.back() == '\0') command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  if (command.size() > longest_command) command = command.substr(0, longest_command) + "...";
  if (command.empty()) return fmt::format("process {}, which has ended and left the lock to what it started", pid);
  return fmt::format("process {} ({})", pid, printable(command));
}

// "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; a line with "->" is of somebody who waits.
std::optional<std::string> holder_in(const std::string& line, const struct stat& wanted) {
  std::istringstream words(line);
  std::string number, kind, advisory, mode, pid, file;
  words >> number >> kind >> advisory >> mode >> pid >> file;
  if (kind != "FLOCK" || pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos || pid == "0")
    return std::nullopt;
  const auto inode = file.rfind(':');
  if (inode == std::string::npos || file.substr(inode + 1) != std::to_string(wanted.st_ino)) return std::nullopt;
  const auto device = fmt::format("{:02x}:{:02x}", major(wanted.st_dev), minor(wanted.st_dev));
  if (file.substr(0, inode) != device && !has_open(pid, wanted)) return std::nullopt;
  return pid;
}

Result<FileDescriptor> open_lock(const fs::path& path, FileLock::Mode mode) {
  if (path.native().find('\0') != std::string::npos)
    return configuration_error("a lock's path with a NUL character in it cannot be opened");
  constexpr int always = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  // A read-only file (a golden image) can still be locked: flock does not ask for write access.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | always));
  if (!file.valid() && errno == ENOENT) {
    file = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | always, 0600));
  }
  if (!file.valid() && errno == ELOOP) {
    return configuration_error(fmt::format("the lock '{}' is a symbolic link, and could lead anywhere", path.string()),
                               "look who made it, remove it, then try again");
  }
  if (!file.valid()) return errno_error("opening lock '" + path.string() + "'", errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return errno_error("looking at the lock '" + path.string() + "'", errno);
  if (!S_ISREG(info.st_mode)) {
    return configuration_error(fmt::format("the lock '{}' is no regular file", path.string()),
                               "look who made it, remove it, then try again");
  }
  // Who cannot open it cannot hold it against us. A shared lock is on a file that others have to read.
  const bool is_ours = mode == FileLock::Mode::exclusive && info.st_uid == ::geteuid();
  if (is_ours && (info.st_mode & 077U) != 0 && ::fchmod(file.get(), 0600) != 0 && errno != EROFS)
    return errno_error("closing the lock '" + path.string() + "' to others", errno);
  return file;
}

// One try: the lock, nothing when somebody else has it, or what went wrong.
Result<std::optional<FileDescriptor>> try_once(const fs::path& path, FileLock::Mode mode) {
  for (int tries = 0; tries < 100; ++tries) {
    PATCHLAB_ASSIGN(auto file, open_lock(path, mode));
    const int operation = (mode == FileLock::Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
    if (::flock(file.get(), operation) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return std::optional<FileDescriptor>();
      return errno_error("locking '" + path.string() + "'", errno);
    }
    // A lock on a file that was removed meanwhile locks nobody out.
    struct stat held {
    }, there{};
    if (::fstat(file.get(), &held) == 0 && ::lstat(path.c_str(), &there) == 0 && is_same_file(held, there))
      return std::optional<FileDescriptor>(std::move(file));
  }
  return infrastructure_error(fmt::format("the lock '{}' is removed again and again", path.string()));
}

}  // namespace

std::string lock_holders(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  std::set<std::string> seen;
  std::string holders;
  std::istringstream lines(read_file("/proc/locks").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto pid = holder_in(line, info);
    if (pid && seen.insert(*pid).second) holders += (holders.empty() ? "" : ", ") + described(*pid);
  }
  return holders;
}

Result<std::optional<FileLock>> FileLock::try_take(const fs::path& path, Mode mode) {
  PATCHLAB_ASSIGN(auto file, try_once(path, mode));
  if (!file) return std::optional<FileLock>();
  return std::optional<FileLock>(FileLock(std::move(*file)));
}

Result<FileLock> FileLock::take(const fs::path& path, Mode mode, const Patience& patience) {
  std::optional<FileLock> lock;
  std::optional<Error> trouble;
  std::string holders;
  const auto try_it = [&] {
    auto tried = try_once(path, mode);
    if (!tried)
      trouble = std::move(tried).error();
    else if (*tried)
      lock = FileLock(std::move(**tried));
    return lock || trouble;
  };
  if (!try_it()) {
    holders = lock_holders(path);
    if (holders.empty()) holders = "a process that cannot be seen from here";
    if (patience.waiting && patience.limit > Milliseconds(0)) patience.waiting(holders);
    const Wait wait{.awaited = "the lock '" + path.string() + "'",
                    .deadline = patience.limit,
                    .interval = Milliseconds(50),
                    .last_seen = {},
                    .stop = patience.stop};
    auto& clock = patience.clock == nullptr ? system_clock_source() : *patience.clock;
    auto waited =
        patience.limit > Milliseconds(0) ? wait_until(clock, wait, try_it) : Result<Milliseconds>(Milliseconds(0));
    if (!waited && waited.error().error_class == ErrorClass::cancelled) return std::move(waited).error();
  }
  if (trouble) return std::move(*trouble);
  if (lock) return std::move(*lock);
  if (const auto now = lock_holders(path); !now.empty()) holders = now;
  auto message = fmt::format("'{}' is in use by {}", path.string(), holders);
  if (patience.limit == Milliseconds(0))
    return infrastructure_error(std::move(message), "wait until that has ended, then try again");
  return timeout_error(
      fmt::format("{}; waited {:.1f} s", message, std::chrono::duration<double>(patience.limit).count()),
      "wait until that has ended or end it, then try again");
}

}  // namespace patchlab
