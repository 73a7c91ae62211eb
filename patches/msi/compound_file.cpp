// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msi/compound_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::patches {
namespace {

constexpr std::string_view magic("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
constexpr std::size_t header_bytes = 512;
constexpr std::size_t header_fat_entries = 109;  // sectors of the allocation table that the header names itself
constexpr std::size_t entry_bytes = 128;
constexpr std::size_t mini_sector_bytes = 64;
constexpr std::uint32_t last_regular_sector = 0xfffffffa;  // above: marks for the end, free, and tables
constexpr std::uint32_t no_entry = 0xffffffff;
constexpr std::uint64_t file_limit = 4ULL << 30U;
constexpr std::uint64_t directory_limit = 64ULL << 20U;
constexpr std::uint64_t mini_stream_limit = 256ULL << 20U;
constexpr char stream_entry = 2;
constexpr char root_entry = 5;

std::string guid_text(std::string_view bytes) {
  std::string tail;
  for (std::size_t i = 8; i < 16; ++i) {
    if (i == 10) tail += '-';
    tail += fmt::format("{:02X}", static_cast<unsigned char>(bytes[i]));
  }
  return fmt::format("{{{:08X}-{:04X}-{:04X}-{}}}", u32_at(bytes, 0), u16_at(bytes, 4), u16_at(bytes, 6), tail);
}

std::vector<std::uint32_t> numbers_in(std::string_view bytes) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(bytes.size() / 4);
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) numbers.push_back(u32_at(bytes, at));
  return numbers;
}

std::u16string name_in(std::string_view entry) {
  const std::size_t bytes = std::min<std::size_t>(u16_at(entry, 64), 64);  // with its final zero
  std::u16string name;
  for (std::size_t at = 0; at + 2 < bytes; at += 2) name += static_cast<char16_t>(u16_at(entry, at));
  return name;
}

}  // namespace

// Reads the tables. Apart from the file they make, so that a half-opened one cannot be seen.
class CompoundFileOpener {
 public:
  CompoundFileOpener(const ByteSource& source, const std::string& name) : file_(source, name) {}

  Result<CompoundFile> open() {
    PATCHLAB_TRY(read_header());
    PATCHLAB_TRY(read_allocation_table());
    PATCHLAB_TRY(read_directory());
    return std::move(file_);
  }

 private:
  Result<void> read_header() {
    PATCHLAB_ASSIGN(header_, file_.source_->block(0, header_bytes, file_.name_));
    if (!header_.starts_with(magic)) return file_.trouble("is no compound file");
    if (file_.source_->size() > file_limit)
      return file_.trouble(fmt::format("is bigger than the {} bytes allowed", file_limit));
    const auto shift = u16_at(header_, 30);
    if (shift != 9 && shift != 12) return file_.trouble(fmt::format("is damaged: sectors of 2^{} bytes", shift));
    if (u16_at(header_, 32) != 6)
      return file_.trouble(fmt::format("is damaged: mini sectors of 2^{} bytes", u16_at(header_, 32)));
    file_.sector_bytes_ = std::size_t{1} << shift;
    file_.mini_cutoff_ = u32_at(header_, 56);
    return {};
  }

  // The header names the first sectors of the table; a chain of further sectors names the rest.
  Result<void> read_allocation_table() {
    const std::uint64_t sectors = file_.source_->size() / file_.sector_bytes_ + 1;
    const auto per_sector = file_.sector_bytes_ / 4;
    const std::uint64_t wanted = u32_at(header_, 44);
    if (wanted > sectors)
      return file_.trouble(
          fmt::format("is damaged: {} sectors of allocation table in a file of {} sectors", wanted, sectors));
    auto places = numbers_in(std::string_view(header_).substr(76, header_fat_entries * 4));
    auto more = u32_at(header_, 68);
    for (std::uint64_t seen = 0; more < last_regular_sector && places.size() < wanted; ++seen) {
      if (seen > sectors) return file_.trouble("is damaged: its allocation table goes round in a circle");
      PATCHLAB_ASSIGN(const auto block, file_.sector(more));
      const auto numbers = numbers_in(block);
      places.insert(places.end(), numbers.begin(), numbers.end() - 1);
      more = numbers.back();
    }
    if (places.size() < wanted) return file_.trouble("is damaged: a part of its allocation table is missing");
    file_.next_.reserve(wanted * per_sector);
    for (std::size_t i = 0; i < wanted; ++i) {
      PATCHLAB_ASSIGN(const auto block, file_.sector(places[i]));
      const auto numbers = numbers_in(block);
      file_.next_.insert(file_.next_.end(), numbers.begin(), numbers.end());
    }
    return {};
  }

  Result<void> read_directory() {
    // Its length is stated nowhere: it is as long as its chain.
    PATCHLAB_ASSIGN(const auto bytes, chain_length(u32_at(header_, 48)));
    if (bytes > directory_limit)
      return file_.trouble(fmt::format("has a directory of more than the {} bytes allowed", directory_limit));
    PATCHLAB_ASSIGN(const auto directory, file_.chain(u32_at(header_, 48), bytes));
    if (directory.size() < entry_bytes || directory[66] != root_entry)
      return file_.trouble("is damaged: it has no root storage");
    const auto root = std::string_view(directory).substr(0, entry_bytes);
    file_.root_class_ = guid_text(root.substr(80, 16));
    PATCHLAB_TRY(read_mini_stream(u32_at(root, 116), size_in(root)));
    return read_children(directory, u32_at(root, 76));
  }

