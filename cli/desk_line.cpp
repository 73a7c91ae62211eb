// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/desk_line.hpp"

#include <CLI/CLI.hpp>

#include "cli/key_argument.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/process/child.hpp"
#include "promotion/signature/ssh_keygen.hpp"

namespace patchlab::cli {
namespace {

using namespace promotion;

// The desk reads its ledger, waits for who else writes there, and copies what it publishes.
constexpr std::chrono::minutes patience_for_answers{15};
constexpr std::chrono::minutes patience_for_reading{2};
constexpr Milliseconds last_words{2000};

class CommandLine final : public DeskLine {
 public:
  explicit CommandLine(ChildProcess child) : child_(std::move(child)) {}

  Result<void> send(std::string_view line) override {
    auto sent = child_.write_line(line, patience_for_reading);
    if (sent) return {};
    // It may have said why.
    if (auto said = child_.read_line(last_words); said && *said) waiting_ = std::move(**said);
    return waiting_.empty() ? Result<void>(gone()) : Result<void>();
  }

  Result<std::string> receive() override {
    if (!waiting_.empty()) return std::exchange(waiting_, {});
    PATCHLAB_ASSIGN(auto line, child_.read_line(patience_for_answers));
    if (!line) return gone();
    return std::move(*line);
  }

 private:
  Error gone() {
    child_.close_input();
    const auto end = child_.wait(last_words);
    auto why = printable(std::string(trimmed(end.errors)));
    constexpr std::size_t shown = 500;
    if (why.size() > shown) why = "..." + why.substr(why.size() - shown);
    return infrastructure_error(fmt::format("the desk does not answer: its command ended ({}){}", end.describe(),
                                            why.empty() ? "" : ": " + why),
                                "try the command of --desk by hand; patchlab stage setup says what it needs");
  }

  ChildProcess child_;
  std::string waiting_;
};

}  // namespace

void add_desk_command(CLI::App& command, DeskCommandArgument& argument) {
  command
      .add_option("--desk", argument.command,
                  "command that takes runs for the stage's ledger, where another user writes it: 'sudo -n -u USER "
                  "patchlab ledger take --stage STAGE --runs FOLDER', or the same by ssh; no shell reads it")
      ->envname("PATCHLAB_DESK");
}

Result<AtDesk> at_desk(const DeskCommandArgument& argument, const ScribeArguments& arguments) {
  AtDesk found;
  PATCHLAB_ASSIGN(found.desk.words, words_of_command(argument.command).while_doing("--desk"));
  PATCHLAB_ASSIGN(found.scribe, unsigned_scribe(arguments));
  if (arguments.key.empty()) return found;
  PATCHLAB_ASSIGN(const auto key, signing_key(arguments.key).while_doing("--sign-with"));
  found.desk.key = to_string(key.key);
  found.scribe.sign = [file = key.file](const std::string& name_space, const std::string& bytes) {
    return make_signature(host_processes(), file, name_space, bytes);
  };
  return found;
}

Dial dial(const DeskCommand& desk) {
  return [words = desk.words]() -> Result<std::unique_ptr<DeskLine>> {
    ProcessSpec spec;
    spec.program = words.front();
    spec.arguments.assign(words.begin() + 1, words.end());
    PATCHLAB_ASSIGN(auto child, ChildProcess::start(spec).while_doing("--desk"));
    return std::unique_ptr<DeskLine>(std::make_unique<CommandLine>(std::move(child)));
  };
}

}  // namespace patchlab::cli
