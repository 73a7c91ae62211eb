// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"

namespace patchlab::history {
namespace {

constexpr std::string_view sqlite_scheme = "sqlite3://";
constexpr std::string_view postgresql_scheme = "postgresql://";
constexpr const char* forms = "sqlite3://FILE or postgresql://USER@HOST/DATABASE";
constexpr const char* not_shown = "...";

bool only_has(std::string_view text, std::string_view marks) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

// "db", "db:5432", "[fd00::1]:5432"
bool is_host(std::string_view text) {
  auto host = text;
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos && !text.ends_with(']')) {
    const auto port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos) return false;
    host = text.substr(0, colon);
  }
  if (host.starts_with('['))
    return host.ends_with(']') && host.find_first_not_of("0123456789abcdefABCDEF:.", 1) == host.size() - 1;
  return only_has(host, ".-");
}

// What of a URI is surely no secret, made anew of what is understood of it: hosts and the database. Of the user, of
// what stands behind '?', and of any form that is not the plain one nothing is shown: libpq takes many.
std::string shown_uri(std::string_view uri) {
  const auto rest = uri.substr(postgresql_scheme.size());
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  auto hosts = rest.substr(0, end);
  auto database = rest.substr(end);
  std::string text(postgresql_scheme);
  // Then what stands before may be a user and the begin of a password: "pat:2024#secret@db".
  if (database.find('@') != std::string_view::npos) return text + not_shown;
  if (const auto at = hosts.find('@'); at != std::string_view::npos) hosts.remove_prefix(at + 1);
  const auto each = split(hosts, ',');
  text += std::ranges::all_of(each, is_host) ? std::string(hosts) : not_shown;
  if (!database.starts_with('/')) return text;
  database = database.substr(1, database.find_first_of("?#") - 1);
  return text + "/" + (only_has(database, "._-") ? std::string(database) : not_shown);
}

// "se%cret", where two hexadecimal digits must follow.
bool has_odd_percent(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || digits.find(text[at + 1]) == std::string_view::npos ||
        digits.find(text[at + 2]) == std::string_view::npos)
      return true;
  }
  return false;
}

// Whether libpq could take a part of a password for something else, which it would say again in an error.
bool may_misplace_a_secret(std::string_view uri) {
  const auto rest = uri.substr(postgresql_scheme.size());
  if (has_odd_percent(rest)) return true;
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  auto hosts = rest.substr(0, end);
  if (rest.substr(end).find('@') != std::string_view::npos) return true;
  if (const auto at = hosts.find('@'); at != std::string_view::npos) hosts.remove_prefix(at + 1);
  const auto has_odd_port = [](std::string_view host) {
    const auto colon = host.rfind(':');
    return colon != std::string_view::npos && !host.ends_with(']') &&
           host.find_first_not_of("0123456789", colon + 1) != std::string_view::npos;
  };
  if (hosts.find('@') != std::string_view::npos || std::ranges::any_of(split(hosts, ','), has_odd_port)) return true;
  const auto question = rest.find('?', end);
  if (question == std::string_view::npos) return false;
  return std::ranges::any_of(split(rest.substr(question + 1), '&'),
                             [](std::string_view pair) { return std::ranges::count(pair, '=') != 1; });
}

}  // namespace

std::string HistoryPlace::shown() const {
  if (kind == Kind::sqlite) return std::string(sqlite_scheme) + file.string();
  return shown_uri(uri);
}

HistoryPlace place_of_file(std::filesystem::path absolute_file) {
  return {HistoryPlace::Kind::sqlite, std::move(absolute_file), {}};
}

Result<HistoryPlace> parse_history_place(const std::string& text) {
  if (text.starts_with(postgresql_scheme)) {
    if (may_misplace_a_secret(text))
      return usage_error(
          "--history is no URI of PostgreSQL that is understood without doubt",
          "write the characters @ : / ? # & = % of a user or password as %40 %3A %2F %3F %23 %26 %3D %25, "
          "and ports as numbers");
    return HistoryPlace{HistoryPlace::Kind::postgresql, {}, text};
  }
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
  // It may be a place of PostgreSQL in another form, with a password: said again is what can only be a file.
  return usage_error(only_has(text, "._-/")
                         ? fmt::format("--history '{}' is no place for an index", text)
                         : std::string("what --history names is no place for an index, as far as it is understood"),
                     fmt::format("write {}", forms));
}

}  // namespace patchlab::history