  // The streams of the root alone, which form a tree: a patch holds whole databases as storages, whose streams have the
  // same names.
  Result<void> read_children(std::string_view directory, std::uint32_t first) {
    std::vector<bool> seen(directory.size() / entry_bytes);
    std::vector<std::uint32_t> waiting{first};
    while (!waiting.empty()) {
      const auto number = waiting.back();
      waiting.pop_back();
      if (number == no_entry) continue;
      if (number >= seen.size() || seen[number]) return file_.trouble("is damaged: its directory is no tree");
      seen[number] = true;
      const auto entry = directory.substr(number * entry_bytes, entry_bytes);
      if (entry[66] == stream_entry) file_.streams_.push_back({name_in(entry), u32_at(entry, 116), size_in(entry)});
      waiting.push_back(u32_at(entry, 68));
      waiting.push_back(u32_at(entry, 72));
    }
    return {};
  }

  Result<void> read_mini_stream(std::uint32_t first, std::uint64_t bytes) {
    if (bytes == 0) return {};
    if (bytes > mini_stream_limit)
      return file_.trouble(fmt::format("keeps more than {} bytes in small streams", mini_stream_limit));
    PATCHLAB_ASSIGN(file_.mini_stream_, file_.chain(first, bytes));
    PATCHLAB_ASSIGN(const auto table_bytes, chain_length(u32_at(header_, 60)));
    PATCHLAB_ASSIGN(const auto table, file_.chain(u32_at(header_, 60), table_bytes));
    file_.mini_next_ = numbers_in(table);
    return {};
  }

  // Files with sectors of 512 bytes use only the low half of the size, and writers left rubbish in the other.
  [[nodiscard]] std::uint64_t size_in(std::string_view entry) const {
    const std::uint64_t high = file_.sector_bytes_ == 512 ? 0 : u32_at(entry, 124);
    return (high << 32U) | u32_at(entry, 120);
  }

  [[nodiscard]] Result<std::uint64_t> chain_length(std::uint32_t first) const {
    std::uint64_t count = 0;
    for (auto at = first; at < last_regular_sector; at = file_.next_[at]) {
      if (at >= file_.next_.size()) return file_.trouble(fmt::format("is damaged: sector {} is outside", at));
      if (++count > file_.next_.size()) return file_.trouble("is damaged: a chain of sectors goes round in a circle");
    }
    return count * file_.sector_bytes_;
  }

  CompoundFile file_;
  std::string header_;
};

Result<CompoundFile> CompoundFile::open(const ByteSource& source, const std::string& name) {
  return CompoundFileOpener(source, name).open();
}

const CompoundStream* CompoundFile::find(std::u16string_view name) const {
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const auto& stream) { return stream.name == name; });
  return found == streams_.end() ? nullptr : &*found;
}

Result<std::string> CompoundFile::read(const CompoundStream& stream, std::uint64_t limit) const {
  if (stream.bytes > limit)
    return trouble(fmt::format("holds a stream of {} bytes where {} are allowed", stream.bytes, limit));
  return stream.bytes < mini_cutoff_ ? mini_chain(stream.first_sector, stream.bytes)
                                     : chain(stream.first_sector, stream.bytes);
}

Error CompoundFile::trouble(const std::string& what) const {
  return configuration_error(fmt::format("'{}' {}", name_, what));
}

// Sector 0 comes after the header, which takes one sector whatever its size.
std::uint64_t CompoundFile::offset_of(std::uint32_t sector_number) const {
  return (std::uint64_t{sector_number} + 1) * sector_bytes_;
}

Result<std::string> CompoundFile::sector(std::uint32_t number) const {
  return source_->block(offset_of(number), sector_bytes_, name_);
}

Result<std::string> CompoundFile::chain(std::uint32_t first, std::uint64_t bytes) const {
  if (bytes > source_->size()) return trouble(fmt::format("is truncated: it declares a stream of {} bytes", bytes));
  std::string content;
  auto at = first;
  while (content.size() < bytes) {
    if (at >= next_.size()) return trouble("is damaged: a stream ends before its declared size");
    // The last sector of a file may be cut to what is used of it.
    PATCHLAB_ASSIGN(
        const auto block,
        source_->block(offset_of(at), std::min<std::uint64_t>(sector_bytes_, bytes - content.size()), name_));
    content += block;
    at = next_[at];
  }
  return content;
}

Result<std::string> CompoundFile::mini_chain(std::uint32_t first, std::uint64_t bytes) const {
  if (bytes > mini_stream_.size())
    return trouble(fmt::format("is damaged: a small stream of {} bytes is not there", bytes));
  std::string content;
  auto at = first;
  while (content.size() < bytes) {
    const std::uint64_t offset = std::uint64_t{at} * mini_sector_bytes;
    if (at >= mini_next_.size() || offset >= mini_stream_.size())
      return trouble("is damaged: a small stream ends before its declared size");
    content += std::string_view(mini_stream_)
                   .substr(offset, std::min<std::uint64_t>(mini_sector_bytes, bytes - content.size()));
    at = mini_next_[at];
  }
  return content;
}

}  // namespace patchlab::patches
