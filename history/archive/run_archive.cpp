// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/archive/run_archive.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::history {

namespace fs = std::filesystem;

namespace {

// What a run writes from its first moment on.
constexpr const char* events_file_name = "events.jsonl";

}  // namespace

// Ids begin with the time, so the greatest name is the newest run.
std::vector<std::string> RunArchive::list() const {
  std::vector<std::string> ids;
  for (const auto& entry : entries_of(folder_).value_or({})) {
    if (is_there(entry / reports::run_file_name)) ids.push_back(entry.filename().string());
  }
  std::ranges::reverse(ids);
  return ids;
}

std::string RunArchive::newer_without_record() const {
  const auto known = list(), open = without_record();
  return open.empty() || (!known.empty() && open.front() <= known.front()) ? std::string() : open.front();
}

std::vector<std::string> RunArchive::without_record() const {
  std::vector<std::string> ids;
  for (const auto& entry : entries_of(folder_).value_or({})) {
    if (is_there(entry / events_file_name) && !is_there(entry / reports::run_file_name))
      ids.push_back(entry.filename().string());
  }
  std::ranges::reverse(ids);
  return ids;
}

Result<fs::path> RunArchive::latest() const {
  PATCHLAB_TRY(entries_of(folder_).while_doing("looking for the latest run"));
  const auto ids = list();
  if (ids.empty())
    return configuration_error(fmt::format("there is no run in '{}'", folder_.string()),
                               "start one with 'patchlab run SCENARIO', or name the folder of runs with --runs");
  return folder_ / ids.front() / reports::run_file_name;
}

Result<fs::path> RunArchive::find(const std::string& name) const {
  constexpr std::size_t shown = 3;
  if (name == "latest") return latest();
  auto path = fs::path(name);
  std::error_code code;
  if (!fs::exists(fs::symlink_status(path, code))) {
    path = folder_ / name;
    if (!fs::exists(fs::symlink_status(path, code))) {
      auto ids = list();
      const auto meant = did_you_mean(name, ids);
      ids.resize(std::min(ids.size(), shown));
      return configuration_error(fmt::format("there is no run '{}': no file or folder of that name, and no run in '{}'",
                                             name, folder_.string()),
                                 ids.empty() ? "there are no runs in that folder; name another with --runs"
                                             : fmt::format("{}{}the newest there: {}", meant,
                                                           meant.empty() ? "" : " else ", fmt::join(ids, ", ")));
    }
  }
  if (!is_folder(path)) return path;
  const auto record = path / reports::run_file_name;
  if (!is_there(record) && is_there(path / events_file_name))
    return configuration_error(fmt::format("run '{}' has no record: it is under way, or was killed", name),
                               fmt::format("'{}' says how far it came", (path / events_file_name).string()));
  return record;
}

Result<reports::RunRecord> RunArchive::read(const std::string& name) const {
  PATCHLAB_ASSIGN(const auto path, find(name));
  return reports::read_run_record(path);
}

std::optional<reports::RunRecord> RunArchive::before(const reports::RunRecord& record) const {
  constexpr std::size_t most = 10;
  std::size_t looked_at = 0;
  for (const auto& id : list()) {
    if (id >= record.id) continue;
    if (++looked_at > most) break;
    auto earlier = reports::read_run_record(folder_ / id / reports::run_file_name);
    if (earlier && earlier->complete && earlier->id == id && earlier->scenario_name == record.scenario_name)
      return std::move(*earlier);
  }
  return std::nullopt;
}

Result<void> RunArchive::keep(const reports::RunRecord& record) const {
  return reports::write_run_record(record, folder_ / record.id / reports::run_file_name);
}

Result<void> RunArchive::keep_report(const std::string& id, const std::string& file_name,
                                     const std::string& text) const {
  return write_file_atomically(folder_ / id / file_name, text);
}

}  // namespace patchlab::history
