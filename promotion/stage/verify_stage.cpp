// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/open_below.hpp"
#include "lab/core/paths.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage.hpp"
#include "promotion/stage/version_folder.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_manifest = 64U << 20U;

// How a file was published.
void verify_status(const InputFile& file, const std::string& name, Modes modes, std::vector<std::string>& problems) {
  if (modes == Modes::any) return;
  struct stat info {};
  if (::fstat(file.file.get(), &info) != 0) return problems.push_back(name + ": cannot be looked at");
  if ((info.st_mode & 07777U) != mode_of_files)
    problems.push_back(
        fmt::format("{}: has mode {:04o} instead of {:04o}", name, info.st_mode & 07777U, mode_of_files));
  if (info.st_nlink != 1)
    problems.push_back(fmt::format("{}: has {} names: it can be changed from elsewhere", name, info.st_nlink));
}

void verify_file(const fs::path& folder, const ManifestFile& file, Modes modes, std::vector<std::string>& problems) {
  const auto status = status_of(folder / file.candidate / file.name);
  if (!fs::exists(status)) return problems.push_back(file.path() + ": is missing");
  if (!fs::is_regular_file(status)) return problems.push_back(file.path() + ": is not a regular file");
  const auto input = open_input_below(folder, file.path());
  if (!input) return problems.push_back(file.path() + ": " + input.error().message);
  if (input->bytes != file.bytes)
    return problems.push_back(fmt::format("{}: has {} bytes instead of {}", file.path(), input->bytes, file.bytes));
  const auto digest = sha256_of_open(*input, file.path());
  if (!digest) return problems.push_back(file.path() + ": " + digest.error().message);
  if (*digest != file.sha256)
    return problems.push_back(fmt::format("{}: has the digest {} instead of {}", file.path(), *digest, file.sha256));
  verify_status(*input, file.path(), modes, problems);
}

// The set as an auditor reads it is that of the manifest.
void verify_sums(const fs::path& folder, const Manifest& manifest, std::vector<std::string>& problems) {
  const auto text = read_file(folder / sums_file_name, largest_manifest, Links::refuse);
  if (!text) return problems.push_back(std::string(sums_file_name) + ": " + text.error().message);
  if (*text != sha256sums(manifest.files))
    problems.push_back(std::string(sums_file_name) + ": does not name the files of the manifest");
}

// Nothing but the manifest, the sums, the folders of its candidates and their files.
void verify_no_strangers(const fs::path& folder, const Manifest& manifest, Modes modes,
                         std::vector<std::string>& problems) {
  const bool has_sums = manifest.version > 1;
  std::set<std::string> expected{manifest_file_name};
  if (has_sums) expected.insert(sums_file_name);
  for (const auto& file : manifest.files) expected.insert({file.candidate, file.path()});
  const auto entries = entries_below(folder);
  if (!entries) return problems.push_back(entries.error().message);
  const auto own_mode = static_cast<unsigned>(status_of(folder).permissions());
  if (modes == Modes::as_published && own_mode != mode_of_versions)
    problems.push_back(fmt::format(".: has mode {:04o} instead of {:04o}", own_mode, mode_of_versions));
  for (const auto& entry : *entries) {
    const auto name = entry.lexically_relative(folder).generic_string();
    if (!expected.contains(name)) {
      problems.push_back(name + ": does not belong here");
      continue;
    }
    const auto status = status_of(entry);
    const bool is_candidate = std::ranges::count(manifest.candidates, name) > 0;
    if (is_candidate && fs::is_symlink(status)) problems.push_back(name + ": is a symbolic link");
    const auto mode = static_cast<unsigned>(status.permissions());
    if (modes == Modes::as_published && fs::is_directory(status) && mode != mode_of_versions)
      problems.push_back(fmt::format("{}: has mode {:04o} instead of {:04o}", name, mode, mode_of_versions));
    const bool is_list = name == manifest_file_name || name == sums_file_name;
    if (!has_sums || !is_list) continue;
    if (const auto input = open_input_below(folder, name)) verify_status(*input, name, modes, problems);
  }
}

StageCheck verify_department(const fs::path& link, const std::string& name) {
  std::error_code code;
  // A copy of a version is none; the link of a stage leads to one of its own, and nowhere else.
  if (status_of(link).type() == fs::file_type::symlink) {
    const auto target = fs::read_symlink(link, code);
    if (code || target.parent_path() != fs::path(".versions") / name || target.filename() == "..") {
      StageCheck check;
      check.department = name;
      check.problems.push_back(name + "/leads to '" + target.string() + "', which is no version of it");
      return check;
    }
    // Whoever may change a link on the way exchanges what it leads to.
    const auto stage = link.parent_path();
    for (const auto& step : {stage / ".versions", stage / ".versions" / name, stage / target}) {
      if (status_of(step).type() != fs::file_type::symlink) continue;
      StageCheck check;
      check.department = name;
      check.problems.push_back(fmt::format("{}/'{}' is a symbolic link, and not the folder that was published", name,
                                           step.lexically_relative(stage).string()));
      return check;
    }
  }
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

StageCheck verify_version(const fs::path& folder, Modes modes) {
  StageCheck check;
  const auto file = folder / manifest_file_name;
  const auto text = read_file(file, largest_manifest, Links::refuse);
  if (!text) return check.problems.push_back(std::string(manifest_file_name) + ": " + text.error().message), check;
  check.manifest_digest = sha256(*text);
  const auto json = parse_json(*text, manifest_file_name, JsonTexts::any);
  const auto manifest = json ? manifest_from_json(*json, manifest_file_name) : Result<Manifest>(json.error());
  if (!manifest) return check.problems.push_back(manifest.error().message), check;
  check.department = manifest->department;
  check.run = manifest->run;
  check.record_digest = manifest->record_digest;
  check.candidates = manifest->candidates;
  check.set = manifest->set;
  check.serial = manifest->serial;
  // A version of schema v1 may come from a time when modes were the user's.
  if (manifest->version == 1) modes = Modes::any;
  for (const auto& entry : manifest->files) verify_file(folder, entry, modes, check.problems);
  if (manifest->version > 1) verify_sums(folder, *manifest, check.problems);
  verify_no_strangers(folder, *manifest, modes, check.problems);
  return check;
}

namespace {

// What is published, what was and is not any more, and what does not belong there at all.
Result<std::set<std::string>> departments_of(const fs::path& stage) {
  std::set<std::string> names;
  for (const auto& folder : {stage, stage / ".versions"}) {
    PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
    for (const auto& entry : entries) {
      const auto name = entry.filename().string();
      const bool is_ours = folder == stage && (name == ".versions" || name == ".lock" || name == chain_folder_name);
      if (!is_ours) names.insert(name);
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
