// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace patchlab::cli {

// Those of `known` that somebody who wrote `word` may have meant, best first, at most three: few letters differ, or it
// is the beginning of one.
[[nodiscard]] std::vector<std::string> nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace patchlab::cli
