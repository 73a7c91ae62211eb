// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/objects.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"

namespace patchlab::promotion {
namespace {

constexpr mode_t mode_of_objects = 0440;
constexpr const char* signature_suffix = ".sig";
constexpr const char* temporary_prefix = ".new-";

bool is_missing(const std::filesystem::path& path) {
  return status_of(path).type() == std::filesystem::file_type::not_found;
}

// Never over what is there. A file system that does not know the flag gets the same from the lock that we hold.
int rename_once(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (!is_missing(to)) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

Result<void> ObjectFolder::write_new(const std::string& name, const std::string& bytes) const {
  const auto temporary = folder_ / (temporary_prefix + name);
  const auto give_up = [&](const char* action, int saved) -> Error {
    ::unlink(temporary.c_str());
    return errno_error(fmt::format("{} '{}'", action, temporary.string()), saved);
  };
  step("object-create");
  {
    const FileDescriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_of_objects));
    if (!file.valid()) return errno_error("creating '" + temporary.string() + "'", errno);
    step("object-mode");
    if (::fchmod(file.get(), mode_of_objects) != 0) return give_up("changing the mode of", errno);
    step("object-write");
    if (!write_all(file.get(), bytes)) return give_up("writing", errno);
    step("object-sync");
    if (::fsync(file.get()) != 0) return give_up("syncing", errno);
  }
  step("object-rename");
  if (const int trouble = rename_once(temporary, folder_ / name); trouble != 0)
    return give_up(fmt::format("giving the name '{}' to", name).c_str(), trouble);
  step("object-folder-sync");
  return sync_path(folder_);
}

Result<std::string> ObjectFolder::put(const std::string& bytes) const {
  auto digest = sha256(bytes);
  if (bytes.size() > largest_object)
    return configuration_error(fmt::format("{} bytes are too many for one object of the ledger", bytes.size()));
  if (!is_missing(path(digest))) {
    PATCHLAB_TRY(get(digest));
    return digest;
  }
  PATCHLAB_TRY(write_new(digest, bytes));
  return digest;
}

Result<void> ObjectFolder::put_signature(const std::string& digest, const std::string& signature, Older older) const {
  const auto name = digest + signature_suffix;
  if (!is_missing(folder_ / name)) {
    PATCHLAB_ASSIGN(const auto there, this->signature(digest));
    if (there == signature) return {};
    if (older == Older::keep) {
      return configuration_error(fmt::format("'{}' has another signature already", path(digest).string()),
                                 damaged_hint);
    }
    step("signature-remove");
    if (::unlink((folder_ / name).c_str()) != 0)
      return errno_error(fmt::format("removing '{}'", (folder_ / name).string()), errno);
  }
  return write_new(name, signature);
}

Result<std::string> ObjectFolder::get(const std::string& digest) const {
  if (!is_sha256(digest)) return configuration_error(fmt::format("'{}' is no SHA-256", digest));
  PATCHLAB_ASSIGN(auto bytes, read_file(path(digest), largest_object, Links::refuse));
  if (sha256(bytes) != digest) {
    return configuration_error(fmt::format("'{}' was changed: its digest is {}", path(digest).string(), sha256(bytes)),
                               damaged_hint);
  }
  return bytes;
}

Result<std::string> ObjectFolder::signature(const std::string& digest) const {
  return read_file(folder_ / (digest + signature_suffix), 1U << 20U, Links::refuse);
}

bool ObjectFolder::has(const std::string& digest) const { return is_sha256(digest) && !is_missing(path(digest)); }

Result<std::vector<std::string>> ObjectFolder::verify() const {
  std::vector<std::string> digests;
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder_));
  for (const auto& entry : entries) {
    const auto name = entry.filename().string();
    if (name.starts_with(temporary_prefix)) continue;  // the next append removes it
    const auto digest = name.substr(0, 64);
    if (is_sha256(name)) {
      PATCHLAB_TRY(get(name));
      digests.push_back(name);
    } else if (is_sha256(digest) && name == digest + signature_suffix) {
      PATCHLAB_TRY(signature(digest));
      if (!has(digest)) return configuration_error(fmt::format("'{}' signs what is not there", entry.string()));
    } else {
      return configuration_error(fmt::format("'{}' does not belong here", entry.string()), damaged_hint);
    }
  }
  return digests;
}

Result<void> ObjectFolder::remove_leftovers() const { return remove_temporary_files(folder_); }

Result<void> remove_temporary_files(const std::filesystem::path& folder) {
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
  for (const auto& entry : entries) {
    if (entry.filename().string().starts_with(temporary_prefix))
      PATCHLAB_TRY(remove_tree(entry).while_doing("removing a leftover"));
  }
  return {};
}

}  // namespace patchlab::promotion
