// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

// Words as a POSIX shell reads them back (XCU 2.2): for programs that take one text, and for commands that a person can
// copy.
namespace patchlab {

// As it is where a shell takes it for itself; else in single quotes: 'it'\''s'.
[[nodiscard]] std::string shell_word(const std::string& word);
[[nodiscard]] std::string shell_words(const std::vector<std::string>& words);

}  // namespace patchlab
