// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/scratch.hpp"

#include <algorithm>
#include <thread>

#include "lab/core/files.hpp"
#include "runners/cell/slots.hpp"

namespace patchlab::runners::host {

Result<void> make_slots(const std::filesystem::path& folder, std::size_t count) {
  PATCHLAB_TRY(create_folders(folder));
  for (std::size_t number = 0; number < count; ++number)
    PATCHLAB_TRY(write_file_atomically(folder / cell::slot_name(number), ""));
  return {};
}

Result<Scratch> Scratch::create(const std::string& name) {
  const auto cells = cache_folder() / "cells";
  remove_abandoned(cells);
  PATCHLAB_ASSIGN(auto folder, HeldFolder::make(cells / name));
  PATCHLAB_TRY(make_slots(folder.path() / "slots", slot_count()));
  return Scratch(std::move(folder));
}

std::size_t Scratch::slot_count() { return std::max(2U, std::thread::hardware_concurrency()); }

}  // namespace patchlab::runners::host
