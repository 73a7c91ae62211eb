// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/last_promoted.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

// The line of the ledger is known all the same.
LastPromoted unknown(std::string why, std::uint64_t line) {
  return {LastPromoted::Known::unknown, {}, std::move(why), line};
}

// The record in a file, when it is the one of this digest: of the file's bytes, or of the record as v1 counted.
Result<reports::RunRecord> record_in(const fs::path& file, const std::string& digest) {
  PATCHLAB_ASSIGN(const auto text, read_file(file));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file.string(), JsonTexts::any));
  PATCHLAB_ASSIGN(auto record, reports::run_record_from_json(json, file.string()));
  if (sha256(text) == digest || reports::record_digest(record) == digest) return record;
  return configuration_error(fmt::format("'{}' is another record than the one that was promoted", file.string()));
}

}  // namespace

LastPromoted last_promoted(const fs::path& stage, const std::string& department, const fs::path& runs,
                           const History& history) {
  const auto* done = history.last_done(department);
  const auto line = done == nullptr ? 0 : done->last_line;
  if (status_of(stage / department).type() == fs::file_type::not_found)
    return {LastPromoted::Known::nothing, {}, {}, line};
  const auto file = stage / department / manifest_file_name;
  const auto json = read_json_file(file, JsonTexts::any);
  if (!json) return unknown(json.error().message, line);
  const auto manifest = manifest_from_json(*json, file.string());
  if (!manifest) return unknown(manifest.error().message, line);
  if (!is_plain_name(manifest->run) || !is_sha256(manifest->record_digest))
    return unknown(fmt::format("'{}' names no run", file.string()), line);
  auto record = record_in(stage / ".ledger" / "objects" / manifest->record_digest, manifest->record_digest);
  if (!record) record = record_in(runs / manifest->run / reports::run_file_name, manifest->record_digest);
  if (!record) return unknown(fmt::format("the record of run {}: {}", manifest->run, record.error().message), line);
  const auto found = std::ranges::find(record->departments, department, &reports::DepartmentRecord::name);
  if (found == record->departments.end())
    return unknown(fmt::format("run {} has no department '{}'", manifest->run, department), line);
  return {LastPromoted::Known::known, coverage_of(*record, *found), {}, line};
}

}  // namespace patchlab::promotion
