// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/disk_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace patchlab::snapshots {
namespace {

// Through this process, where the kernel does not copy between these two file systems by itself.
Result<void> copy_by_hand(int from, int to, off_t begin, off_t end) {
  std::vector<char> block(std::size_t{1} << 20U);
  while (begin < end) {
    const auto wanted = std::min<std::size_t>(block.size(), static_cast<std::size_t>(end - begin));
    const auto count = ::pread(from, block.data(), wanted, begin);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading", errno);
    if (count == 0) return infrastructure_error("the file became shorter while it was copied");
    for (ssize_t written = 0; written < count;) {
      const auto now = ::pwrite(to, block.data() + written, static_cast<std::size_t>(count - written), begin + written);
      if (now < 0 && errno == EINTR) continue;
      if (now < 0) return errno_error("writing", errno);
      written += now;
    }
    begin += count;
  }
  return {};
}

Result<void> copy_range(int from, int to, off_t begin, off_t end) {
  while (begin < end) {
    auto in = begin;
    auto out = begin;
    const auto count = ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - begin), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
      return copy_by_hand(from, to, begin, end);
    if (count < 0) return errno_error("copying", errno);
    if (count == 0) return infrastructure_error("the file became shorter while it was copied");
    begin += count;
  }
  return {};
}

Result<void> copy_data(int from, int to, off_t size) {
  for (off_t at = 0; at < size;) {
    const auto begin = ::lseek(from, at, SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;  // nothing but a hole
    if (begin < 0) return copy_range(from, to, at, size);
    auto end = ::lseek(from, begin, SEEK_HOLE);
    if (end < 0) end = size;
    PATCHLAB_TRY(copy_range(from, to, begin, end));
    at = end;
  }
  if (::ftruncate(to, size) != 0) return errno_error("setting the size", errno);
  return {};
}

}  // namespace

Result<void> copy_disk(const FileDescriptor& from, const std::filesystem::path& to) {
  if (::unlink(to.c_str()) != 0 && errno != ENOENT)
    return errno_error(fmt::format("removing '{}'", to.string()), errno);
  const FileDescriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return errno_error(fmt::format("making '{}'", to.string()), errno);
  if (::ioctl(file.get(), FICLONE, from.get()) == 0) return {};
  struct stat info {};
  if (::fstat(from.get(), &info) != 0) return errno_error("looking at a file to be copied", errno);
  return copy_data(from.get(), file.get(), info.st_size).while_doing(fmt::format("copying to '{}'", to.string()));
}

}  // namespace patchlab::snapshots
