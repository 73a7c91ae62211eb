// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/process/process.hpp"

namespace patchlab {

// What a program that reads what others wrote gets to see, by bubblewrap (bwrap(1)): the programs of the host, an empty
// /tmp, and these; no network, no environment but PATH, no other process and no terminal.
struct Sandbox {
  struct Shown {
    std::filesystem::path outside;  // a file or a folder of the host
    std::string inside;             // its path there
  };
  std::vector<Shown> readable{};
  std::vector<Shown> writable{};
  bool devices = false;  // those that every program may have: /dev/null, /dev/urandom and the like
};
// `words`: the program, found in /usr/bin or /usr/local/bin, and its arguments. The Debian package is bubblewrap.
[[nodiscard]] ProcessSpec in_sandbox(const Sandbox& sandbox, const std::vector<std::string>& words);

// Whether the sandbox could not be made: nothing was run in it, whatever the exit code says.
[[nodiscard]] bool is_without_sandbox(const ProcessOutcome& outcome);

}  // namespace patchlab
