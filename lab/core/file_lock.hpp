// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "lab/core/files.hpp"
#include "lab/core/time.hpp"

namespace patchlab {

// An advisory lock (flock) held as long as the object lives. Never left behind by a killed process.
class FileLock {
 public:
  enum class Mode { shared, exclusive };

  // How long to wait for whoever holds it. There is no waiting without an end: who may read a file may lock it.
  struct Patience {
    Milliseconds limit{0};
    std::stop_token stop{};
    // Told once, when there is somebody to wait for: "process 71 (patchlab run nightly.json)".
    std::function<void(const std::string& holder)> waiting{};
    Clock* clock = nullptr;  // of a test; the system's when there is none
  };
  [[nodiscard]] static Patience at_once() { return {}; }

  // The lock file is made when it is missing, for its owner alone; one made for everybody is closed to others. It must
  // be a regular file, not a link to one. A lock that somebody else still holds at the end is an error that names who.
  [[nodiscard]] static Result<FileLock> take(const std::filesystem::path& path, Mode mode, const Patience& patience);
  // The same at once, for who asks again and again: nothing while somebody else holds it, and nobody looks who, which
  // takes a hundred times as long.
  [[nodiscard]] static Result<std::optional<FileLock>> try_take(const std::filesystem::path& path, Mode mode);

 private:
  explicit FileLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

// Who holds a lock on this file, as far as the kernel tells: "process 71 (patchlab run nightly.json)"; several joined
// by commas; empty when that cannot be seen from here.
[[nodiscard]] std::string lock_holders(const std::filesystem::path& path);

}  // namespace patchlab
