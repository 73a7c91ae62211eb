// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/result.hpp"

// Words that somebody typed, of which only some exist.
namespace patchlab {

// Those of `known` that somebody who wrote `word` may have meant, best first, at most three: few letters differ, or it
// is the beginning of one.
[[nodiscard]] std::vector<std::string> nearest(const std::string& word, const std::vector<std::string>& known);
// "did you mean mail or main?"; empty when nothing is near.
[[nodiscard]] std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

// About what was typed for an option: "--department 'finanze' is not in the scenario; there are: finance, sales", and
// the nearest as hint. Class usage: whatever file the names are in, the mistake is in the command line.
[[nodiscard]] Error unknown_choice(const std::string& option, const std::string& word, const std::string& what,
                                   const std::vector<std::string>& known);
// The one check that every filter goes through: an error for the first of `words` that is not among `known`, so that a
// typing mistake is never a question about nothing.
[[nodiscard]] Result<void> check_choice(const std::string& option, const std::vector<std::string>& words,
                                        const std::string& what, const std::vector<std::string>& known);

}  // namespace patchlab
