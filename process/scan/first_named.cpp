// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/scan/first_named.hpp"

#include "lab/core/file_lock.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::process {
namespace {

constexpr const char* schema = "patchlab/first-named/v1";

Error no_note(const std::filesystem::path& file, const std::string& what) {
  return configuration_error(
      fmt::format("{}: {}", printable(file.string()), printable(what)),
      "put back a copy of it; when it is removed, the days to act in are counted from the next scan on");
}

}  // namespace

Result<FirstNamed> read_first_named(const std::filesystem::path& file) {
  if (!is_there(file)) return FirstNamed();
  PATCHLAB_ASSIGN(const auto json, read_json_file(file));
  if (!json.is_object() || json.value("schema", Json()) != schema || !json.value("cves", Json()).is_object())
    return no_note(file, "is no note of when vulnerabilities were named first");
  FirstNamed days;
  for (const auto& [cve, text] : json.at("cves").items()) {
    const auto day = text.is_string() ? day_in(text.get<std::string>()) : std::nullopt;
    if (!day) return no_note(file, "/cves/" + cve + ": is no date");
    days[cve] = *day;
  }
  return days;
}

Result<void> note_first_named(const std::filesystem::path& file, const ScanResult& result) {
  PATCHLAB_TRY(create_folders(file.parent_path()));
  PATCHLAB_ASSIGN(const auto lock, FileLock::take(file.parent_path() / "lock", FileLock::Mode::exclusive,
                                                  {.limit = std::chrono::minutes(1)}));
  PATCHLAB_ASSIGN(auto days, read_first_named(file));
  const auto before = days;
  for (const auto& row : result.rows) {
    for (const auto& one : row.vulnerabilities) {
      const auto [at, is_new] = days.emplace(first_named_as(one.cve, row.item), one.since);
      if (!is_new) at->second = std::min(at->second, one.since);
    }
  }
  if (days == before) return {};
  Json cves = Json::object();
  for (const auto& [cve, day] : days) cves[cve] = day_text(day);
  return write_file_atomically(file, pretty(Json{{"schema", schema}, {"cves", cves}}));
}

}  // namespace patchlab::process
