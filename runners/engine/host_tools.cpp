// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/host_tools.hpp"

#include "lab/core/files.hpp"

namespace patchlab::runners {

HostTools this_host() {
  const auto cache = cache_folder();
  return {host_processes(), system_clock_source(), cache,
          [](Scenario& scenario, Progress& progress, std::stop_token stop) {
            return provide_goldens(scenario, host_processes(), progress, std::move(stop));
          },
          host_solvers(host_processes(), cache / "apt" / "known")};
}

}  // namespace patchlab::runners
