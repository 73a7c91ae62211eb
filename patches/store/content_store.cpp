// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/store/content_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/held_folder.hpp"

namespace patchlab::patches {
namespace {

Result<void> write_block(int file, const char* data, std::size_t bytes, const std::string& name) {
  while (bytes > 0) {
    const auto count = ::write(file, data, bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("writing '" + name + "'", errno);
    data += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return {};
}

Result<FileDescriptor> open_new(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.valid()) return errno_error("creating '" + path.string() + "'", errno);
  return file;
}

Result<void> finish(const FileDescriptor& file, mode_t mode, const std::filesystem::path& path) {
  if (::fchmod(file.get(), mode) != 0) return errno_error("changing the mode of '" + path.string() + "'", errno);
  if (::fsync(file.get()) != 0) return errno_error("syncing '" + path.string() + "'", errno);
  return {};
}

Result<void> copy(const std::filesystem::path& from, const std::filesystem::path& to, mode_t mode) {
  PATCHLAB_ASSIGN(const auto in, open_input(from));
  PATCHLAB_ASSIGN(const auto out, open_new(to));
  std::vector<char> block(1U << 18U);
  for (;;) {
    const auto count = ::read(in.file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + from.string() + "'", errno);
    if (count == 0) return finish(out, mode, to);
    PATCHLAB_TRY(write_block(out.get(), block.data(), static_cast<std::size_t>(count), to.string()));
  }
}

Result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("renaming to '" + to.string() + "'", errno);
  return sync_path(to.parent_path());
}

}  // namespace

ContentStore::ContentStore(std::filesystem::path root) : root_(std::move(root)) {}

std::filesystem::path ContentStore::path_of(const std::string& sha256) const {
  return root_ / sha256.substr(0, 2) / sha256;
}

Result<StoredFile> ContentStore::add_file(const std::filesystem::path& file, const Expected& expected) const {
  // Reading costs less than writing and syncing, and most of what comes was here before.
  if (const auto known = already_stored(file, expected)) return *known;
  PATCHLAB_ASSIGN(const auto scratch, HeldFolder::make_in(root_ / "incoming", "work-"));
  const auto written = scratch.path() / "file";
  PATCHLAB_TRY(copy(file, written, 0444));
  return move_in(written, file.string(), expected);
}

std::optional<StoredFile> ContentStore::already_stored(const std::filesystem::path& file,
                                                       const Expected& expected) const {
  const auto in = open_input(file);
  if (!in) return std::nullopt;
  const StoredFile stored{sha256_of_file(file).value_or(""), static_cast<std::uint64_t>(in->bytes)};
  const bool as_expected = (expected.sha256.empty() || expected.sha256 == stored.sha256) &&
                           (!expected.bytes || *expected.bytes == stored.bytes);
  if (!as_expected || !contains(stored.sha256) || !verified_path(stored.sha256)) return std::nullopt;
  return stored;
}

Result<StoredFile> ContentStore::add_bytes(std::string_view bytes, const std::string& name) const {
  PATCHLAB_ASSIGN(const auto scratch, HeldFolder::make_in(root_ / "incoming", "work-"));
  const auto written = scratch.path() / "file";
  {
    PATCHLAB_ASSIGN(const auto out, open_new(written));
    PATCHLAB_TRY(write_block(out.get(), bytes.data(), bytes.size(), written.string()));
    PATCHLAB_TRY(finish(out, 0444, written));
  }
  return move_in(written, name, {sha256(bytes), bytes.size()});
}

Result<StoredFile> ContentStore::move_in(const std::filesystem::path& written, const std::string& name,
                                         const Expected& expected) const {
  // Hashes what reached the disk, not what we meant to write.
  PATCHLAB_ASSIGN(const auto digest, sha256_of_file(written));
  std::error_code trouble;
  const StoredFile stored{digest, std::filesystem::file_size(written, trouble)};
  if (trouble) return infrastructure_error(fmt::format("'{}': {}", written.string(), trouble.message()));
  if (expected.bytes && *expected.bytes > stored.bytes) {
    return configuration_error(fmt::format("'{}' is truncated: {} of {} bytes", name, stored.bytes, *expected.bytes));
  }
  if (expected.bytes && *expected.bytes != stored.bytes) {
    return configuration_error(fmt::format("'{}' has {} bytes, expected {}", name, stored.bytes, *expected.bytes));
  }
  if (!expected.sha256.empty() && expected.sha256 != digest) {
    return configuration_error(
        fmt::format("'{}' has the wrong digest: expected sha256 {}, found {}", name, expected.sha256, digest));
  }
  const auto target = path_of(digest);
  // An intact copy stays where it is: somebody may be reading it. A damaged one is replaced.
  if (contains(digest) && verified_path(digest)) return stored;
  PATCHLAB_TRY(create_folders(target.parent_path()));
  PATCHLAB_TRY(rename_file(written, target));
  return stored;
}

bool ContentStore::contains(const std::string& sha256) const {
  std::error_code ignored;
  return is_sha256(sha256) && std::filesystem::is_regular_file(path_of(sha256), ignored);
}

Result<std::filesystem::path> ContentStore::verified_path(const std::string& sha256) const {
  if (!contains(sha256)) {
    return configuration_error(fmt::format("no file with sha256 {} in the content store '{}'", sha256, root_.string()));
  }
  auto path = path_of(sha256);
  PATCHLAB_ASSIGN(const auto found, sha256_of_file(path));
  if (found != sha256) {
    return infrastructure_error(
        fmt::format("'{}' in the content store is damaged: expected sha256 {}, found {}", path.string(), sha256, found),
        "remove this file; it is fetched or built again by the next run");
  }
  return path;
}

ContentStore default_store() { return ContentStore(cache_folder() / "store"); }

}  // namespace patchlab::patches
