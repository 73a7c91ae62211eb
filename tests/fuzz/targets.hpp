// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchlab::fuzz {

// One parser that meets files from outside. `run` gives it bytes and throws the answer away: what counts is that it
// comes back.
struct Target {
  const char* name;
  void (*run)(std::string_view bytes);
  std::vector<std::string> (*seeds)();
};

// All of them are fed by tests/fuzz/run, and by a unit test (tests/unit/patches/hostile).
[[nodiscard]] const std::vector<Target>& targets();
[[nodiscard]] const Target* find_target(std::string_view name);

}  // namespace patchlab::fuzz
