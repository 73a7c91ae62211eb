// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/candidate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"
#include "patches/windows/applicability.hpp"

namespace patchlab::patches {
namespace {

constexpr std::array severities{Severity::critical, Severity::important, Severity::moderate, Severity::low,
                                Severity::unknown};
constexpr std::size_t longest_id = 120;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_id_character(char c) {
  return is_letter_or_digit(c) || std::string_view(".+-_~").find(c) != std::string_view::npos;
}

std::optional<std::uint32_t> exit_code_from(const Json& json) {
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > UINT32_MAX) return std::nullopt;
  if (json.is_number_integer()) {
    const auto number = json.get<std::int64_t>();
    // Windows shows them signed and unsigned.
    if (number < INT32_MIN || number > std::int64_t{UINT32_MAX}) return std::nullopt;
    return static_cast<std::uint32_t>(number);
  }
  if (!json.is_string()) return std::nullopt;
  const auto text = json.get<std::string>();
  const auto digits = std::string_view(text).substr(std::min<std::size_t>(2, text.size()));
  if (!text.starts_with("0x") || digits.empty() || digits.size() > 8) return std::nullopt;
  std::uint32_t code = 0;
  const auto [end, trouble] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  return trouble == std::errc{} && end == digits.data() + digits.size() ? std::optional(code) : std::nullopt;
}

// Everything of it but files and digest.
Json candidate_head(const Candidate& candidate) {
  Json json{{"id", candidate.id},
            {"title", candidate.title},
            {"severity", to_string(candidate.severity)},
            {"kind", candidate.kind},
            {"origin", to_string(candidate.origin)},
            {"prerequisites", candidate.prerequisites},
            {"supersedes", candidate.supersedes},
            {"roles", candidate.roles}};
  if (!candidate.switches.empty()) json["switches"] = candidate.switches;
  if (!candidate.exit_codes.empty()) {
    json["exit_codes"] = {{"success", candidate.exit_codes.success}, {"restart", candidate.exit_codes.restart}};
  }
  return json;
}

}  // namespace

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::critical: return "critical";
    case Severity::important: return "important";
    case Severity::moderate: return "moderate";
    case Severity::low: return "low";
    case Severity::unknown: return "unknown";
  }
  return "unknown";
}

const char* to_string(Origin origin) {
  switch (origin) {
    case Origin::file: return "file";
    case Origin::apt: return "apt";
    case Origin::repack: return "repack";
  }
  return "file";
}

std::optional<Severity> severity_from(std::string_view word) {
  for (const auto severity : severities) {
    if (word == to_string(severity)) return severity;
  }
  return std::nullopt;
}

