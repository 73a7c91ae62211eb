// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/file_lock.hpp"

namespace patchlab::runners::host {

// What the cells of a run need on the host where they are, and nobody afterwards: a folder in the cache of that host,
// `<cache>/cells/<name>`, locked while the run lives, so that what a killed run left behind can be told from what is in
// use. Such folders are removed when a new one is made.
class Scratch {
 public:
  // An error when there is one of that name that is in use.
  [[nodiscard]] static Result<Scratch> create(const std::string& name);
  Scratch(Scratch&&) = default;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();  // removes the folder

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Of the processor slots that all cells here share (runners/cell/slots.hpp).
  [[nodiscard]] std::filesystem::path slots() const { return path_ / "slots"; }
  [[nodiscard]] static std::size_t slot_count();

 private:
  Scratch(std::filesystem::path path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  FileLock lock_;
};

// In a folder that is made as well: cells see them, but cannot make any.
[[nodiscard]] Result<void> make_slots(const std::filesystem::path& folder, std::size_t count);

// Scratch folders below <cache>/cells whose run is gone; removed. Returns how many there were.
std::size_t remove_leftovers(const std::filesystem::path& cells);

}  // namespace patchlab::runners::host
