// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "lab/core/result.hpp"
#include "lab/core/usage.hpp"

// What a Debian guest uses up, asked by one script that starts four short processes.
namespace patchlab::lab::guest::debian {

// $1: a line prefix that starts a section.
//   service KIB TASKS FILES ROOM NAME   what its processes have of their own, and how many files the one of them that
//                                       is nearest to its limit may still open; of systemd the unit, else the program
//   memory KIB KIB                      taken, available
//   tasks NUMBER NUMBER                 of all, and how many more there may be
//   files NUMBER                        of all
//   connections NUMBER
extern const char* const usage_script;

// Its sections.
[[nodiscard]] Result<Usage> usage(const std::map<std::string, std::string>& sections);

}  // namespace patchlab::lab::guest::debian
