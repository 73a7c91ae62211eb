// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/executor_argument.hpp"

#include <CLI/CLI.hpp>

namespace patchlab::cli {

Result<std::optional<runners::host::Executor>> ExecutorArgument::read() const {
  if (file.empty()) return std::optional<runners::host::Executor>();
  PATCHLAB_ASSIGN(auto executor, runners::host::read_executor(file));
  return std::optional(std::move(executor));
}

void add_executor(CLI::App& command, ExecutorArgument& argument) {
  command.add_option("--executor", argument.file,
                     "file that says where departments of images run: each as a job of Slurm, not on this host");
}

}  // namespace patchlab::cli
