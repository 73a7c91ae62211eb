// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

#include "lab/core/pipe.hpp"

namespace patchlab {

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = other.release();
  }
  return *this;
}

int FileDescriptor::release() { return std::exchange(number_, -1); }

Result<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return errno_error("opening '" + path.string() + "'", errno);
  std::string text;
  std::string block(1U << 16U, '\0');
  for (;;) {
    const auto count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + path.string() + "'", errno);
    if (count == 0) return text;
    text.append(block, 0, static_cast<std::size_t>(count));
    if (text.size() > limit) {
      return configuration_error(fmt::format("'{}' is larger than the {} bytes allowed here", path.string(), limit));
    }
  }
}

Result<void> sync_path(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return errno_error("opening '" + path.string() + "'", errno);
  if (::fsync(file.get()) != 0) return errno_error("syncing '" + path.string() + "'", errno);
  return {};
}

namespace {
Result<void> write_and_sync(int file, std::string_view text, const std::string& name) {
  if (!write_all(file, text)) return errno_error("writing '" + name + "'", errno);
  if (::fsync(file) != 0) return errno_error("syncing '" + name + "'", errno);
  return {};
}
}  // namespace

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  static std::atomic<unsigned> counter{0};
  auto temporary = path;
  temporary += fmt::format(".tmp-{}-{}", ::getpid(), counter++);
  {
    const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.valid()) return errno_error("creating '" + temporary.string() + "'", errno);
    if (auto written = write_and_sync(file.get(), text, temporary.string()); !written) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int saved = errno;
    ::unlink(temporary.c_str());
    return errno_error("renaming '" + temporary.string() + "' to '" + path.string() + "'", saved);
  }
  return sync_path(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

Result<void> create_folders(const std::filesystem::path& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) return infrastructure_error("creating folder '" + path.string() + "': " + code.message());
  return {};
}

Result<FileLock> FileLock::take(const std::filesystem::path& path, Mode mode, Blocking blocking) {
  // A read-only file (a golden image) can still be locked: flock does not ask for write access.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) {
    file = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  }
  if (!file.valid()) return errno_error("opening lock '" + path.string() + "'", errno);
  const int operation = (mode == Mode::shared ? LOCK_SH : LOCK_EX) | (blocking == Blocking::yes ? 0 : LOCK_NB);
  while (::flock(file.get(), operation) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) {
      return infrastructure_error("'" + path.string() + "' is in use by another patchlab process",
                                  "wait for that run to end, then try again");
    }
    return errno_error("locking '" + path.string() + "'", errno);
  }
  return FileLock(std::move(file));
}

namespace {
std::filesystem::path named_cache() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value != nullptr ? value : "");
  };
  if (const auto own = variable("PATCHLAB_CACHE"); !own.empty()) return std::filesystem::absolute(own);
  if (const auto xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return std::filesystem::absolute(xdg / "patchlab");
  const auto home = variable("HOME");
  return home.empty() ? home : std::filesystem::absolute(home / ".cache" / "patchlab");
}
}  // namespace

std::filesystem::path cache_folder() {
  auto folder = named_cache();
  if (folder.empty()) throw std::logic_error("the cache is used, but nobody has asked where it is");
  return folder;
}

Result<std::filesystem::path> own_cache() {
  const auto folder = named_cache();
  if (folder.empty()) {
    return configuration_error(
        "there is no folder for the cache: none of PATCHLAB_CACHE, XDG_CACHE_HOME and HOME is set",
        "set PATCHLAB_CACHE to a folder of your own, on a disk with some GiB free");
  }
  std::error_code code;
  if (!std::filesystem::exists(folder, code)) {
    PATCHLAB_TRY(create_folders(folder.parent_path()));
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return errno_error("creating the cache '" + folder.string() + "'", errno);
  }
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!opened.valid() || ::fstat(opened.get(), &status) != 0)
    return errno_error("opening the cache '" + folder.string() + "'", errno);
  if (status.st_uid != ::geteuid()) {
    return configuration_error(fmt::format("the cache '{}' belongs to user {}, not to the user that runs patchlab",
                                           folder.string(), status.st_uid),
                               "set PATCHLAB_CACHE to a folder of your own");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return configuration_error(
        fmt::format("other users can write to the cache '{}': its images may be anybody's", folder.string()),
        fmt::format("move it away, or make sure of what is in it and 'chmod 0700 {}'", folder.string()));
  }
  if ((status.st_mode & 0777U) != 0700 && ::fchmod(opened.get(), 0700) != 0)
    return errno_error("closing the cache '" + folder.string() + "' to other users", errno);
  return folder;
}

FilesForAll::FilesForAll() : before_(::umask(022)) {}
FilesForAll::~FilesForAll() { ::umask(static_cast<mode_t>(before_)); }

}  // namespace patchlab
