// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/history_argument.hpp"

namespace patchlab::cli {

Result<history::HistoryPlace> history_place(const std::filesystem::path& runs, const std::string& text) {
  if (!text.empty()) return history::parse_history_place(text);
  return history::place_of_file(runs / "history.sqlite3");
}

}  // namespace patchlab::cli
