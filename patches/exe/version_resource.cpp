// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/exe/version_resource.hpp"

#include <algorithm>

#include "patches/bytes/byte_source.hpp"
#include "patches/msu/text_encoding.hpp"

namespace patchlab::patches {
namespace {

constexpr std::uint32_t version_type = 16;       // RT_VERSION
constexpr std::uint32_t is_folder = 0x80000000;  // of an entry's offset
constexpr std::size_t folder_bytes = 16;
constexpr std::size_t entry_bytes = 8;
constexpr std::size_t most_strings = 100;
constexpr std::size_t most_blocks = 2000;  // visited in one resource: blocks of length 0 must not hold us

// The offset stored for `wanted` in the folder at `at`, or for its first entry.
std::optional<std::uint32_t> entry_in(std::string_view section, std::size_t at, std::optional<std::uint32_t> wanted) {
  if (at + folder_bytes > section.size()) return std::nullopt;
  const std::size_t count = u16_at(section, at + 12) + std::size_t{u16_at(section, at + 14)};
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = at + folder_bytes + i * entry_bytes;
    if (entry + entry_bytes > section.size()) return std::nullopt;
    if (!wanted || u32_at(section, entry) == *wanted) return u32_at(section, entry + 4);
  }
  return std::nullopt;
}

// One block of the version tree: length, value length, type, key, value, children; each part on a boundary of four
// bytes.
struct Block {
  std::string key;
  std::string_view value;
  std::string_view children;
  std::size_t bytes = 0;
};

std::size_t aligned(std::size_t at) { return (at + 3) & ~std::size_t{3}; }

std::optional<Block> block_at(std::string_view text) {
  if (text.size() < 6) return std::nullopt;
  const std::size_t bytes = u16_at(text, 0);
  if (bytes < 6 || bytes > text.size()) return std::nullopt;
  const auto whole = text.substr(0, bytes);
  std::size_t end = 6;
  while (end + 1 < bytes && u16_at(whole, end) != 0) end += 2;
  Block block{utf16_as_utf8(whole.substr(6, end - 6)), {}, {}, bytes};
  const std::size_t value_at = aligned(end + 2);
  // The value's length counts UTF-16 units for text, bytes for numbers.
  const std::size_t value_bytes = u16_at(whole, 2) * (u16_at(whole, 4) == 1 ? std::size_t{2} : std::size_t{1});
  if (value_at < bytes) block.value = whole.substr(value_at, value_bytes);
  const std::size_t children_at = aligned(value_at + value_bytes);
  if (children_at < bytes) block.children = whole.substr(children_at);
  return block;
}

class Strings {
 public:
  void walk(std::string_view blocks, int depth) {
    while (!blocks.empty() && ++visited_ < most_blocks) {
      const auto block = block_at(blocks);
      if (!block) return;
      take(*block, depth);
      const auto next = aligned(block->bytes);
      blocks.remove_prefix(std::min(next, blocks.size()));
    }
  }
  std::map<std::string, std::string> found;

 private:
  // VS_VERSION_INFO > StringFileInfo > language and code page > strings
  void take(const Block& block, int depth) {
    if (depth == 0 && block.key == "VS_VERSION_INFO") walk(block.children, 1);
    if (depth == 1 && block.key == "StringFileInfo") walk(block.children, 2);
    if (depth == 2 && found.empty()) walk(block.children, 3);
    if (depth == 3 && found.size() < most_strings) found.emplace(block.key, text_of(block.value));
  }

  static std::string text_of(std::string_view value) {
    auto text = utf16_as_utf8(value);
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
  }

  std::size_t visited_ = 0;
};

}  // namespace

std::optional<ResourceData> find_version_resource(std::string_view section) {
  auto at = entry_in(section, 0, version_type);
  for (int level = 0; level < 2; ++level) {  // name, language
    if (!at || (*at & is_folder) == 0) return std::nullopt;
    at = entry_in(section, *at & ~is_folder, std::nullopt);
  }
  if (!at || (*at & is_folder) != 0 || std::size_t{*at} + 8 > section.size()) return std::nullopt;
  return ResourceData{u32_at(section, *at), u32_at(section, *at + 4)};
}

std::map<std::string, std::string> version_strings(std::string_view resource) {
  Strings strings;
  strings.walk(resource, 0);
  return std::move(strings.found);
}

}  // namespace patchlab::patches
