// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/scratch.hpp"

#include <algorithm>
#include <thread>

#include "lab/core/paths.hpp"
#include "runners/cell/slots.hpp"

namespace patchlab::runners::host {
namespace {

constexpr const char* lock_name = "in-use";

}  // namespace

std::size_t remove_leftovers(const std::filesystem::path& cells) {
  std::size_t removed = 0;
  for (const auto& entry : entries_of(cells).value_or({})) {
    if (!is_folder(entry)) continue;
    // A folder without a lock file is one whose run is just being born: leave it.
    if (!is_there(entry / lock_name)) continue;
    const auto lock = FileLock::take(entry / lock_name, FileLock::Mode::exclusive, FileLock::at_once());
    if (!lock) continue;
    static_cast<void>(remove_tree(entry));
    ++removed;
  }
  return removed;
}

Result<void> make_slots(const std::filesystem::path& folder, std::size_t count) {
  PATCHLAB_TRY(create_folders(folder));
  for (std::size_t number = 0; number < count; ++number)
    PATCHLAB_TRY(write_file_atomically(folder / cell::slot_name(number), ""));
  return {};
}

Result<Scratch> Scratch::create(const std::string& name) {
  const auto cells = cache_folder() / "cells";
  const auto path = cells / name;
  PATCHLAB_TRY(create_folders(cells));
  remove_leftovers(cells);
  PATCHLAB_TRY(make_slots(path / "slots", slot_count()));
  PATCHLAB_ASSIGN(auto lock, FileLock::take(path / lock_name, FileLock::Mode::exclusive, FileLock::at_once()));
  return Scratch(path, std::move(lock));
}

Scratch::~Scratch() {
  if (path_.empty()) return;  // moved from
  std::error_code code;
  std::filesystem::remove_all(path_, code);
}

std::size_t Scratch::slot_count() { return std::max(2U, std::thread::hardware_concurrency()); }

}  // namespace patchlab::runners::host
