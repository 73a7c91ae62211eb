// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab {

// A file descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  int release();

 private:
  int number_ = -1;
};

// Refuses files above `limit` bytes, so that a hostile or wrong file cannot fill the memory.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit = 256U << 20U);
// Writes to a temporary name in the same folder, syncs file and folder, renames: readers see the old or the new text,
// never half.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text);
[[nodiscard]] Result<void> create_folders(const std::filesystem::path& path);
// fsync on a file or folder.
[[nodiscard]] Result<void> sync_path(const std::filesystem::path& path);

// An advisory lock (flock) held as long as the object lives. Never left behind by a killed process.
class FileLock {
 public:
  enum class Mode { shared, exclusive };
  enum class Blocking { yes, no };
  // With Blocking::no a lock held by somebody else is an error that says so.
  [[nodiscard]] static Result<FileLock> take(const std::filesystem::path& path, Mode mode, Blocking blocking);

 private:
  explicit FileLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

// ${PATCHLAB_CACHE}, else ${XDG_CACHE_HOME}/patchlab, else ~/.cache/patchlab; made when it is missing. In it are images
// that become machines, files that are promoted, and what guests remember: it is ours, nobody else can write to it, and
// from now on nobody else can look into it. Without HOME it is an error: a folder that all users share is nobody's.
[[nodiscard]] Result<std::filesystem::path> own_cache();
// The same folder, absolute, for who knows that own_cache() would find it good: every command that uses it starts with
// that. Throws std::logic_error when there is none.
[[nodiscard]] std::filesystem::path cache_folder();

// While it lives, new files are readable for all users (umask 022), in spite of the program's rule (077): for folders
// that other users' processes must read. Of the whole process: to be used while nothing else makes files.
class FilesForAll {
 public:
  FilesForAll();
  ~FilesForAll();
  FilesForAll(const FilesForAll&) = delete;
  FilesForAll& operator=(const FilesForAll&) = delete;

 private:
  unsigned before_;
};

}  // namespace patchlab
