// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

// How bad it is to go without a candidate, as a record has it: a word, and whatever else somebody wrote there.
namespace patchlab::reports {

// The worst first. Every other word, "unknown" and none at all say that nobody knows, and count as the worst where less
// would be asked otherwise.
inline constexpr std::array<const char*, 4> known_severities{"critical", "important", "moderate", "low"};

// 0: nobody knows; from 1, the worst, on.
[[nodiscard]] constexpr int severity_rank(std::string_view word) {
  for (std::size_t i = 0; i < known_severities.size(); ++i) {
    if (word == known_severities[i]) return static_cast<int>(i) + 1;
  }
  return 0;
}
[[nodiscard]] constexpr bool is_known_severity(std::string_view word) { return severity_rank(word) != 0; }

}  // namespace patchlab::reports
