// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "lab/core/files.hpp"
#include "lab/core/result.hpp"

namespace patchlab::patches {

// Bytes at offsets: a file on disk, or memory in tests and fuzzers. Parsers read from it and never map a file, because
// a mapping ends the process when somebody shortens the file meanwhile.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // How many bytes were read; fewer than asked for only at the end.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t bytes) const = 0;

  // Exactly so many bytes; an error "'name' is truncated: ..." when they are not there. Checked against the size before
  // any memory is taken.
  [[nodiscard]] Result<std::string> block(std::uint64_t offset, std::uint64_t bytes, const std::string& name) const;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t bytes) const override;

 private:
  std::string_view bytes_;  // the caller's
};

class FileSource : public ByteSource {
 public:
  // Regular files only: a pipe or device could keep us waiting.
  [[nodiscard]] static Result<FileSource> open(const std::filesystem::path& path);
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t bytes) const override;

 private:
  FileSource(FileDescriptor file, std::uint64_t size, std::string name)
      : file_(std::move(file)), size_(size), name_(std::move(name)) {}
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::string name_;
};

// pread until all is there or the end is reached.
[[nodiscard]] Result<std::size_t> read_fully(int file, std::uint64_t offset, char* into, std::size_t bytes,
                                             const std::string& name);

// Little-endian numbers inside a block. Reading past its end is a bug of the caller, who must have checked the size; it
// gives 0.
[[nodiscard]] std::uint16_t u16_at(std::string_view block, std::size_t offset);
[[nodiscard]] std::uint32_t u32_at(std::string_view block, std::size_t offset);

}  // namespace patchlab::patches
