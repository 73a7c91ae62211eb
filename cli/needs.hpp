// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/doctor.hpp"

// What a lab needs of its host, by the Debian packages that bring it: `lab_packages` and `some_labs_packages` of
// tools/dependencies.sh, from which quickstart installs and patchlab's own package takes its Depends and Recommends.
namespace patchlab::cli {

struct Need {
  std::string package;
  std::string subject;  // as the table of doctor calls it: "qemu-img"
  std::string without;  // what cannot be done without it; empty: no lab runs at all
  // What was found, empty for just that. An error when it is not there or does not start. Files are looked for below
  // `root`.
  std::function<Result<std::string>(ProcessRunner& processes, const std::filesystem::path& root)> look;
};

[[nodiscard]] const std::vector<Need>& needs();

// Missing: `fail` when every lab needs it, else `warn`, with the command that installs it.
[[nodiscard]] Finding look_for(const Need& need, ProcessRunner& processes, const std::filesystem::path& root = "/");

}  // namespace patchlab::cli
