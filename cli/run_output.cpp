// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_output.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array of_a_folder{"run.json", "decisions.json", "junit.xml", "junit-trials.xml", "report.html"};

// Which file of the run goes where.
std::vector<std::pair<std::string, fs::path>> copies_to(const fs::path& output) {
  const auto extension = output.extension();
  if (extension == ".xml") return {{"junit.xml", output}};
  if (extension == ".html") return {{"report.html", output}};
  if (extension == ".json") return {{"run.json", output}};
  std::vector<std::pair<std::string, fs::path>> copies;
  for (const auto* name : of_a_folder) copies.emplace_back(name, output / name);
  return copies;
}

Result<void> prepare(const fs::path& output) {
  const auto copies = copies_to(output);
  const auto folder = copies.front().second.parent_path();
  if (!folder.empty()) PATCHLAB_TRY(create_folders(folder));
  for (const auto& [name, file] : copies) {
    std::error_code code;
    const auto type = fs::symlink_status(file, code).type();
    if (type == fs::file_type::not_found) continue;
    if (type != fs::file_type::regular) {
      return infrastructure_error(fmt::format("'{}' is there, and is no file that an earlier run wrote", file.string()),
                                  "name another place");
    }
    if (!fs::remove(file, code) || code)
      return infrastructure_error(fmt::format("removing '{}' of an earlier run: {}", file.string(), code.message()));
  }
  const auto probe = copies.front().second;
  PATCHLAB_TRY(write_file_atomically(probe, ""));
  std::error_code ignored;
  fs::remove(probe, ignored);
  return {};
}

}  // namespace

Result<void> prepare_outputs(const std::vector<fs::path>& outputs) {
  for (const auto& output : outputs)
    PATCHLAB_TRY(prepare(output).while_doing(fmt::format("--output '{}'", output.string())));
  return {};
}

Result<void> write_outputs(const std::vector<fs::path>& outputs, const fs::path& run_folder) {
  for (const auto& output : outputs) {
    for (const auto& [name, file] : copies_to(output)) {
      if (!is_there(run_folder / name)) continue;
      PATCHLAB_ASSIGN(const auto text, read_file(run_folder / name));
      PATCHLAB_TRY(write_file_atomically(file, text).while_doing(fmt::format("--output '{}'", output.string())));
    }
  }
  return {};
}

}  // namespace patchlab::cli
