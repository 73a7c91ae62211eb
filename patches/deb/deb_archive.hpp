// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// The container format of deb(5): an ar archive of "debian-binary", control.tar[.x] and data.tar[.x], and the tar
// archives inside.
namespace patchlab::patches {

// What a package may cost at most. A hostile file must not fill memory or disk, nor keep us busy for ever.
struct DebLimits {
  std::uint64_t file_bytes = 4ULL << 30U;       // the .deb itself
  std::uint64_t unpacked_bytes = 16ULL << 30U;  // of one member, decompressed
  std::uint64_t entries = 1'000'000;            // files in one member
  std::uint64_t content_bytes = 512ULL << 20U;  // contents kept in memory together
};

// One member of the ar archive, as a byte range of the file.
struct DebMember {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct DebLayout {
  DebMember control;
  DebMember data;
};

enum class EntryType { file, folder, symlink, hardlink, other };

struct TarEntry {
  std::string path;  // as archived, usually with a leading "./"
  EntryType type = EntryType::file;
  std::uint32_t mode = 0644;  // permission bits
  std::int64_t user_id = 0;
  std::int64_t group_id = 0;
  std::string user;
  std::string group;
  std::int64_t modified = 0;  // seconds since 1970
  std::string target;         // of a symbolic or hard link
  std::uint64_t bytes = 0;
  std::string content;  // only when asked for: the bytes, or their SHA-256
  bool operator==(const TarEntry&) const = default;
};

// Below the root, as dpkg and tar read it: "./usr/bin/x", "/usr/bin/x", ".//usr/./bin/x" -> "usr/bin/x"; "./" -> "".
[[nodiscard]] std::string plain_path(const std::string& archived);

// Checks the ar archive to its last byte: a truncated file is found here.
[[nodiscard]] Result<DebLayout> read_deb_layout(const std::filesystem::path& deb, const DebLimits& limits = {});

enum class Content { skip, keep, digest };
using ContentWanted = std::function<Content(const TarEntry&)>;
using VisitEntry = std::function<Result<void>(TarEntry&&)>;

// Decompresses one member to its very end (compression checksums included) and shows every entry. Names that leave the
// root ('..') are refused. An archive without entries is one. Errors say "'file': member: why".
[[nodiscard]] Result<void> walk_member(const std::filesystem::path& deb, const DebMember& member,
                                       const DebLimits& limits, const ContentWanted& wanted, const VisitEntry& visit);

// The text of a .gz file; refused above `limit` bytes.
[[nodiscard]] Result<std::string> unpacked_gzip(std::string_view bytes, std::size_t limit);

// A tar archive in dpkg's dialect (GNU), compressed with xz; the same entries give the same bytes.
[[nodiscard]] Result<std::string> pack_tar_xz(const std::vector<TarEntry>& entries);
// The whole package from its two members; `stamp` (seconds since 1970) goes into the ar headers.
[[nodiscard]] std::string pack_deb(const std::string& control_tar_xz, const std::string& data_tar_xz,
                                   std::int64_t stamp);

}  // namespace patchlab::patches
