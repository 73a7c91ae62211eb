// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/scratch.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "lab/core/files.hpp"
#include "runners/cell/slots.hpp"

namespace patchlab::runners::host {

Result<void> make_slots(const std::filesystem::path& folder, std::size_t count) {
  PATCHLAB_TRY(create_folders(folder));
  for (std::size_t number = 0; number < count; ++number) {
    const auto slot = folder / cell::slot_name(number);
    const FileDescriptor file(::open(slot.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!file.valid()) return errno_error("making the processor slot '" + slot.string() + "'", errno);
  }
  return {};
}

Result<Scratch> Scratch::create(const std::string& name) {
  const auto cells = cache_folder() / "cells";
  remove_abandoned(cells);
  PATCHLAB_ASSIGN(auto folder, HeldFolder::make(cells / name));
  const auto slots = cells.parent_path() / "slots";
  PATCHLAB_TRY(make_slots(slots, slot_count()));
  // Cells are shown the folder, and no link that leads to it.
  std::error_code code;
  auto seen = std::filesystem::canonical(slots, code);
  if (code) return infrastructure_error("looking at '" + slots.string() + "': " + code.message());
  return Scratch(std::move(folder), std::move(seen));
}

std::size_t Scratch::slot_count() { return std::max(2U, std::thread::hardware_concurrency()); }

}  // namespace patchlab::runners::host
