// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msi/installer_database.hpp"

#include <fmt/format.h>

#include "lab/core/json.hpp"
#include "patches/msu/text_encoding.hpp"

namespace patchlab::patches {
namespace {

constexpr std::uint64_t pool_limit = 16ULL << 20U;  // four million strings
constexpr std::uint64_t text_limit = 256ULL << 20U;
constexpr std::uint64_t table_limit = 16ULL << 20U;
constexpr std::size_t most_rows = 100'000;
constexpr std::uint64_t row_text_limit = 64ULL << 20U;  // many cells may name one long string

constexpr char16_t table_mark = 0x4840;
constexpr char16_t pair_base = 0x3800;    // two characters in one unit
constexpr char16_t single_base = 0x4800;  // the last one of an odd name
constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";

// A reference of three bytes instead of two: databases with many strings.
constexpr std::uint32_t long_references = 0x80000000;

std::uint32_t reference_at(std::string_view table, std::size_t at, std::size_t bytes) {
  return u32_at(table.substr(0, at + bytes), at);
}

}  // namespace

std::u16string table_stream_name(std::string_view table) {
  const auto digit = [](char c) { return static_cast<char16_t>(alphabet.find(c)); };
  std::u16string name(1, table_mark);
  for (std::size_t i = 0; i < table.size(); i += 2) {
    const bool pair = i + 1 < table.size();
    name += static_cast<char16_t>(pair ? pair_base + digit(table[i]) + digit(table[i + 1]) * 64
                                       : single_base + digit(table[i]));
  }
  return name;
}

Result<InstallerDatabase> InstallerDatabase::open(const CompoundFile& file, const std::string& name) {
  InstallerDatabase database(file, name);
  const auto* pool_stream = file.find(table_stream_name("_StringPool"));
  const auto* data_stream = file.find(table_stream_name("_StringData"));
  if (pool_stream == nullptr || data_stream == nullptr)
    return configuration_error(fmt::format("'{}' is no installer database: it has no string pool", name));
  PATCHLAB_ASSIGN(const auto pool, file.read(*pool_stream, pool_limit));
  PATCHLAB_ASSIGN(database.data_, file.read(*data_stream, text_limit));
  if ((u32_at(pool, 0) & long_references) != 0) database.reference_bytes_ = 3;
  // Entry 0 is the code page. An entry is a length and a count of uses; a length of 0 with uses means that these are
  // the upper half of the length, and the lower half stands in the next entry.
  database.strings_.emplace_back();
  std::size_t used = 0;
  for (std::size_t at = 4; at + 4 <= pool.size(); at += 4) {
    std::size_t bytes = u16_at(pool, at);
    if (bytes == 0 && u16_at(pool, at + 2) != 0 && at + 8 <= pool.size()) {
      bytes = (std::size_t{u16_at(pool, at + 2)} << 16U) | u16_at(pool, at + 4);
      at += 4;
    }
    if (bytes > database.data_.size() - used)
      return configuration_error(fmt::format("'{}' is damaged: its string pool is longer than its strings", name));
    database.strings_.push_back({used, bytes});
    used += bytes;
  }
  return database;
}

std::string InstallerDatabase::text(const Place& place) const {
  const auto bytes = std::string_view(data_).substr(place.at, place.bytes);
  const auto valid = to_valid_utf8(bytes);
  return valid == bytes ? valid : latin1_as_utf8(bytes);
}

bool InstallerDatabase::has(std::string_view table) const { return file_->find(table_stream_name(table)) != nullptr; }

Result<std::vector<std::vector<std::string>>> InstallerDatabase::rows(std::string_view table,
                                                                      std::size_t columns) const {
  return rows(table, std::vector(columns, Column::text));
}

Result<std::vector<std::vector<std::string>>> InstallerDatabase::rows(std::string_view table,
                                                                      const std::vector<Column>& columns) const {
  std::vector<std::vector<std::string>> rows;
  const auto* stream = file_->find(table_stream_name(table));
  if (stream == nullptr) return rows;
  PATCHLAB_ASSIGN(const auto bytes, file_->read(*stream, table_limit));
  const auto width_of = [&](Column column) -> std::size_t {
    switch (column) {
      case Column::text: return reference_bytes_;
      case Column::number16: return 2;
      case Column::number32: return 4;
    }
    return 0;
  };
  std::size_t width = 0;
  for (const auto column : columns) width += width_of(column);
  const auto count = bytes.size() / width;
  if (count > most_rows || count * width != bytes.size()) {
    return configuration_error(fmt::format("'{}' is damaged: its table '{}' has {} bytes", name_, table, bytes.size()));
  }
  rows.resize(count);
  std::uint64_t taken = 0;
  std::size_t at = 0;
  // Column by column: all first cells, then all second cells.
  for (const auto column : columns) {
    for (std::size_t row = 0; row < count; ++row, at += width_of(column)) {
      const auto number = reference_at(bytes, at, width_of(column));
      if (column != Column::text) {
        // Numbers are stored with their sign bit turned over, so that 0 can stand for null.
        const bool is_short = column == Column::number16;
        const auto value = is_short ? static_cast<std::int32_t>(static_cast<std::int16_t>(number ^ 0x8000U))
                                    : static_cast<std::int32_t>(number ^ 0x80000000U);
        rows[row].push_back(number == 0 ? std::string{} : fmt::format("{}", value));
        continue;
      }
      if (number >= strings_.size())
        return configuration_error(
            fmt::format("'{}' is damaged: its table '{}' names a string that is not there", name_, table));
      taken += strings_[number].bytes;
      if (taken > row_text_limit)
        return configuration_error(
            fmt::format("'{}': its table '{}' holds more than {} bytes", name_, table, row_text_limit));
      rows[row].push_back(text(strings_[number]));
    }
  }
  return rows;
}

}  // namespace patchlab::patches
