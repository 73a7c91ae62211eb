// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/handoff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/deploy/approvers.hpp"
#include "promotion/deploy/rejection.hpp"
#include "promotion/evidence/proof.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "promotion/statement/statement.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_list = 64U << 20U;
constexpr std::array all_targets{ExportTo::apt, ExportTo::ansible, ExportTo::wsus, ExportTo::files};

std::vector<std::string> texts_in(const Json& json, const char* key) {
  std::vector<std::string> texts;
  for (const auto& one : json.value(key, Json::array())) texts.push_back(one.get<std::string>());
  return texts;
}

std::string whole_seconds(std::chrono::system_clock::time_point when) { return rfc3339(when).substr(0, 19) + "Z"; }

HandoffCandidate candidate_of(const Json& json) {
  HandoffCandidate candidate;
  candidate.id = json.value("id", "");
  candidate.title = json.value("title", "");
  candidate.severity = json.value("severity", "");
  candidate.kind = json.value("kind", "");
  candidate.digest = json.value("digest", "");
  candidate.machines = texts_in(json, "machines");
  candidate.roles = texts_in(json, "roles");
  std::set<std::string> named{kb_in(candidate.id)};
  for (const auto& file : json.value("files", Json::array())) {
    candidate.files.push_back(
        {candidate.id, file.value("name", ""), file.value("sha256", ""), file.value("bytes", std::uint64_t{0})});
    named.insert(kb_in(candidate.files.back().name));
  }
  named.erase("");
  // Two numbers are none: nobody could tell which one is meant.
  if (named.size() == 1) candidate.kb = *named.begin();
  return candidate;
}

// The manifest was proven before: its form is known, and these keys are there, or may be.
void read_manifest(const Json& json, Handoff& handoff) {
  for (const auto& one : json.value("candidates", Json::array())) handoff.candidates.push_back(candidate_of(one));
  handoff.published = json.value("published", "");
  handoff.not_after = earlier_end(handoff.not_after, json.value("valid_until", ""));
  for (const auto& waived : json.value("waived", Json::array()))
    handoff.not_after = earlier_end(handoff.not_after, waived.value("until", ""));
}

}  // namespace

const char* to_string(ExportTo to) {
  switch (to) {
    case ExportTo::apt: return "apt";
    case ExportTo::ansible: return "ansible";
    case ExportTo::wsus: return "wsus";
    case ExportTo::files: return "files";
  }
  return "";
}

std::optional<ExportTo> export_to_from(std::string_view word) {
  for (const auto to : all_targets) {
    if (word == to_string(to)) return to;
  }
  return std::nullopt;
}

std::string earlier_end(const std::string& not_after, const std::string& other) {
  const auto mine = parse_rfc3339(not_after);
  const auto its = parse_rfc3339(other);
  if (!its) return not_after;
  return mine && *mine <= *its ? not_after : whole_seconds(*its);
}

void put_into_window(Handoff& handoff, HandoffWindow window) {
  handoff.not_after = earlier_end(handoff.not_after, window.closes);
  handoff.window = std::move(window);
}

std::string kb_in(std::string_view name) {
  if (name.size() < 2 || (name[0] != 'K' && name[0] != 'k') || (name[1] != 'B' && name[1] != 'b')) return {};
  std::string digits;
  for (const char c : name.substr(2)) {
    if (c < '0' || c > '9') break;
    digits += c;
  }
  // Nothing may follow that makes another word of it.
  const auto next = name.substr(2 + digits.size());
  const bool ends = next.empty() || next[0] == '-' || next[0] == '_' || next[0] == '.' || next[0] == '+';
  return digits.size() >= 6 && digits.size() <= 8 && ends ? "KB" + digits : std::string();
}

HandoffParts parts_for(const Handoff& handoff, ExportTo to) {
  HandoffParts parts;
  for (const auto& candidate : handoff.candidates) {
    const bool is_deb = candidate.kind == "deb";
    const bool goes = to == ExportTo::apt ? is_deb : to == ExportTo::wsus ? !is_deb : true;
    if (goes)
      parts.go.push_back(candidate);
    else
      parts.left_out.push_back(candidate.id);
  }
  return parts;
}

std::optional<Error> not_to_be_exported(const Handoff& handoff, ExportTo to,
                                        std::chrono::system_clock::time_point now) {
  if (!handoff.rejected.empty())
    return configuration_error(handoff.rejected,
                               "promote --rollback an older run, or the one who rejected withdraws it");
  const auto end = parse_rfc3339(handoff.not_after);
  if (end && *end <= now)
    return configuration_error(
        fmt::format("what was promoted in '{}' ended on {}: production is not to take it any more",
                    printable(handoff.department), handoff.not_after),
        "promote a newer run, or the same one with a waiver that is still in force");
  if (parts_for(handoff, to).go.empty())
    return configuration_error(
        fmt::format("nothing of what was promoted in '{}' is for '{}': an empty list would mean everything to the tool "
                    "that reads it, so none is made",
                    printable(handoff.department), to_string(to)),
        "its candidates are in an export --to files");
  return std::nullopt;
}

