// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/guest/recording/recording.hpp"
#include "lab/guest/recording/scrub_rules.hpp"

namespace patchlab::lab::guest::recording {

// Of the replies to name_questions(): which told nothing, though there is always something, and why:
// "name-users: ended with 1: ERROR: Access is denied.". Empty: all names were learned.
[[nodiscard]] std::vector<std::string> names_not_learned(const std::vector<Reply>& only_names, const ScrubRules& rules,
                                                         const std::string& oem_code_page);

}  // namespace patchlab::lab::guest::recording
