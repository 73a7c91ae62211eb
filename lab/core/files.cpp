// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
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

namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISLNK(mode)) return "a symbolic link";
  return "a device";
}

Error not_a_file(const std::filesystem::path& path, mode_t mode) {
  return configuration_error(fmt::format("'{}' is {}, and no regular file", path.string(), kind_of(mode)),
                             S_ISDIR(mode)   ? "name a file in it"
                             : S_ISLNK(mode) ? "name the file that it leads to"
                                             : "copy its content into a file, and name that");
}

}  // namespace

Error input_error(const std::filesystem::path& path, int saved_errno) {
  auto error = errno_error("opening '" + path.string() + "'", saved_errno);
  const auto blame = [&](const char* hint) {
    error.error_class = ErrorClass::configuration;
    error.hint = hint;
  };
  switch (saved_errno) {
    case ENOENT:
    case ENOTDIR: blame("is the name right? names are taken from the folder you are in"); break;
    case ELOOP: blame("its symbolic links lead in a circle, or there is one where none may be"); break;
    case ENAMETOOLONG: blame("choose a shorter name"); break;
    case EACCES:
    case EPERM: blame("may this user read it, and enter the folders on the way?"); break;
    // A socket, a device without a driver, a name that no file system takes.
    case ENXIO:
    case ENODEV:
    case EINVAL: blame("name a regular file"); break;
    default: break;
  }
  return error;
}

Result<InputFile> open_input(const std::filesystem::path& path, Links links) {
  // A NUL would end the name for the kernel, and not for whoever checked it.
  if (path.native().find('\0') != std::string::npos)
    return configuration_error("a path with a NUL character in it cannot be opened");
  const bool follow = links == Links::follow;
  struct stat info {};
  // What is no file is not even opened: opening a device can set it off.
  if ((follow ? ::stat(path.c_str(), &info) : ::lstat(path.c_str(), &info)) != 0) return input_error(path, errno);
  if (!S_ISREG(info.st_mode)) return not_a_file(path, info.st_mode);
  // Without O_NONBLOCK a pipe that was put there meanwhile would wait for somebody who writes. It changes nothing for
  // regular files.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW)));
  if (!file.valid()) return input_error(path, errno);
  if (::fstat(file.get(), &info) != 0) return errno_error("looking at '" + path.string() + "'", errno);
  if (!S_ISREG(info.st_mode)) return not_a_file(path, info.st_mode);
  return InputFile{std::move(file), static_cast<std::uintmax_t>(info.st_size)};
}

Result<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit, Links links) {
  PATCHLAB_ASSIGN(const auto input, open_input(path, links));
  const auto too_large = [&] {
    return configuration_error(fmt::format("'{}' is larger than the {} bytes allowed here", path.string(), limit));
  };
  if (input.bytes > limit) return too_large();
  std::string text;
  std::string block(1U << 16U, '\0');
  for (;;) {
    const auto count = ::read(input.file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + path.string() + "'", errno);
    if (count == 0) return text;
    text.append(block, 0, static_cast<std::size_t>(count));
    if (text.size() > limit) return too_large();  // it grew meanwhile
  }
}

Result<void> sync_path(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
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

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                   std::optional<unsigned> mode) {
  static std::atomic<unsigned> counter{0};
  auto temporary = path;
  temporary += fmt::format(".tmp-{}-{}", ::getpid(), counter++);
  {
    const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.valid()) return errno_error("creating '" + temporary.string() + "'", errno);
    if (mode && ::fchmod(file.get(), static_cast<mode_t>(*mode)) != 0) {
      const int saved = errno;
      ::unlink(temporary.c_str());
      return errno_error("changing the mode of '" + temporary.string() + "'", saved);
    }
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

namespace {
std::filesystem::path named_cache() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value != nullptr ? value : "");
  };
  std::error_code code;  // an absolute path is found from any text; only a folder that is gone is none to start from
  if (const auto own = variable("PATCHLAB_CACHE"); !own.empty()) return std::filesystem::absolute(own, code);
  if (const auto xdg = variable("XDG_CACHE_HOME"); !xdg.empty())
    return std::filesystem::absolute(xdg / "patchlab", code);
  const auto home = variable("HOME");
  return home.empty() ? home : std::filesystem::absolute(home / ".cache" / "patchlab", code);
}
}  // namespace

std::filesystem::path cache_folder() {
  auto folder = named_cache();
  if (folder.empty()) throw std::logic_error("the cache is used, but nobody has asked where it is");
  return folder;
}

// Who names something else than a folder has made a mistake; a disk that is full or broken is another thing.
static Result<void> look_for_obstacles(const std::filesystem::path& folder) {
  std::filesystem::path at;
  for (const auto& part : folder) {
    at /= part;
    std::error_code code;
    const auto type = std::filesystem::symlink_status(at, code).type();
    if (type == std::filesystem::file_type::not_found || type == std::filesystem::file_type::none) return {};
    if (std::filesystem::is_directory(at, code)) continue;
    return configuration_error(fmt::format("the cache cannot be '{}': '{}' is no folder", folder.string(), at.string()),
                               "set PATCHLAB_CACHE to a folder of your own; without it the cache is in XDG_CACHE_HOME, "
                               "or below HOME");
  }
  return {};
}

Result<std::filesystem::path> own_cache() {
  const auto folder = named_cache();
  if (folder.empty()) {
    return configuration_error(
        "there is no folder for the cache: none of PATCHLAB_CACHE, XDG_CACHE_HOME and HOME is set",
        "set PATCHLAB_CACHE to a folder of your own, on a disk with some GiB free");
  }
  PATCHLAB_TRY(look_for_obstacles(folder));
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
  // 0710: the group passes through to folders in it that were opened to it by hand (docs/two-users.md).
  const auto mode = status.st_mode & 0777U;
  if (mode != 0700 && mode != 0710 && ::fchmod(opened.get(), 0700) != 0)
    return errno_error("closing the cache '" + folder.string() + "' to other users", errno);
  return folder;
}

FilesForAll::FilesForAll() : before_(::umask(022)) {}
FilesForAll::~FilesForAll() { ::umask(static_cast<mode_t>(before_)); }

}  // namespace patchlab
