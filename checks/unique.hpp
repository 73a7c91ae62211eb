// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <random>
#include <string>

namespace patchlab::checks {

// 128 random bits as 32 lower-case hex digits: marks what one try of a check left behind, so that it never takes the
// trace of another try for its own.
[[nodiscard]] inline std::string unique_text() {
  std::random_device source;
  std::string text;
  for (int i = 0; i < 4; ++i) text += fmt::format("{:08x}", source());
  return text;
}

}  // namespace patchlab::checks
