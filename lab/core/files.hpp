// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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

// Whether the last part of a path may be a symbolic link.
enum class Links { follow, refuse };

// A file that others can write, opened for reading. It is a regular file: a pipe or a device could keep us waiting for
// ever, and a folder cannot be read. What it is instead, and the next step, are in the error. Its class: configuration
// when the path is wrong or names what cannot be read as a file, infrastructure when the host cannot read.
struct InputFile {
  FileDescriptor file;
  std::uintmax_t bytes = 0;  // when it was opened; 0 for what the kernel makes up (/proc)
};
[[nodiscard]] Result<InputFile> open_input(const std::filesystem::path& path, Links links = Links::follow);

// Refuses files above `limit` bytes, so that a hostile or wrong file cannot fill the memory.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit = 256U << 20U,
                                            Links links = Links::follow);
// Writes to a temporary name in the same folder, syncs file and folder, renames: readers see the old or the new text,
// never half. A mode that is given is set whatever the umask says.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                                 std::optional<unsigned> mode = std::nullopt);
[[nodiscard]] Result<void> create_folders(const std::filesystem::path& path);
// fsync on a file or folder.
[[nodiscard]] Result<void> sync_path(const std::filesystem::path& path);

// The error of an input that could not be opened: "opening '/x': No such file or directory", with what to do about it.
[[nodiscard]] Error input_error(const std::filesystem::path& path, int saved_errno);

// ${PATCHLAB_CACHE}, else ${XDG_CACHE_HOME}/patchlab, else ~/.cache/patchlab; made when it is missing. In it are images
// that become machines, and what guests remember: it is ours, nobody else can write to it or from now on look into it,
// but who passes by its group (mode 0710). Without HOME: an error, since a folder that all users share is nobody's.
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
