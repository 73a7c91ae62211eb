// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/result.hpp"
#include "lab/core/time.hpp"

// Documents that are typed: what stands in their blocks ```console is given to a shell as it stands, and what it says
// is compared with what is shown.
namespace patchlab::e2e {

struct Typed {
  std::size_t line = 0;            // of the document, from 1
  std::string command;             // what follows "$ ", with the lines of its here-documents
  std::vector<std::string> shown;  // up to the next command
};

// In the order of the document. In a block a line "$ ..." is a command; one that ends in a backslash goes on in the
// next line, and after "<<EOF" it goes on up to the line "EOF".
[[nodiscard]] std::vector<Typed> typed_in(const std::string& document);

// Whether this is what is shown: every line of it, in order, and no other. "..." in a line stands for any text, a line
// of it alone for any lines. Empty lines are not counted.
[[nodiscard]] bool is_as_shown(const std::vector<std::string>& shown, const std::string& output);

// Types all of it into one shell in this folder, in which `program` is `patchlab`, and describes each command that said
// something else than what is shown, or ended with another code than 0 and no "echo $?" behind it.
[[nodiscard]] std::vector<std::string> type(const std::vector<Typed>& all, const std::filesystem::path& folder,
                                            const std::filesystem::path& program, Milliseconds limit);

}  // namespace patchlab::e2e
