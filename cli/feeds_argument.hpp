// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "process/feeds/folder.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

inline constexpr const char* usual_feeds = "feeds";

// Where the feeds are, and how old they may be.
struct FeedsArgument {
  std::filesystem::path folder = usual_feeds;
  int days = 0;  // 0: what each kind allows
  // Of the folder; where none was named and the usual one is not there, that there are none.
  [[nodiscard]] Result<process::Feeds> read(process::FeedsWanted wanted) const;
  [[nodiscard]] std::optional<int> max_age() const { return days == 0 ? std::nullopt : std::optional(days); }
};
void add_feeds_options(CLI::App& command, FeedsArgument& argument);

}  // namespace patchlab::cli
