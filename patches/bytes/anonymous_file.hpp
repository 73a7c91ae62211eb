// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "patches/bytes/byte_source.hpp"

namespace patchlab::patches {

// Where unpacked bytes go. A refusal ends the unpacking with that error.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  [[nodiscard]] virtual Result<void> write(std::string_view bytes) = 0;
};

// Keeps a small file in memory; what is bigger than the limit is refused, whatever size it declared.
class TextSink : public ByteSink {
 public:
  explicit TextSink(std::uint64_t limit) : limit_(limit) {}
  [[nodiscard]] Result<void> write(std::string_view bytes) override;
  std::string bytes;

 private:
  std::uint64_t limit_;
};

// A file without a name in the folder for temporary files: too big for memory, and gone with its descriptor, even after
// a crash.
class AnonymousFile : public ByteSink, public ByteSource {
 public:
  [[nodiscard]] static Result<AnonymousFile> create(std::uint64_t limit);
  [[nodiscard]] Result<void> write(std::string_view bytes) override;
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t bytes) const override;

 private:
  AnonymousFile(FileDescriptor file, std::uint64_t limit) : file_(std::move(file)), limit_(limit) {}
  FileDescriptor file_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
};

}  // namespace patchlab::patches
