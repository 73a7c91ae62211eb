// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"

namespace patchlab::lab::content {
namespace {

constexpr std::string_view first_line = "patchlab content index 1";
constexpr std::string_view zeros = "0";

struct KnownFile {
  std::string_view name;
  bool always;
};
// By name, as they stand in an index.
constexpr std::array<KnownFile, 6> known_files{{{"disk.qcow2", true},
                                                {"dpkg-status", true},
                                                {"image.json", true},
                                                {"initrd", true},
                                                {"kernel", true},
                                                {"provenance.json", false}}};

// One spelling: no sign, no zero in front.
std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (trouble != std::errc() || end != text.data() + text.size() || number > most) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : text_(text), size_(text.size()), where_(where) {}

  Result<Index> parse() {
    if (next_line() != first_line) return wrong("does not begin with '" + std::string(first_line) + "'");
    Index index;
    const auto image = split(next_line(), ' ');
    if (image.size() != 4 || image[0] != "image" || !is_sha256(image[1]) || !is_candidate_id(image[2]) ||
        !parse_rfc3339(image[3]))
      return wrong("is not 'image SHA-256 NAME TIME'");
    index.image = image[1];
    index.name = image[2];
    index.built = image[3];
    auto line = next_line();
    for (const auto& known : known_files) {
      const auto words = split(line, ' ');
      if (words.size() != 4 || words[0] != "file" || words[1] != known.name) {
        if (!known.always) continue;
        return wrong(fmt::format("is not 'file {} BYTES SHA-256'", known.name));
      }
      const auto bytes = number_in(words[2], most_file_bytes);
      if (!bytes || !is_sha256(words[3])) return wrong("has no size, or one that is too large, or no SHA-256");
      IndexedFile file{std::string(words[1]), *bytes, std::string(words[3]), {}};
      PATCHLAB_TRY(read_blocks(file, line));
      if (file.name == described_in && file.sha256 != index.image)
        return wrong(fmt::format("comes behind a '{}' that is not the image's", described_in));
      index.files.push_back(std::move(file));
    }
    if (!line.empty() || !text_.empty() || index_text(index).size() != size_) return wrong("is one too many");
    return index;
  }

 private:
  // Empty: there is none, or it has no end.
  std::string_view next_line() {
    ++number_;
    const auto end = text_.find('\n');
    if (end == std::string_view::npos) return {};
    const auto line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return line;
  }
  // `line` is the one behind them then.
  Result<void> read_blocks(IndexedFile& file, std::string_view& line) {
    std::uint64_t sum = 0;
    for (line = next_line(); sum < file.bytes; line = next_line()) {
      const auto words = split(line, ' ');
      const auto bytes = words.size() == 2 ? number_in(words[0], most_block_bytes) : std::nullopt;
      if (!bytes || *bytes == 0 || (words[1] != zeros && !is_sha256(words[1])))
        return wrong("is not 'BYTES SHA-256', nor 'BYTES 0'");
      sum += *bytes;
      if (sum > file.bytes || (sum < file.bytes && *bytes % page_bytes != 0))
        return wrong("is a block that does not fit into its file");
      file.blocks.push_back({static_cast<std::uint32_t>(*bytes), std::string(words[1] == zeros ? "" : words[1])});
    }
    return {};
  }
  [[nodiscard]] Error wrong(const std::string& what) const {
    return configuration_error(fmt::format("'{}' is no index of an image: line {} {}", where_, number_, what));
  }

  std::string_view text_;
  const std::size_t size_;
  const std::string& where_;
  std::size_t number_ = 0;
};

}  // namespace

std::uint64_t Index::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files) {
    for (const auto& block : file.blocks) sum += block.sha256.empty() ? 0 : block.bytes;
  }
  return sum;
}

std::string index_text(const Index& index) {
  auto text = fmt::format("{}\nimage {} {} {}\n", first_line, index.image, index.name, index.built);
  for (const auto& file : index.files) {
    text += fmt::format("file {} {} {}\n", file.name, file.bytes, file.sha256);
    for (const auto& block : file.blocks)
      text += fmt::format("{} {}\n", block.bytes, block.sha256.empty() ? zeros : block.sha256);
  }
  return text;
}

Result<Index> parse_index(std::string_view text, const std::string& where) { return Parser(text, where).parse(); }

}  // namespace patchlab::lab::content
