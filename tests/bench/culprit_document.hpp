// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace patchlab::runners::tests {

// Writes PATH.md, what was measured and which goals it meets, and PATH.svg, of the lines of a file of cells.
void write_document(const std::string& cells_file, const std::string& path);

}  // namespace patchlab::runners::tests
