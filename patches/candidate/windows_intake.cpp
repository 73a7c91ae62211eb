// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/windows_intake.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/held_folder.hpp"

namespace patchlab::patches {
namespace {

constexpr const char* schema = "patchlab/intake/v1";

std::filesystem::path note_of(const ContentStore& store, const std::string& sha256) {
  return store.root() / "intake" / (sha256 + ".json");
}

Result<void> remember(const ContentStore& store, const CandidateFile& file) {
  const auto note = note_of(store, file.sha256);
  PATCHLAB_TRY(create_folders(note.parent_path()));
  return write_file_atomically(note, pretty(Json{{"schema", schema}, {"file", candidate_file_json(file)}}));
}

const Json* facts_in(const Json& file) {
  const auto facts = file.is_object() ? file.find("windows") : file.end();
  return facts != file.end() && facts->is_object() ? &*facts : nullptr;
}

Result<CandidateFile> remembered(const std::filesystem::path& note) {
  PATCHLAB_ASSIGN(const auto json, read_json_file(note));
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  if (reader.text("schema") != schema) reader.problem("schema", fmt::format("must be '{}'", schema));
  // Facts that are written even when there are none.
  if (const auto* facts = reader.has("file") ? facts_in(reader.raw("file")) : nullptr;
      facts && !facts->contains("parts")) {
    return configuration_error(
        fmt::format("'{}' was written by an older patchlab, which did not read all of the package", note.string()),
        "add the package again: patchlab patch add");
  }
  auto file = candidate_file_from(reader.raw("file"), "/file", problems);
  reader.finish();
  if (!file.windows || !file.signature) problems.push_back({"/file", "has no facts of a Windows package"});
  if (!problems.empty()) return problems_error(note.string(), problems);
  return file;
}

}  // namespace

Result<CandidateFile> take_in_windows(const std::filesystem::path& path, const ContentStore& store,
                                      const Authenticode& authenticode) {
  return intake_of_windows(path, store, authenticode).file;
}

WindowsIntake intake_of_windows(const std::filesystem::path& path, const ContentStore& store,
                                const Authenticode& authenticode) {
  const auto name = path.string();
  PATCHLAB_ASSIGN(const auto source, FileSource::open(path));
  PATCHLAB_ASSIGN(const auto scratch, HeldFolder::make_in(store.root() / "incoming", "work-"));
  const auto copy = scratch.path() / "package";
  std::error_code trouble;
  std::filesystem::copy_file(path, copy, trouble);
  if (trouble) return infrastructure_error(fmt::format("copying '{}': {}", name, trouble.message()));
  PATCHLAB_ASSIGN(auto package, inspect_windows_file(copy, name));
  auto judged = authenticode.judge(copy, name, package.carries_signature ? Carries::yes : Carries::no);
  if (!judged.signature) return {std::move(judged.signature).error(), judged.fault};
  PATCHLAB_TRY(store.add_file(copy, {package.sha256, package.bytes}));
  auto file = candidate_file(package);
  file.signature = *std::move(judged.signature);
  PATCHLAB_TRY(remember(store, file));
  return Result<CandidateFile>(std::move(file));
}

Result<CandidateFile> taken_in_windows(const std::filesystem::path& path, const ContentStore& store) {
  PATCHLAB_ASSIGN(const auto digest, sha256_of_file(path));
  const auto note = note_of(store, digest);
  std::error_code ignored;
  if (!std::filesystem::exists(note, ignored)) {
    return configuration_error(
        fmt::format("'{}' was not taken in yet, so nothing is known of its signature", path.string()),
        fmt::format("patchlab patch add {} --ca-bundle FILE", path.string()));
  }
  PATCHLAB_ASSIGN(auto file, remembered(note));
  if (file.sha256 != digest)
    return configuration_error(fmt::format("'{}' is about another file: sha256 {}", note.string(), file.sha256));
  PATCHLAB_TRY(store.verified_path(digest));
  return file;
}

}  // namespace patchlab::patches