std::string candidate_digest(const Candidate& candidate) {
  Json files = Json::array();
  for (const auto& file : candidate.files) files.push_back({file.name, file.sha256});
  auto prerequisites = candidate.prerequisites;
  std::sort(prerequisites.begin(), prerequisites.end());
  Json manifest{{"schema", "patchlab/candidate/v2"},
                {"kind", candidate.kind},
                {"files", files},
                {"switches", candidate.switches},
                {"prerequisites", prerequisites}};
  // What counts as success is a part of how it is executed.
  if (!candidate.exit_codes.empty()) {
    manifest["exit_codes"] = {{"success", candidate.exit_codes.success}, {"restart", candidate.exit_codes.restart}};
  }
  return sha256(manifest.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool ship_the_same(const CandidateFile& a, const CandidateFile& b) {
  if (a.name == b.name) return true;
  if (a.windows && b.windows) return ship_the_same(*a.windows, *b.windows);
  return !a.windows && !b.windows && a.package == b.package && a.architecture == b.architecture;
}

std::vector<std::string> shipping_marks(const CandidateFile& file) {
  std::vector<std::string> marks{"name " + file.name};
  if (!file.windows) {
    marks.push_back(fmt::format("package {}:{}", file.package, file.architecture));
    return marks;
  }
  for (const auto& identity : file.windows->packages) marks.push_back("identity " + without_version(identity));
  for (const auto* code : {&file.windows->product_code, &file.windows->upgrade_code, &file.windows->patch_code}) {
    if (!code->empty()) marks.push_back("code " + lower_case(*code));
  }
  return marks;
}

std::string make_candidate_id(std::string_view text) {
  std::string id;
  for (const char c : text.substr(0, longest_id)) id += is_id_character(c) ? c : '-';
  if (id.empty() || !is_letter_or_digit(id.front())) id.insert(0, 1, 'c');
  id = id.substr(0, longest_id);
  return is_candidate_id(id) ? id : "c" + id.substr(0, longest_id - 1);
}

std::string fitting_name(const std::string& name, const std::string& sha256) {
  constexpr std::size_t longest = 100;
  if (name.size() <= longest) return name;
  const auto dot = name.rfind('.');
  const auto ending = dot == std::string::npos || name.size() - dot > 5 ? std::string() : name.substr(dot);
  const auto digest = "~" + sha256.substr(0, 12);
  return name.substr(0, longest - digest.size() - ending.size()) + digest + ending;
}

CandidateFile candidate_file(const DebFile& deb) {
  return {fitting_name(deb.canonical_name(), deb.sha256),
          deb.sha256,
          deb.bytes,
          deb.package,
          deb.version,
          deb.architecture,
          deb.depends,
          deb.pre_depends,
          std::nullopt,
          std::nullopt};
}

CandidateFile candidate_file(const WindowsPackage& package) {
  const auto label = package.label();
  CandidateFile file{fitting_name(package.canonical_name(), package.sha256),
                     package.sha256,
                     package.bytes,
                     package.name.empty() ? label : package.name,
                     package.version,
                     package.architecture.empty() ? "any" : package.architecture,
                     "",
                     "",
                     package,
                     std::nullopt};
  return file;
}

bool is_candidate_kind(std::string_view word) { return word == "deb" || package_kind_from(word); }

ExitCodes exit_codes_from(JsonReader reader) {
  ExitCodes codes;
  for (const auto& [name, list] : {std::pair{"success", &codes.success}, {"restart", &codes.restart}}) {
    if (!reader.has(name)) continue;
    const Json& values = reader.raw(name);
    if (!values.is_array()) reader.problem(name, "must be a list of exit codes");
    for (std::size_t i = 0; values.is_array() && i < values.size(); ++i) {
      if (const auto code = exit_code_from(values[i])) {
        list->push_back(*code);
      } else {
        reader.problem(name, i, "must be an exit code: a number such as 17022, or a text such as '0x800f0840'");
      }
    }
    std::sort(list->begin(), list->end());
  }
  reader.finish();
  return codes;
}

Json candidate_file_json(const CandidateFile& file) {
  Json json{{"name", file.name},       {"sha256", file.sha256},          {"bytes", file.bytes},
            {"package", file.package}, {"version", file.version},        {"architecture", file.architecture},
            {"depends", file.depends}, {"pre_depends", file.pre_depends}};
  if (file.windows) json["windows"] = *file.windows;
  if (file.signature) json["signature"] = *file.signature;
  return json;
}

CandidateFile candidate_file_from(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  CandidateFile file;
  file.name = reader.text("name");
  file.sha256 = reader.text("sha256");
  file.bytes = static_cast<std::uint64_t>(reader.integer("bytes", 0, INT64_MAX));
  file.package = reader.text("package");
  file.version = reader.text("version");
  file.architecture = reader.text("architecture");
  file.depends = reader.text_or("depends", "");
  file.pre_depends = reader.text_or("pre_depends", "");
  if (reader.has("windows")) file.windows = windows_package_from(reader.raw("windows"), reader.at("windows"), problems);
  if (reader.has("signature"))
    file.signature = signature_from(reader.raw("signature"), reader.at("signature"), problems);
  reader.finish();
  return file;
}

void to_json(Json& json, const Candidate& candidate) {
  json = candidate_head(candidate);
  json["files"] = Json::array();
  for (const auto& file : candidate.files) json["files"].push_back(candidate_file_json(file));
  json["digest"] = candidate.digest;
}

}  // namespace patchlab::patches
