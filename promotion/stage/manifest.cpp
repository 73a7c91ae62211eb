// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/stage/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/time.hpp"
#include "promotion/stage/stage.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::int64_t largest_serial = (std::int64_t{1} << 53U) - 1;

// Where it was tested: that is all that a pass says something of.
Json candidate_json(const reports::CandidateRecord& candidate, const reports::DepartmentRecord& department) {
  Json files = Json::array();
  for (const auto& file : candidate.files) {
    files.push_back({{"name", file.name},
                     {"path", candidate.id + "/" + file.name},
                     {"sha256", file.sha256},
                     {"bytes", file.bytes}});
  }
  std::vector<std::string> machines;
  std::set<std::string> roles;
  if (const auto* verdict = reports::find_verdict(department, candidate.id)) machines = verdict->machines;
  for (const auto& name : machines) {
    if (const auto* machine = reports::find_machine(department, name)) roles.insert(machine->role);
  }
  return {{"id", candidate.id},
          {"title", candidate.title},
          {"severity", candidate.severity},
          {"kind", candidate.kind},
          {"digest", candidate.digest},
          {"prerequisites", candidate.prerequisites},
          {"supersedes", candidate.supersedes},
          {"machines", machines},
          {"roles", roles},
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
    if (manifest.version > 1) member.finish();
    manifest.files.push_back(std::move(file));
  }
  manifest.candidates.push_back(id);
  manifest.candidate_digests.push_back(digest);
  if (manifest.version == 1) return;
  for (const char* text : {"title", "severity", "kind"}) reader.text(text);
  for (const char* list : {"prerequisites", "supersedes", "machines", "roles"}) reader.texts_or_empty(list);
  reader.finish();
}

// What schema v2 has besides, and nothing else.
void read_second_version(JsonReader& reader, Manifest& manifest) {
  manifest.serial = static_cast<std::uint64_t>(reader.integer("serial", 1, largest_serial));
  manifest.set = reader.text("set");
  if (!manifest.files.empty() && manifest.set != sha256(sha256sums(manifest.files)))
    reader.problem("set", "is not the digest of SHA256SUMS of these files");
  for (const char* digest : {"policy", "run_object"}) {
    if (reader.has(digest) && !is_sha256(reader.text(digest))) reader.problem(digest, "must be a SHA-256");
  }
  for (const char* time : {"published", "tested"}) {
    if (!parse_rfc3339(reader.text(time))) reader.problem(time, "must be a time as 2026-11-28T08:00:00Z");
  }
  if (reader.has("valid_until") && !parse_rfc3339(reader.text("valid_until")))
    reader.problem("valid_until", "must be a time as 2026-11-28T08:00:00Z");
  if (reader.has("rollback") && reader.text("rollback").empty()) reader.problem("rollback", "must be the reason");
  reader.text("tool_version");
  for (const char* other : {"schema", "scenario", "golden_images", "held_back"}) static_cast<void>(reader.raw(other));
  if (reader.has("waived")) static_cast<void>(reader.raw("waived"));
  if (reader.has("carried")) manifest.carried = reader.raw("carried");
  if (reader.has("emergency")) {
    auto use = reader.object("emergency");
    manifest.emergency = EmergencyUse{use.text("reason"), use.text("ticket"), use.text("review_by")};
    if (!parse_rfc3339(manifest.emergency->review_by))
      use.problem("review_by", "must be a time as 2026-11-28T08:00:00Z");
    use.finish();
  }
  reader.finish();
}

// As coreutils write and read it: a name with a backslash is marked and escaped.
std::string sums_line(const ManifestFile& file) {
  std::string path;
  for (const char c : file.path()) path += c == '\\' ? "\\\\" : std::string(1, c);
  return fmt::format("{}{}  {}\n", path == file.path() ? "" : "\\", file.sha256, path);
}

}  // namespace

std::string sha256sums(const std::vector<ManifestFile>& files) {
  std::map<std::string, std::string> lines;
  for (const auto& file : files) lines.emplace(file.path(), sums_line(file));
  std::string text;
  for (const auto& [path, line] : lines) text += line;
  return text;
}

