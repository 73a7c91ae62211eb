// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/run_folder.hpp"

#include <fmt/chrono.h>

#include <random>

#include "lab/core/paths.hpp"

namespace patchlab::runners {
namespace {

std::string new_id(const Clock& clock) {
  const auto now = std::chrono::system_clock::to_time_t(clock.wall());
  return fmt::format("{:%Y%m%d-%H%M%S}-{:04x}", fmt::gmtime(now), std::random_device{}() & 0xffffU);
}

}  // namespace

RunFolder::RunFolder(std::string id, std::filesystem::path path, host::Scratch scratch, Clock& clock)
    : id_(std::move(id)),
      path_(std::move(path)),
      scratch_(std::move(scratch)),
      clock_(&clock),
      events_(path_ / "events.jsonl") {}

Result<RunFolder> RunFolder::create(const std::filesystem::path& runs, Clock& clock) {
  const auto id = new_id(clock);
  PATCHLAB_ASSIGN(const auto folder, absolute_path(runs).while_doing("--runs"));
  const auto path = folder / id;
  PATCHLAB_TRY(create_folders(path / "evidence"));
  PATCHLAB_ASSIGN(auto scratch, host::Scratch::create(id));
  return RunFolder(id, path, std::move(scratch), clock);
}

void RunFolder::event(const std::string& department, Json event) {
  event["time"] = rfc3339(clock_->wall());
  if (!department.empty()) event["department"] = department;
  const std::lock_guard lock(*mutex_);
  events_ << event.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
}

}  // namespace patchlab::runners
