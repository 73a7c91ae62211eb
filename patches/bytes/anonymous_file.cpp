// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/bytes/anonymous_file.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

namespace patchlab::patches {
namespace {

constexpr const char* temporary_name = "a temporary file";

Error too_big(std::uint64_t limit) {
  return configuration_error(fmt::format("is bigger than the {} bytes allowed", limit));
}

}  // namespace

Result<void> TextSink::write(std::string_view more) {
  if (more.size() > limit_ - bytes.size()) return too_big(limit_);
  bytes += more;
  return {};
}

Result<AnonymousFile> AnonymousFile::create(std::uint64_t limit) {
  std::error_code trouble;
  const auto folder = std::filesystem::temp_directory_path(trouble);
  if (trouble)
    return infrastructure_error("looking for the folder for temporary files: " + trouble.message(),
                                "set TMPDIR to a writable folder");
  // Not O_TMPFILE: the file systems of some containers do not have it.
  std::string pattern = (folder / "patchlab-XXXXXX").string();
  FileDescriptor file(::mkostemp(pattern.data(), 0));
  if (!file.valid()) return errno_error("creating a file in '" + folder.string() + "'", errno);
  ::unlink(pattern.c_str());
  return AnonymousFile(std::move(file), limit);
}

Result<void> AnonymousFile::write(std::string_view bytes) {
  if (bytes.size() > limit_ - size_) return too_big(limit_);
  while (!bytes.empty()) {
    const auto count = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error(fmt::format("writing {}", temporary_name), errno);
    size_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::size_t> AnonymousFile::read_at(std::uint64_t offset, char* into, std::size_t bytes) const {
  return read_fully(file_.get(), offset, into, bytes, temporary_name);
}

}  // namespace patchlab::patches
