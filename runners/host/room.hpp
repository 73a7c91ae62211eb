// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "lab/core/file_lock.hpp"

// Memory of this host for the departments of all runs here. Guests that do not fit are slow in swap, or QEMU is killed,
// and neither must ever look like a bad patch: a department begins when all of its machines have room, and keeps it
// until its cell is down.
namespace patchlab::runners::host {

struct HostMemory {
  std::uint64_t total_mib = 0;
  std::uint64_t available_mib = 0;  // to new programs, without swapping
};
// /proc/meminfo, proc(5).
[[nodiscard]] Result<HostMemory> memory_of_this_host();

// So much was promised to a department. Given back when the object is gone, or the process.
class PromisedRoom {
 public:
  PromisedRoom(PromisedRoom&&) = default;
  PromisedRoom& operator=(PromisedRoom&&) = delete;
  ~PromisedRoom();

 private:
  friend class Room;
  PromisedRoom(std::filesystem::path file, FileLock lock) : file_(std::move(file)), lock_(std::move(lock)) {}
  std::filesystem::path file_;
  FileLock lock_;
};

// Runs with the same cache see what the others were promised: a file for each promise, below the run's folder of
// scratch files, locked (flock) as long as it holds. Not for several threads.
class Room {
 public:
  // `scratch`: the run's own, in the folder where all runs have theirs (Scratch::path).
  Room(std::filesystem::path scratch, std::function<Result<HostMemory>()> look)
      : scratch_(std::move(scratch)), look_(std::move(look)) {}

  struct Answer {
    std::optional<PromisedRoom> room;
    std::string why;  // there is none: a sentence without the department; or what must be said although there is
  };
  // Whether `department` may begin with `mib`. Yes where all promises fit into the host's memory but a sixteenth,
  // which is for everything else, and `mib` into what is available now but for what this run was promised and has not
  // used yet (`used_mib` is what it uses). Where nothing is promised to anybody, always yes: no waiting would help.
  // An error: the files cannot be made, or the host's memory cannot be read.
  [[nodiscard]] Result<Answer> ask(const std::string& department, std::uint64_t mib, std::uint64_t used_mib);

 private:
  std::filesystem::path scratch_;
  std::function<Result<HostMemory>()> look_;
};

}  // namespace patchlab::runners::host
