// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/run_folder.hpp"

#include <fmt/chrono.h>

#include <random>

namespace patchlab::runners {
namespace {

constexpr const char* lock_name = "in-use";

std::string new_id(const Clock& clock) {
  const auto now = std::chrono::system_clock::to_time_t(clock.wall());
  return fmt::format("{:%Y%m%d-%H%M%S}-{:04x}", fmt::gmtime(now), std::random_device{}() & 0xffffU);
}

}  // namespace

std::size_t remove_leftovers(const std::filesystem::path& cells) {
  std::size_t removed = 0;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(cells, code)) {
    if (!entry.is_directory(code)) continue;
    // A folder without a lock file is one whose run is just being born: leave it.
    if (!std::filesystem::exists(entry.path() / lock_name, code)) continue;
    const auto lock = FileLock::take(entry.path() / lock_name, FileLock::Mode::exclusive, FileLock::Blocking::no);
    if (!lock) continue;
    std::filesystem::remove_all(entry.path(), code);
    ++removed;
  }
  return removed;
}

RunFolder::RunFolder(std::string id, std::filesystem::path path, std::filesystem::path scratch, FileLock lock,
                     Clock& clock)
    : id_(std::move(id)),
      path_(std::move(path)),
      scratch_(std::move(scratch)),
      lock_(std::move(lock)),
      clock_(&clock),
      events_(path_ / "events.jsonl") {}

Result<RunFolder> RunFolder::create(const std::filesystem::path& runs, Clock& clock) {
  const auto id = new_id(clock);
  const auto path = std::filesystem::absolute(runs) / id;
  const auto cells = cache_folder() / "cells";
  const auto scratch = cells / id;
  PATCHLAB_TRY(create_folders(path / "evidence"));
  PATCHLAB_TRY(create_folders(cells));
  remove_leftovers(cells);
  PATCHLAB_TRY(create_folders(scratch / "slots"));
  PATCHLAB_ASSIGN(auto lock, FileLock::take(scratch / lock_name, FileLock::Mode::exclusive, FileLock::Blocking::no));
  return RunFolder(id, path, scratch, std::move(lock), clock);
}

RunFolder::~RunFolder() {
  if (!mutex_) return;  // moved from
  std::error_code code;
  std::filesystem::remove_all(scratch_, code);
}

void RunFolder::event(const std::string& department, Json event) {
  event["time"] = rfc3339(clock_->wall());
  if (!department.empty()) event["department"] = department;
  const std::lock_guard lock(*mutex_);
  events_ << event.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
}

}  // namespace patchlab::runners
