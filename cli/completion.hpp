// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/option_tree.hpp"

// What shells and man read, made of the commands and options that the parser has. Pure.
namespace patchlab::cli {

[[nodiscard]] std::string bash_completion(const CommandFacts& tree);
[[nodiscard]] std::string zsh_completion(const CommandFacts& tree);
[[nodiscard]] std::string fish_completion(const CommandFacts& tree);
// patchlab(1), in the man macros (groff_man(7)).
[[nodiscard]] std::string manual_page(const CommandFacts& tree, const std::string& version);

}  // namespace patchlab::cli
