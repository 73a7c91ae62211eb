// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace patchlab {

// How much an organisation needs what a machine does, as its scenario says: a fact for what is due when
// (process/assess).
enum class Importance { low, medium, high };
// From the least on; the index is the value.
inline constexpr std::array<const char*, 3> importance_words{"low", "medium", "high"};

[[nodiscard]] constexpr const char* to_string(Importance importance) {
  return importance_words.at(static_cast<std::size_t>(importance));
}
// Nothing: it is none of the words.
[[nodiscard]] constexpr std::optional<Importance> importance_from(std::string_view word) {
  for (std::size_t i = 0; i < importance_words.size(); ++i) {
    if (word == importance_words.at(i)) return static_cast<Importance>(i);
  }
  return std::nullopt;
}

}  // namespace patchlab
