// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "patches/bytes/byte_source.hpp"

namespace patchlab::patches {

// A stream of the root storage. Names are UTF-16 and Windows Installer packs two characters into one, so they stay code
// units.
struct CompoundStream {
  std::u16string name;
  std::uint32_t first_sector = 0;
  std::uint64_t bytes = 0;
};

// OLE2 compound files ([MS-CFB]), as much of them as installer databases need: the root storage's class and streams.
//
// Our own reader instead of libmsi or libgsf: these parse whatever they are given inside our process, bring GLib along,
// and what a hostile file does to them cannot be mended here. Reading three streams takes little. Every chain of
// sectors is as long as the file at most.
class CompoundFile {
 public:
  // `source` must outlive it. Errors say "'name' ...".
  [[nodiscard]] static Result<CompoundFile> open(const ByteSource& source, const std::string& name);

  // The class of the root storage as a GUID: "{000C1084-0000-0000-C000-000000000046}".
  [[nodiscard]] const std::string& root_class() const { return root_class_; }
  [[nodiscard]] const std::vector<CompoundStream>& streams() const { return streams_; }
  [[nodiscard]] const CompoundStream* find(std::u16string_view name) const;
  // The whole stream; one above `limit` is refused before memory is taken.
  [[nodiscard]] Result<std::string> read(const CompoundStream& stream, std::uint64_t limit) const;

 private:
  friend class CompoundFileOpener;
  explicit CompoundFile(const ByteSource& source, std::string name) : source_(&source), name_(std::move(name)) {}
  [[nodiscard]] Error trouble(const std::string& what) const;
  [[nodiscard]] std::uint64_t offset_of(std::uint32_t sector) const;
  [[nodiscard]] Result<std::string> chain(std::uint32_t first, std::uint64_t bytes) const;
  [[nodiscard]] Result<std::string> mini_chain(std::uint32_t first, std::uint64_t bytes) const;
  [[nodiscard]] Result<std::string> sector(std::uint32_t number) const;

  const ByteSource* source_;
  std::string name_;
  std::size_t sector_bytes_ = 512;
  std::uint32_t mini_cutoff_ = 4096;  // streams below it lie in mini sectors of 64 bytes
  std::vector<std::uint32_t> next_;   // the sector after each sector
  std::vector<std::uint32_t> mini_next_;
  std::string mini_stream_;  // the bytes of all mini sectors
  std::vector<CompoundStream> streams_;
  std::string root_class_;
};

}  // namespace patchlab::patches
