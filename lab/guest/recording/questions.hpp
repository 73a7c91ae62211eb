// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/guest/windows/commands.hpp"

// What a recording asks: the adapter's own commands, each with the values that the adapter gives it.
namespace patchlab::lab::guest::recording {

struct Asked {
  std::string id;  // stable, names the reply's files
  windows::Command command;
  std::string by;
  std::string line;
  std::string saves;       // path of the file that the command writes for the adapter; empty: none
  bool only_tail = false;  // of that file, as of a log
};

// Each line once.
[[nodiscard]] std::vector<Asked> recorded_questions();

// What names its machine, domain and users have: asked as well, so that they can be replaced in the other replies.
// These are in no recording.
[[nodiscard]] std::vector<Asked> name_questions();

// Commands that only ask and are in no recording, with the reason: what they ask for is on no machine by itself.
[[nodiscard]] const std::vector<std::pair<windows::Command, const char*>>& not_recorded();

// "Microsoft-Windows-PrintService/Admin" -> "microsoft-windows-printservice-admin"
[[nodiscard]] std::string plain_id(std::string_view text);

}  // namespace patchlab::lab::guest::recording
