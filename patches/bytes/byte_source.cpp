// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/bytes/byte_source.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace patchlab::patches {

Result<std::string> ByteSource::block(std::uint64_t offset, std::uint64_t bytes, const std::string& name) const {
  const auto truncated = [&] {
    return configuration_error(fmt::format("'{}' is truncated: {} bytes at {} are not there", name, bytes, offset));
  };
  if (offset > size() || bytes > size() - offset) return truncated();
  std::string read(bytes, '\0');
  PATCHLAB_ASSIGN(const auto count, read_at(offset, read.data(), read.size()));
  if (count != bytes) return truncated();
  return read;
}

Result<std::size_t> MemorySource::read_at(std::uint64_t offset, char* into, std::size_t bytes) const {
  if (offset >= bytes_.size()) return std::size_t{0};
  return bytes_.copy(into, bytes, offset);
}

Result<FileSource> FileSource::open(const std::filesystem::path& path) {
  PATCHLAB_ASSIGN(auto input, open_input(path));
  return FileSource(std::move(input.file), input.bytes, path.string());
}

Result<std::size_t> FileSource::read_at(std::uint64_t offset, char* into, std::size_t bytes) const {
  return read_fully(file_.get(), offset, into, bytes, name_);
}

Result<std::size_t> read_fully(int file, std::uint64_t offset, char* into, std::size_t bytes, const std::string& name) {
  std::size_t done = 0;
  while (done < bytes) {
    const auto count = ::pread(file, into + done, bytes - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + name + "'", errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::uint16_t u16_at(std::string_view block, std::size_t offset) {
  return static_cast<std::uint16_t>(u32_at(block.substr(0, std::min(block.size(), offset + 2)), offset) & 0xffffU);
}

std::uint32_t u32_at(std::string_view block, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4 && offset + i < block.size(); ++i) {
    number |= static_cast<std::uint32_t>(static_cast<unsigned char>(block[offset + i])) << (8 * i);
  }
  return number;
}

}  // namespace patchlab::patches
