// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/stage/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "promotion/stage/stage.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

Json candidate_json(const reports::CandidateRecord& candidate) {
  Json files = Json::array();
  for (const auto& file : candidate.files) {
    files.push_back({{"name", file.name},
                     {"path", candidate.id + "/" + file.name},
                     {"sha256", file.sha256},
                     {"bytes", file.bytes}});
  }
  return {{"id", candidate.id},
          {"title", candidate.title},
          {"severity", candidate.severity},
          {"kind", candidate.kind},
          {"digest", candidate.digest},
          {"prerequisites", candidate.prerequisites},
          {"supersedes", candidate.supersedes},
          {"files", files}};
}

Json goldens_json(const reports::DepartmentRecord& department) {
  Json goldens = Json::array();
  for (const auto& machine : department.machines) {
    goldens.push_back({{"machine", machine.name},
                       {"role", machine.role},
                       {"golden", machine.golden},
                       {"digest", machine.golden_digest}});
  }
  return goldens;
}

// Digests and names of one candidate, each looked at before it is used as a path or compared.
void read_candidate(const Json& json, const std::string& pointer, Manifest& manifest,
                    std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  const auto id = reader.text("id");
  const auto digest = reader.text("digest");
  if (!is_candidate_id(id)) reader.problem("id", fmt::format("'{}' is no candidate id: {}", id, candidate_id_rule));
  if (!is_sha256(digest)) reader.problem("digest", "must be a SHA-256");
  const auto& files = reader.raw("files");
  if (!files.is_array() || files.empty()) reader.problem("files", "must be a list with at least one file");
  for (std::size_t i = 0; files.is_array() && i < files.size(); ++i) {
    JsonReader member(files[i], fmt::format("{}/{}", reader.at("files"), i), problems);
    ManifestFile file{id, member.text("name"), member.text("sha256"),
                      static_cast<std::uint64_t>(member.integer("bytes", 0, std::numeric_limits<std::int64_t>::max()))};
    if (!is_plain_name(file.name)) member.problem("name", fmt::format("'{}' cannot be the name of a file", file.name));
    if (!is_sha256(file.sha256)) member.problem("sha256", "must be a SHA-256");
    if (member.text("path") != file.path()) member.problem("path", fmt::format("must be '{}'", file.path()));
    manifest.files.push_back(std::move(file));
  }
  manifest.candidates.push_back(id);
  manifest.candidate_digests.push_back(digest);
}

}  // namespace

bool is_plain_name(const std::string& name) {
  if (name.empty() || name.size() > 200 || name.front() == '.') return false;
  return std::ranges::none_of(name,
                              [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Json manifest_json(const reports::RunRecord& record, const Decision& decision, const std::string& published) {
  const auto& department =
      *std::ranges::find(record.departments, decision.department, &reports::DepartmentRecord::name);
  const auto& final_trial = *reports::find_trial(department, department.final_trial);
  Json candidates = Json::array();
  for (const auto& id : decision.promotable) candidates.push_back(candidate_json(*reports::find_candidate(record, id)));
  Json held_back = Json::array();
  for (const auto& reason : decision.held_back) {
    held_back.push_back(
        {{"candidate", reason.subject.candidate}, {"code", to_string(reason.code)}, {"text", reason.text}});
  }
  return {{"schema", manifest_schema},
          {"department", decision.department},
          {"run", record.id},
          {"record_digest", reports::record_digest(record)},
          {"scenario", {{"name", record.scenario_name}, {"digest", record.scenario_digest}}},
          {"tool_version", record.tool_version},
          {"tested", record.finished},
          {"published", published},
          {"final_trial", {{"id", final_trial.id}, {"set_digest", final_trial.set_digest}}},
          {"golden_images", goldens_json(department)},
          {"candidates", candidates},
          {"held_back", held_back}};
}

Result<Manifest> manifest_from_json(const Json& json, const std::string& file_name) {
  if (!json.is_object() || json.value("schema", Json()) != manifest_schema) {
    return problems_error(file_name, {{"/schema", fmt::format("must be \"{}\"", manifest_schema)}});
  }
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  Manifest manifest;
  manifest.department = reader.text("department");
  manifest.run = reader.text("run");
  manifest.record_digest = reader.text("record_digest");
  JsonReader final_trial(reader.raw("final_trial"), reader.at("final_trial"), problems);
  manifest.set_digest = final_trial.text("set_digest");
  const auto& candidates = reader.raw("candidates");
  if (!candidates.is_array() || candidates.empty())
    reader.problem("candidates", "must be a list with at least one candidate");
  for (std::size_t i = 0; candidates.is_array() && i < candidates.size(); ++i) {
    read_candidate(candidates[i], fmt::format("/candidates/{}", i), manifest, problems);
  }
  if (manifest.set_digest != reports::patch_set_digest(manifest.candidate_digests)) {
    reader.problem("final_trial", "its set digest is not that of the candidates");
  }
  if (!problems.empty()) return problems_error(file_name, problems);
  return manifest;
}

}  // namespace patchlab::promotion
