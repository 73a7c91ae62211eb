// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "promotion/gate/requirement.hpp"

namespace patchlab::promotion {

// What a reason says to a person. The table is docs/reasons.md, which a test makes of it.
struct ReasonMeaning {
  ReasonCode code;
  const char* word;     // stable API
  const char* meaning;  // what was found
  const char* next;     // what a person does about it
};
inline constexpr std::size_t reason_count = static_cast<std::size_t>(last_reason_code) + 1;
// In the order of ReasonCode.
[[nodiscard]] const std::array<ReasonMeaning, reason_count>& reason_meanings();
// What to do about a reason, by its word; empty for a word that is none (a record of a newer version).
[[nodiscard]] std::string next_step(std::string_view word);

}  // namespace patchlab::promotion
