// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/disk_hold.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

namespace patchlab::lab::libvirt {
namespace {
constexpr off_t write_in_use = 101;
constexpr off_t write_not_shared = 201;

struct flock one_byte(short type, off_t where) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = where;
  lock.l_len = 1;
  return lock;
}
}  // namespace

Result<DiskHold> DiskHold::take(const std::vector<std::filesystem::path>& files) {
  DiskHold hold;
  for (const auto& path : files) {
    const auto action = fmt::format("holding '{}'", path.string());
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return errno_error(action, errno);
    // QEMU takes its own lock first and then looks for those of others; so do we.
    auto own = one_byte(F_RDLCK, write_not_shared);
    if (::fcntl(file.get(), F_OFD_SETLK, &own) != 0) return errno_error(action, errno);
    auto writer = one_byte(F_WRLCK, write_in_use);
    if (::fcntl(file.get(), F_OFD_GETLK, &writer) != 0) return errno_error(action, errno);
    if (writer.l_type != F_UNLCK) {
      return configuration_error(fmt::format("a QEMU writes to '{}'", path.string()),
                                 "shut down the machine that uses this disk");
    }
    hold.files_.push_back(std::move(file));
  }
  return hold;
}

}  // namespace patchlab::lab::libvirt
