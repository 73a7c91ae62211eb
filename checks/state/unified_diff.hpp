// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace patchlab::checks::state {

// The lines of `after` against those of `before` in the shape that diff -u prints, with three lines around each change;
// "" when they are equal. Above `limit` bytes the rest is only counted. Very different long texts are told as wholly
// exchanged.
[[nodiscard]] std::string unified_diff(const std::string& before, const std::string& after, std::size_t limit = 4000);

}  // namespace patchlab::checks::state
