// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/record.hpp"

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"

namespace patchlab::reports {

std::size_t FenceRecord::tries() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(attempts, [](const FenceAttempt& attempt) { return attempt.sent && !attempt.control; }));
}

std::size_t FenceRecord::answers() const {
  return static_cast<std::size_t>(std::ranges::count_if(attempts, &FenceAttempt::is_answer_of_a_leak));
}

Result<RunRecord> read_run_record(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto json, read_json_file(file, JsonTexts::any));
  return run_record_from_json(json, file.string());
}

Result<void> write_run_record(const RunRecord& record, const std::filesystem::path& file) {
  return write_file_atomically(file, pretty(Json(record)));
}

std::string record_digest(const RunRecord& record) {
  Json json = record;
  for (const char* key : {"exit_code", "timings", "duration_ms", "peak_memory_kib"}) json.erase(key);
  for (auto& department : json["departments"]) department.erase("promotion");
  return sha256(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string patch_set_digest(const std::vector<std::string>& candidate_digests) {
  DigestBuilder builder;
  for (const auto& digest : candidate_digests) builder.add(digest);
  return builder.finish();
}

}  // namespace patchlab::reports
