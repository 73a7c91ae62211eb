// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "history/index/place.hpp"

namespace patchlab::cli {

// Of --history; without it an SQLite file in the folder of runs, which is absolute.
[[nodiscard]] Result<history::HistoryPlace> history_place(const std::filesystem::path& runs, const std::string& text);

}  // namespace patchlab::cli
