// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/record.hpp"

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"

namespace patchlab::reports {
namespace {

std::string v1_digest(Json json) {
  for (const char* key : {"exit_code", "timings", "duration_ms", "peak_memory_kib"}) json.erase(key);
  if (const auto departments = json.find("departments"); departments != json.end()) {
    for (auto& department : *departments) department.erase("promotion");
  }
  return sha256(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

std::size_t FenceRecord::tries() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(attempts, [](const FenceAttempt& attempt) { return attempt.sent && !attempt.control; }));
}

std::size_t FenceRecord::answers() const {
  return static_cast<std::size_t>(std::ranges::count_if(attempts, &FenceAttempt::is_answer_of_a_leak));
}

Result<RunRecord> read_run_record(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, 64U << 20U));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file.string(), JsonTexts::any));
  PATCHLAB_ASSIGN(auto record, run_record_from_json(json, file.string()));
  record.file_digest = sha256(text);
  record.digest = json.at("schema") == run_schema_v1 ? v1_digest(json) : record.file_digest;
  return record;
}

Result<void> write_run_record(const RunRecord& record, const std::filesystem::path& file) {
  return write_file_atomically(file, pretty(Json(record)));
}

std::string record_digest(const RunRecord& record) {
  return record.digest.empty() ? sha256(pretty(Json(record))) : record.digest;
}

std::string run_object(const RunRecord& record) {
  return record.file_digest.empty() ? record_digest(record) : record.file_digest;
}

std::string patch_set_digest(const std::vector<std::string>& candidate_digests) {
  DigestBuilder builder;
  for (const auto& digest : candidate_digests) builder.add(digest);
  return builder.finish();
}

}  // namespace patchlab::reports
