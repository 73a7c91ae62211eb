// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage.hpp"
#include "promotion/stage/version_folder.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

void verify_file(const fs::path& folder, const ManifestFile& file, std::vector<std::string>& problems) {
  const auto path = folder / file.candidate / file.name;
  std::error_code code;
  const auto status = fs::symlink_status(path, code);
  if (!fs::exists(status)) return problems.push_back(file.path() + ": is missing");
  if (!fs::is_regular_file(status)) return problems.push_back(file.path() + ": is not a regular file");
  const auto bytes = fs::file_size(path, code);
  if (code || bytes != file.bytes)
    return problems.push_back(fmt::format("{}: has {} bytes instead of {}", file.path(), bytes, file.bytes));
  const auto digest = sha256_of_file(path);
  if (!digest) return problems.push_back(file.path() + ": " + digest.error().message);
  if (*digest != file.sha256)
    problems.push_back(fmt::format("{}: has the digest {} instead of {}", file.path(), *digest, file.sha256));
}

// Nothing but the manifest, the folders of its candidates and their files.
void verify_no_strangers(const fs::path& folder, const Manifest& manifest, std::vector<std::string>& problems) {
  std::set<std::string> expected{manifest_file_name};
  for (const auto& file : manifest.files) expected.insert({file.candidate, file.path()});
  std::error_code code;
  for (auto at = fs::recursive_directory_iterator(folder, code); !code && at != fs::recursive_directory_iterator();
       at.increment(code)) {
    const auto name = at->path().lexically_relative(folder).generic_string();
    if (!expected.contains(name)) problems.push_back(name + ": does not belong here");
    const bool is_candidate = expected.contains(name) && std::ranges::count(manifest.candidates, name) > 0;
    if (const auto status = at->symlink_status(code); is_candidate && fs::is_symlink(status))
      problems.push_back(name + ": is a symbolic link");
  }
  if (code) problems.push_back(folder.string() + ": " + code.message());
}

StageCheck verify_department(const fs::path& link, const std::string& name) {
  std::error_code code;
  const auto folder = fs::canonical(link, code);  // the walk must see the version, not stop at the link
  auto check = code ? StageCheck{} : verify_version(folder);
  if (code) check.problems.push_back(code.message());
  if (!check.department.empty() && check.department != name) {
    check.problems.push_back(fmt::format("its manifest is that of the department '{}'", check.department));
  }
  check.department = name;
  for (auto& problem : check.problems) problem = name + "/" + problem;
  return check;
}

}  // namespace

StageCheck verify_version(const fs::path& folder) {
  StageCheck check;
  const auto file = folder / manifest_file_name;
  const auto text = read_file(file, 64U << 20U, Links::refuse);
  if (!text) return check.problems.push_back(std::string(manifest_file_name) + ": " + text.error().message), check;
  check.manifest_digest = sha256(*text);
  const auto json = parse_json(*text, manifest_file_name, JsonTexts::any);
  const auto manifest = json ? manifest_from_json(*json, manifest_file_name) : Result<Manifest>(json.error());
  if (!manifest) return check.problems.push_back(manifest.error().message), check;
  check.department = manifest->department;
  check.run = manifest->run;
  check.record_digest = manifest->record_digest;
  check.candidates = manifest->candidates;
  for (const auto& entry : manifest->files) verify_file(folder, entry, check.problems);
  verify_no_strangers(folder, *manifest, check.problems);
  return check;
}

namespace {

// What is published, and what was and is not any more.
Result<std::set<std::string>> departments_of(const fs::path& stage) {
  std::set<std::string> names;
  for (const auto& folder : {stage, stage / ".versions"}) {
    PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
    for (const auto& entry : entries) {
      if (const auto name = entry.filename().string(); !name.starts_with('.')) names.insert(name);
    }
  }
  return names;
}

// A department is a link to one of its versions; whatever else lies in a stage was not published.
StageCheck check_department(const fs::path& stage, const std::string& name) {
  StageCheck check;
  check.department = name;
  std::error_code code;
  const auto status = fs::symlink_status(stage / name, code);
  if (fs::is_symlink(status)) return verify_department(stage / name, name);
  check.problems.push_back(
      name + (fs::exists(status) ? "/is no link to a published version: it does not belong here"
                                 : "/is not published: its link was removed, or its first promotion was interrupted"));
  return check;
}

}  // namespace

Result<std::vector<StageCheck>> verify_stage(const fs::path& folder) {
  if (is_there(folder / manifest_file_name)) {
    const auto path =
        folder.has_filename() ? folder : folder.parent_path();  // "production/finance/" is a way to write it
    return std::vector<StageCheck>{verify_department(path, path.filename().string())};
  }
  if (!is_folder(folder / ".versions")) {
    PATCHLAB_TRY(entries_of(folder));  // says why it cannot be read
    return configuration_error(
        fmt::format("'{}' is no stage, and no department of one: nothing was ever published into it", folder.string()),
        "name the folder that 'patchlab promote' was given as --stage");
  }
  PATCHLAB_ASSIGN(const auto names, departments_of(folder));
  if (names.empty()) {
    return configuration_error(
        fmt::format("no department is published in '{}': there is nothing to prove", folder.string()),
        "promote a run first, or name another stage");
  }
  std::vector<StageCheck> checks;
  for (const auto& name : names) checks.push_back(check_department(folder, name));
  return checks;
}

}  // namespace patchlab::promotion
