// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/result.hpp"

namespace patchlab::history {

// Where an index is, as people write it: sqlite3://FILE, or what libpq takes as a URI, postgresql://USER@HOST/DATABASE.
struct HistoryPlace {
  enum class Kind { sqlite, postgresql };
  Kind kind = Kind::sqlite;
  std::filesystem::path file;  // of SQLite, absolute
  std::string uri;             // of PostgreSQL; may hold a password
  // For people: a file, or of a URI the hosts and the database, as far as these are surely no secret.
  [[nodiscard]] std::string shown() const;
  bool operator==(const HistoryPlace&) const = default;
};
// An error (usage) for anything else.
[[nodiscard]] Result<HistoryPlace> parse_history_place(const std::string& text);
[[nodiscard]] HistoryPlace place_of_file(std::filesystem::path absolute_file);

}  // namespace patchlab::history
