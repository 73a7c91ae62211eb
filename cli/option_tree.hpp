// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

namespace CLI {
class App;
}

// The commands and options as values, read from the parser itself: what mistakes are compared with, and what the
// completions, the manual page and tests walk. Nothing is written down twice.
namespace patchlab::cli {

// What the value of an option is, so that a shell can complete it and a test can ask with a wrong one.
// `name`: of something that is there or is not, a department; `word`: one of a list that never changes; `run`: a run's
// id, folder, or latest.
enum class ValueKind { none, file, folder, run, name, word, text };

struct OptionFacts {
  std::vector<std::string> names;  // "--output", "-o"; of a positional one its name alone, "run"
  bool positional = false;
  ValueKind kind = ValueKind::none;
  std::vector<std::string> words;  // of ValueKind::word: all there are
  std::string value;               // how a value is called, "DEPARTMENT"; empty: takes none
  std::string help;
  std::string default_value;
  std::string environment;
  bool required = false;
  int takes = 0;  // so many arguments at least, whatever they look like
};
struct CommandFacts {
  std::vector<std::string> words;  // {"image", "build"}; empty: patchlab itself
  std::string help;
  std::vector<OptionFacts> options;  // those of people; --help is among them
  std::vector<CommandFacts> commands;

  [[nodiscard]] std::string name() const;  // "patchlab image build"
};

// Without what is not for people: hidden commands.
[[nodiscard]] CommandFacts command_tree(const CLI::App& app);
// All that do something themselves, in the order of the help.
[[nodiscard]] std::vector<const CommandFacts*> commands_in(const CommandFacts& tree);

// What CLI11 does not tell: which word of a command line is no command or option, and which one was meant. Nothing when
// all are known; then CLI11 says what is wrong.
[[nodiscard]] std::optional<Error> unknown_word(const CommandFacts& tree, const std::vector<std::string>& arguments);
// The command that a line is about, as far as it names one: for "patchlab run --help".
[[nodiscard]] const CommandFacts& command_of(const CommandFacts& tree, const std::vector<std::string>& arguments);

}  // namespace patchlab::cli
