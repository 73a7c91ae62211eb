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
  // Of the processor slots that all cells here share (runners/cell/slots.hpp).
  [[nodiscard]] std::filesystem::path slots() const { return path() / "slots"; }
  [[nodiscard]] static std::size_t slot_count();

 private:
  explicit Scratch(HeldFolder folder) : folder_(std::move(folder)) {}
  HeldFolder folder_;
};

// In a folder that is made as well: cells see them, but cannot make any.
[[nodiscard]] Result<void> make_slots(const std::filesystem::path& folder, std::size_t count);

}  // namespace patchlab::runners::host
