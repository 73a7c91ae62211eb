// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/manifest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "patches/bytes/file_kind.hpp"
#include "patches/candidate/deb_facts.hpp"

namespace patchlab::patches {
namespace {

struct WantedFile {
  std::string name;
  std::string sha256;  // empty: not promised
  std::string pointer;
};

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

std::string why_no_digest(const std::string& text) {
  return is_sha256(text) ? "" : "must be 64 lower-case hex digits (sha256sum shows them)";
}

WantedFile read_wanted(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  WantedFile wanted{reader.text("name",
                                [](const std::string& name) {
                                  return is_plain_name(name) ? ""
                                                             : fmt::format(
                                                                   "'{}' must be the name of a file in the "
                                                                   "candidate's folder",
                                                                   name);
                                }),
                    reader.text_or("sha256", "", why_no_digest), pointer};
  reader.finish();
  return wanted;
}

std::vector<WantedFile> read_wanted_files(JsonReader& reader, std::vector<JsonProblem>& problems) {
  std::vector<WantedFile> wanted;
  const Json& files = reader.raw("files");
  if (!files.is_array()) {
    reader.problem("files", "must be a list of {\"name\", \"sha256\"}");
    return wanted;
  }
  if (files.empty()) reader.problem("files", "must name at least one file");
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto file = read_wanted(files[i], fmt::format("{}/{}", reader.at("files"), i), problems);
    const auto same = [&](const WantedFile& other) { return other.name == file.name; };
    if (!file.name.empty() && std::any_of(wanted.begin(), wanted.end(), same)) {
      problems.push_back({file.pointer + "/name", fmt::format("'{}' is named twice", file.name)});
    } else if (!file.name.empty()) {
      wanted.push_back(std::move(file));
    }
  }
  return wanted;
}

std::vector<WantedFile> all_of_kind(const std::filesystem::path& folder, const std::string& kind) {
  std::vector<WantedFile> wanted;
  for (const auto& entry : entries_of(folder).value_or({})) {
    if (entry.extension() == "." + kind) wanted.push_back({entry.filename().string(), "", ""});
  }
  std::sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return wanted;
}

// Where files go, and how they are judged.
struct Intake {
  const ContentStore& store;
  const DebLimits& limits;
  const Authenticode* authenticode;
};

std::string kind_of(const CandidateFile& file) { return file.windows ? to_string(file.windows->kind) : "deb"; }

// The digest first: a promise that does not hold says more than the parse error which it causes.
Result<CandidateFile> take_in(const std::filesystem::path& path, const std::string& promised, const Intake& intake) {
  PATCHLAB_TRY(open_input(path));
  if (!promised.empty()) {
    PATCHLAB_ASSIGN(const auto found, sha256_of_file(path));
    if (found != promised) {
      return configuration_error(
          fmt::format("'{}' has the wrong digest: expected sha256 {}, found {}", path.string(), promised, found));
    }
  }
  PATCHLAB_TRY(check_is_package(path));
  if (is_windows_package(path)) {
    return intake.authenticode == nullptr ? taken_in_windows(path, intake.store)
                                          : take_in_windows(path, intake.store, *intake.authenticode);
  }
  PATCHLAB_ASSIGN(const auto deb, DebFacts(intake.store).inspect(path, intake.limits));
  PATCHLAB_TRY(intake.store.add_file(path, {deb.sha256, deb.bytes}));
  return candidate_file(deb);
}

void name_after(const CandidateFile& file, Candidate& candidate) {
  if (!file.windows) {
    candidate.id =
        make_candidate_id(fmt::format("{}-{}", file.package, file.version.substr(file.version.find(':') + 1)));
    candidate.title = fmt::format("{} {}", file.package, file.version);
    return;
  }
  candidate.id = make_candidate_id(file.windows->label());
  candidate.title = to_valid_utf8(file.windows->title.empty() ? fmt::format("{} {}", file.package, file.version)
                                                              : file.windows->title);
}

Result<Candidate> load_single(const std::filesystem::path& path, const Intake& intake) {
  PATCHLAB_ASSIGN(auto file, take_in(path, "", intake));
  Candidate candidate;
  candidate.kind = kind_of(file);
  name_after(file, candidate);
  candidate.files.push_back(std::move(file));
  candidate.digest = candidate_digest(candidate);
  return candidate;
}

}  // namespace

