// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "runners/host/executor.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// The file that says where cells are started.
struct ExecutorArgument {
  std::filesystem::path file;  // empty: here
  [[nodiscard]] Result<std::optional<runners::host::Executor>> read() const;
};
void add_executor(CLI::App& command, ExecutorArgument& argument);

}  // namespace patchlab::cli