Json handoff_json(const Handoff& handoff, ExportTo to) {
  const auto parts = parts_for(handoff, to);
  Json candidates = Json::array();
  for (const auto& candidate : parts.go) {
    Json files = Json::array();
    for (const auto& file : candidate.files) {
      Json one{{"name", file.name}, {"sha256", file.sha256}, {"bytes", file.bytes}};
      if (!file.sha1.empty()) one["sha1"] = file.sha1;
      files.push_back(std::move(one));
    }
    Json one{{"id", candidate.id},       {"title", candidate.title},   {"severity", candidate.severity},
             {"kind", candidate.kind},   {"digest", candidate.digest}, {"machines", candidate.machines},
             {"roles", candidate.roles}, {"files", std::move(files)}};
    if (!candidate.kb.empty()) one["kb"] = candidate.kb;
    candidates.push_back(std::move(one));
  }
  Json json{{"schema", handoff_schema},
            {"to", to_string(to)},
            {"department", handoff.department},
            {"serial", handoff.serial},
            {"run", handoff.run},
            {"published", handoff.published},
            {"set", handoff.set},
            {"manifest", sha256(handoff.manifest)},
            {"promotion", handoff.promotion},
            {"signed", !handoff.signature.empty()},
            {"ledger", {{"first", handoff.ledger}, {"size", handoff.head.size}, {"hash", handoff.head.hash}}},
            {"candidates", std::move(candidates)},
            {"left_out", parts.left_out}};
  if (!handoff.not_after.empty()) json["not_after"] = handoff.not_after;
  if (const auto& window = handoff.window) {
    json["not_before"] = window->opens;
    json["window"] = {{"name", window->name},
                      {"opens", window->opens},
                      {"closes", window->closes},
                      {"zone", window->zone},
                      {"calendar", window->calendar}};
  }
  if (const auto& ring = handoff.ring) {
    json["ring"] = {{"name", ring->name},
                    {"number", ring->number},
                    {"of", ring->of},
                    {ring->is_rest() ? "all_but" : "machines", ring->is_rest() ? ring->others : ring->machines},
                    {"reports", ring->reports},
                    {"rings", ring->rings}};
  }
  return json;
}

Result<void> copy_tested(const Handoff& handoff, const HandoffFile& file, const fs::path& to) {
  const auto from = handoff.folder / file.path();
  std::error_code code;
  fs::copy_file(from, to, code);
  if (code) return infrastructure_error(fmt::format("copying '{}': {}", from.string(), code.message()));
  PATCHLAB_ASSIGN(const auto found, sha256_of_file(to));
  if (found != file.sha256)
    return configuration_error(
        fmt::format("'{}' was changed: it has the digest {}, and {} was promoted", from.string(), found, file.sha256),
        "patchlab verify says more");
  fs::permissions(to, static_cast<fs::perms>(0644), code);
  if (code) return infrastructure_error(fmt::format("setting the mode of '{}': {}", to.string(), code.message()));
  return sync_path(to);
}

Result<Handoff> handoff_of(ProcessRunner& processes, const fs::path& stage, const std::string& department) {
  PATCHLAB_ASSIGN(const auto stage_proof, prove_stage(stage));
  const Chain chain(stage / chain_folder_name);
  if (!stage_proof.ledger) {
    return configuration_error(
        fmt::format("'{}' has no ledger: nobody can say what was promoted there", printable(stage.string())),
        "a stage has one from its first promotion by this version on");
  }
  PATCHLAB_ASSIGN(const auto state, chain.read());
  PATCHLAB_ASSIGN(const auto* check, promoted_department(stage_proof, state, stage, department));
  // By the code that `patchlab verify` uses.
  PATCHLAB_ASSIGN(const auto proof, prove(processes, stage / department, {}));
  PATCHLAB_TRY(refuse_what_is_refuted(proof));

  const auto& story = *state.history.last_done(department);
  Handoff handoff;
  handoff.department = department;
  handoff.run = check->run;
  handoff.serial = story.serial;
  handoff.promotion = story.statement;
  handoff.emergency = !story.review_by.empty();
  PATCHLAB_ASSIGN(handoff.approved_by, approvers_of(processes, stage, story));
  handoff.ledger = state.hashes.front();
  handoff.head = state.head();
  PATCHLAB_ASSIGN(handoff.statement, chain.objects().get(story.statement));
  if (auto signature = chain.objects().signature(story.statement)) handoff.signature = std::move(*signature);
  std::error_code code;
  handoff.folder = fs::canonical(stage / department, code);
  if (code) return configuration_error(fmt::format("'{}': {}", (stage / department).string(), code.message()));
  // Read once more, and compared: nothing may change between the proof and what is made of it.
  PATCHLAB_ASSIGN(handoff.manifest, read_file(handoff.folder / manifest_file_name, largest_list, Links::refuse));
  PATCHLAB_ASSIGN(handoff.sums, read_file(handoff.folder / sums_file_name, largest_list, Links::refuse));
  PATCHLAB_ASSIGN(const auto json, parse_json(handoff.manifest, manifest_file_name));
  PATCHLAB_ASSIGN(const auto manifest, manifest_from_json(json, manifest_file_name));
  handoff.set = sha256(handoff.sums);
  if (sha256(handoff.manifest) != story.manifest || handoff.set != manifest.set)
    return configuration_error(fmt::format("'{}' was changed while it was read", handoff.folder.string()),
                               "ask again: something was promoted meanwhile");
  read_manifest(json, handoff);
  PATCHLAB_ASSIGN(handoff.rejected, rejected_since(processes, stage, story, handoff.set));
  return handoff;
}

}  // namespace patchlab::promotion
