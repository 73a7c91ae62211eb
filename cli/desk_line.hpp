// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/scribe_argument.hpp"
#include "promotion/handover/handover.hpp"

namespace patchlab::cli {

// The command that takes runs for the ledger of a stage, as another user or on another host.
struct DeskCommand {
  std::vector<std::string> words;  // empty: there is none, and we write ourselves
  promotion::KeyText key{};        // of the scribe
};
struct DeskCommandArgument {
  std::string command;  // empty: none
};
// --desk, with PATCHLAB_DESK.
void add_desk_command(CLI::App& command, DeskCommandArgument& argument);
// The command in words, and who speaks for the lab there: the list of signers is the desk's, so whether the key may
// sign is for the desk to say.
struct AtDesk {
  DeskCommand desk;
  promotion::Scribe scribe;
};
[[nodiscard]] Result<AtDesk> at_desk(const DeskCommandArgument& argument, const ScribeArguments& scribe);

// Starts it for each conversation. There is no shell.
[[nodiscard]] promotion::Dial dial(const DeskCommand& desk);

}  // namespace patchlab::cli