void read_identity(JsonReader& reader, Candidate& candidate) {
  const auto why_no_id = [](const std::string& id) {
    return is_candidate_id(id) ? "" : fmt::format("'{}' is no id: {}", id, candidate_id_rule);
  };
  (void)reader.text_or("$schema", "");
  candidate.id = reader.text("id", why_no_id);
  candidate.title = reader.text("title", not_empty("it is what people read"));
  const std::string severity = reader.text_or("severity", "unknown", [](const std::string& word) {
    return severity_from(word)
               ? ""
               : fmt::format("'{}' is unknown; allowed: critical, important, moderate, low, unknown", word);
  });
  candidate.severity = severity_from(severity).value_or(Severity::unknown);
  candidate.kind = reader.text_or("kind", "deb", [](const std::string& word) {
    return is_candidate_kind(word) ? "" : fmt::format("'{}' is unknown; allowed: deb, msu, cab, msi, msp, exe", word);
  });
  candidate.prerequisites = reader.texts_or_empty("prerequisites", why_no_id);
  candidate.supersedes = reader.texts_or_empty("supersedes", why_no_id);
  candidate.roles = reader.texts_or_empty("roles", not_empty("leave it out when it is for all"));
  const bool is_program = candidate.kind == "exe";
  candidate.switches = reader.text_or("switches", "", [](const std::string& text) {
    const bool is_line = !text.empty() && text.find_first_of("\r\n%") == std::string::npos;
    return is_line ? "" : "must be one line without '%', as /q /norestart";
  });
  if (reader.has("exit_codes")) candidate.exit_codes = exit_codes_from(reader.object("exit_codes"));
  if (is_program && !reader.has("switches"))
    reader.problem("switches", "must say how it installs without questions and without a restart: \"/q /norestart\"");
  for (const char* key : {"switches", "exit_codes"}) {
    if (is_program || !reader.has(key)) continue;
    reader.problem(key, fmt::format("is for candidates of kind exe, this one is of kind {}", candidate.kind));
  }
}

std::vector<std::string> duplicate_packages(const std::vector<CandidateFile>& files) {
  std::vector<std::string> problems;
  for (auto file = files.begin(); file != files.end(); ++file) {
    const auto earlier =
        std::find_if(files.begin(), file, [&](const auto& other) { return ship_the_same(other, *file); });
    if (earlier != file)
      problems.push_back(
          fmt::format("package '{}' comes twice: '{}' and '{}'", file->package, earlier->name, file->name));
  }
  return problems;
}

Result<Candidate> load_candidate(const std::filesystem::path& path, const ContentStore& store, const DebLimits& limits,
                                 const Authenticode* authenticode) {
  const Intake intake{store, limits, authenticode};
  const bool whole_folder = is_folder(path);
  if (!whole_folder && path.filename() != "candidate.json") return load_single(path, intake);
  const auto manifest = whole_folder ? path / "candidate.json" : path;
  PATCHLAB_ASSIGN(const auto json, read_json_file(manifest));

  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  Candidate candidate;
  read_identity(reader, candidate);
  const bool named = reader.has("files");
  const auto wanted = named ? read_wanted_files(reader, problems) : all_of_kind(manifest.parent_path(), candidate.kind);
  reader.finish();
  if (!named && wanted.empty())
    problems.push_back({"", fmt::format("no *.{} file in the candidate's folder", candidate.kind)});
  for (const auto& file : wanted) {
    auto taken = take_in(manifest.parent_path() / file.name, file.sha256, intake);
    if (!taken)
      problems.push_back({file.pointer, taken.error().message});
    else if (const auto kind = kind_of(*taken); kind != candidate.kind)
      problems.push_back(
          {file.pointer, fmt::format("'{}' is of kind {}, the candidate of kind {}", file.name, kind, candidate.kind)});
    else
      candidate.files.push_back(std::move(*taken));
  }
  for (const auto& twice : duplicate_packages(candidate.files)) problems.push_back({named ? "/files" : "", twice});
  if (!problems.empty()) return problems_error(manifest.string(), problems);
  candidate.digest = candidate_digest(candidate);
  return candidate;
}

}  // namespace patchlab::patches