std::string sha256sums_of(const reports::RunRecord& record, const std::vector<std::string>& candidates) {
  std::vector<ManifestFile> files;
  for (const auto& id : candidates) {
    const auto* candidate = reports::find_candidate(record, id);
    if (candidate == nullptr) continue;
    for (const auto& file : candidate->files) files.push_back({id, file.name, file.sha256, file.bytes});
  }
  return sha256sums(files);
}

bool is_plain_name(const std::string& name) {
  if (name.empty() || name.size() > 200 || name.front() == '.') return false;
  return std::ranges::none_of(name,
                              [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Json manifest_json(const reports::RunRecord& record, const Decision& decision, const ManifestFacts& facts) {
  const auto seen = reports::find_as_tested(record, decision.department);
  const auto& department = *seen;
  const auto& tested_in = decision.trial.empty() ? department.final_trial : decision.trial;
  const auto& final_trial = *reports::find_trial(department, tested_in);
  Json waived = Json::array();
  for (const auto& one : decision.waived) {
    waived.push_back({{"key", one.key},
                      {"outcome", one.outcome},
                      {"by", one.by},
                      {"approved_by", one.approved_by},
                      {"until", one.until},
                      {"reason", one.reason},
                      {"ticket", one.ticket},
                      {"line", one.line}});
  }
  Json candidates = Json::array();
  for (const auto& id : decision.promotable)
    candidates.push_back(candidate_json(*reports::find_candidate(record, id), department));
  Json held_back = Json::array();
  for (const auto& reason : decision.held_back) {
    held_back.push_back(
        {{"candidate", reason.subject.candidate}, {"code", to_string(reason.code)}, {"text", reason.text}});
  }
  Json json{{"schema", manifest_schema},
            {"department", decision.department},
            {"serial", facts.serial},
            {"set", sha256(sha256sums_of(record, decision.promotable))},
            {"run", record.id},
            {"record_digest", reports::record_digest(record)},
            {"scenario", {{"name", record.scenario_name}, {"digest", record.scenario_digest}}},
            {"tool_version", record.tool_version},
            {"tested", record.finished},
            {"published", facts.published},
            {"final_trial", {{"id", final_trial.id}, {"set_digest", final_trial.set_digest}}},
            {"golden_images", goldens_json(department)},
            {"candidates", candidates},
            {"held_back", held_back}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  if (!waived.empty()) json["waived"] = std::move(waived);
  add("valid_until", facts.valid_until);
  add("policy", facts.policy);
  add("run_object", facts.run_object);
  add("rollback", facts.rollback_reason);
  if (const auto carrying = reports::carrying_of(record, decision.department); carrying.is_carried())
    json["carried"] = reports::carrying_json(carrying, record.id);
  if (const auto& use = decision.emergency)
    json["emergency"] = {{"reason", use->reason}, {"ticket", use->ticket}, {"review_by", use->review_by}};
  return json;
}

Result<Manifest> manifest_from_json(const Json& json, const std::string& file_name) {
  const auto schema = json.is_object() ? json.value("schema", Json()) : Json();
  if (schema != manifest_schema && schema != old_manifest_schema) {
    return problems_error(file_name,
                          {{"/schema", fmt::format("must be \"{}\" or \"{}\"", manifest_schema, old_manifest_schema)}});
  }
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  Manifest manifest;
  manifest.version = schema == manifest_schema ? 2 : 1;
  manifest.department = reader.text("department");
  manifest.run = reader.text("run");
  manifest.record_digest = reader.text("record_digest");
  JsonReader final_trial(reader.raw("final_trial"), reader.at("final_trial"), problems);
  manifest.set_digest = final_trial.text("set_digest");
  manifest.tested = reader.text_or("tested", "");
  const auto& candidates = reader.raw("candidates");
  if (!candidates.is_array() || candidates.empty())
    reader.problem("candidates", "must be a list with at least one candidate");
  for (std::size_t i = 0; candidates.is_array() && i < candidates.size(); ++i) {
    read_candidate(candidates[i], fmt::format("/candidates/{}", i), manifest, problems);
  }
  if (manifest.set_digest != reports::patch_set_digest(manifest.candidate_digests)) {
    reader.problem("final_trial", "its set digest is not that of the candidates");
  }
  if (manifest.version > 1) read_second_version(reader, manifest);
  if (!problems.empty()) return problems_error(file_name, problems);
  return manifest;
}

}  // namespace patchlab::promotion
