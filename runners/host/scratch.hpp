// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/held_folder.hpp"

namespace patchlab::runners::host {

// What the cells of a run need on the host where they are, and nobody afterwards: a folder in the cache of that host,
// `<cache>/cells/<name>`, held while the run lives. What killed runs left is removed when a new one is made.
class Scratch {
 public:
  // An error when there is one of that name that is in use.
  [[nodiscard]] static Result<Scratch> create(const std::string& name);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
  // `<cache>/slots`: the processor slots that all cells of all runs here share (runners/cell/slots.hpp).
  [[nodiscard]] const std::filesystem::path& slots() const { return slots_; }
  [[nodiscard]] static std::size_t slot_count();

 private:
  Scratch(HeldFolder folder, std::filesystem::path slots) : folder_(std::move(folder)), slots_(std::move(slots)) {}
  HeldFolder folder_;
  std::filesystem::path slots_;
};

// In a folder that is made as well: cells see them, but cannot make any. One that is there stays as it is: somebody may
// hold it.
[[nodiscard]] Result<void> make_slots(const std::filesystem::path& folder, std::size_t count);

}  // namespace patchlab::runners::host
