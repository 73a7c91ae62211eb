// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

// What stands below the options in the help of each command.
namespace patchlab::cli {

struct HelpText {
  std::string_view command;                 // "image build"
  std::string_view example;                 // a call of it, as one types it
  enum class Ends { plain, verdict } ends;  // whether its exit code says how candidates fared
  bool uses_cache = false;
};
[[nodiscard]] const std::vector<HelpText>& help_texts();

// Gives every command of the tree its own text, and the tree itself the order of work.
void add_help_texts(CLI::App& app);

}  // namespace patchlab::cli
