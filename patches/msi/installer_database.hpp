// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "patches/msi/compound_file.hpp"

namespace patchlab::patches {

// A column of a table, as the database format stores it.
enum class Column { text, number16, number32 };

// The tables of a Windows Installer database are streams whose names are packed and whose cells are numbers into a pool
// of strings, or numbers themselves. Read-only.
class InstallerDatabase {
 public:
  [[nodiscard]] static Result<InstallerDatabase> open(const CompoundFile& file, const std::string& name);

  // The rows of a table; none when it is not there.
  [[nodiscard]] Result<std::vector<std::vector<std::string>>> rows(std::string_view table, std::size_t columns) const;
  // The same with numbers in it, in decimal; none where a cell is null.
  [[nodiscard]] Result<std::vector<std::vector<std::string>>> rows(std::string_view table,
                                                                   const std::vector<Column>& columns) const;
  [[nodiscard]] bool has(std::string_view table) const;

 private:
  InstallerDatabase(const CompoundFile& file, std::string name) : file_(&file), name_(std::move(name)) {}
  const CompoundFile* file_;
  std::string name_;
  struct Place {
    std::size_t at = 0;
    std::size_t bytes = 0;
  };
  [[nodiscard]] std::string text(const Place& place) const;
  std::string data_;            // all strings, one after another
  std::vector<Place> strings_;  // 0 is the null string
  std::size_t reference_bytes_ = 2;
};

// "Property" as the stream's name: '!' for a table, then two characters of [0-9A-Za-z._] in each code unit.
[[nodiscard]] std::u16string table_stream_name(std::string_view table);

}  // namespace patchlab::patches
