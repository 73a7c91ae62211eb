// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>

#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "runners/engine/golden.hpp"
#include "runners/engine/package_plan.hpp"
#include "runners/host/room.hpp"

namespace patchlab::runners {

// What a plan and a run ask of the host they are on. Whoever has a main hands it in; a test has its own.
struct HostTools {
  ProcessRunner& processes;
  Clock& clock;
  std::filesystem::path cache;  // the content store, media, what apt said, answers of earlier runs
  std::function<Result<Goldens>(Scenario&, Progress&, std::stop_token)> goldens;  // provide_goldens
  SolverFactory solvers;
  std::function<Result<host::HostMemory>()> memory = host::memory_of_this_host;
};
[[nodiscard]] HostTools this_host();

}  // namespace patchlab::runners
