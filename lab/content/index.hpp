// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// What a golden image is made of, block by block: docs/adr/0037-images-travel-by-digest.md.
namespace patchlab::lab::content {

inline constexpr std::size_t page_bytes = 4096;  // blocks begin at multiples of it in their file
inline constexpr std::size_t most_block_bytes = 1U << 20U;
inline constexpr std::uint64_t most_file_bytes = std::uint64_t{1} << 44U;
inline constexpr std::uint64_t most_index_bytes = 256U << 20U;  // of an image of 100 GiB, three quarters

struct Block {
  std::uint32_t bytes = 0;  // 1 to most_block_bytes; of all but the last of a file a multiple of page_bytes
  std::string sha256;       // empty: nothing but zeros
  bool operator==(const Block&) const = default;
};

struct IndexedFile {
  std::string name;  // one of those that images have; never a path
  std::uint64_t bytes = 0;
  std::string sha256;
  std::vector<Block> blocks;  // in order; their sizes make `bytes`
  bool operator==(const IndexedFile&) const = default;
};

// The same for the same image, whoever makes it and when. It is named by the SHA-256 of its text.
struct Index {
  std::string image;                          // GoldenImage::contents
  std::string name;                           // of its recipe
  std::string built;                          // RFC 3339
  std::vector<IndexedFile> files;             // by name
  [[nodiscard]] std::uint64_t bytes() const;  // of all files, without blocks of zeros
  bool operator==(const Index&) const = default;
};

inline constexpr const char* described_in = "image.json";  // the file whose SHA-256 is Index::image

[[nodiscard]] std::string index_text(const Index& index);
// What is taken is written back byte for byte. `where` is for the error (configuration). Costs in proportion to the
// text, whatever sizes it claims.
[[nodiscard]] Result<Index> parse_index(std::string_view text, const std::string& where);

}  // namespace patchlab::lab::content
