// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace patchlab {

// A text as a cell of a CSV file (RFC 4180): one line, whatever the text, since it is read on terminals, too; and never
// what a spreadsheet takes for a formula.
[[nodiscard]] std::string csv_cell(const std::string& bytes);
// A line of them, with its newline.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& cells);

}  // namespace patchlab
