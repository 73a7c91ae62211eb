// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/place.hpp"

#include <fmt/format.h>

#include "lab/core/paths.hpp"

namespace patchlab::history {
namespace {

constexpr std::string_view sqlite_scheme = "sqlite3://";
constexpr std::string_view postgresql_scheme = "postgresql://";
constexpr const char* forms = "sqlite3://FILE or postgresql://USER@HOST/DATABASE";
constexpr std::string_view hidden = "***";

// What stands between `begin` and the first of `ends`, or the end, is hidden.
void hide(std::string& text, std::size_t begin, std::string_view ends) {
  const auto end = std::min(text.find_first_of(ends, begin), text.size());
  text.replace(begin, end - begin, hidden);
}

}  // namespace

std::string HistoryPlace::shown() const {
  if (kind == Kind::sqlite) return std::string(sqlite_scheme) + file.string();
  auto text = uri;
  // "postgresql://user:password@host/": the last '@' before the path ends the user's part.
  const auto begin = postgresql_scheme.size();
  const auto path = std::min(text.find_first_of("/?", begin), text.size());
  const auto at = text.rfind('@', path);
  const auto colon = text.find(':', begin);
  if (at != std::string::npos && colon != std::string::npos && colon < at)
    text.replace(colon + 1, at - colon - 1, hidden);
  for (const auto* key : {"password=", "sslpassword="}) {
    for (auto found = text.find(key); found != std::string::npos; found = text.find(key, found + 1))
      hide(text, found + std::string_view(key).size(), "&");
  }
  return text;
}

HistoryPlace place_of_file(std::filesystem::path absolute_file) {
  return {HistoryPlace::Kind::sqlite, std::move(absolute_file), {}};
}

Result<HistoryPlace> parse_history_place(const std::string& text) {
  if (text.starts_with(postgresql_scheme)) return HistoryPlace{HistoryPlace::Kind::postgresql, {}, text};
  if (text.starts_with(sqlite_scheme)) {
    const auto file = text.substr(sqlite_scheme.size());
    if (file.empty())
      return usage_error(fmt::format("--history '{}' names no file", text), fmt::format("write {}", forms));
    // It goes to SQLite between quotes.
    if (file.find('"') != std::string::npos)
      return usage_error(fmt::format("--history '{}': a quote cannot be in the name of an index", text));
    PATCHLAB_ASSIGN(auto path, absolute_path(file).while_doing("--history"));
    return place_of_file(std::move(path));
  }
  return usage_error(fmt::format("--history '{}' is no place for an index",
                                 text.find("://") == std::string::npos ? text : text.substr(0, text.find("://") + 3)),
                     fmt::format("write {}", forms));
}

}  // namespace patchlab::history
