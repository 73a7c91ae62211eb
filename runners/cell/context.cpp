// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/context.hpp"

#include <stdexcept>

#include "lab/guest/windows/windows_adapter.hpp"

namespace patchlab::runners::cell {
namespace {

std::unique_ptr<lab::guest::GuestAdapter> adapter_for(const MachineJob& job, lab::guest::GuestAgent agent,
                                                      Clock& clock) {
  switch (job.system.family) {
    case GuestFamily::debian: return lab::guest::debian_adapter(std::move(agent), clock);
    case GuestFamily::windows:
      return lab::guest::windows::windows_adapter(std::move(agent), clock,
                                                  {.setups = job.setups,
                                                   .replaces = job.replaces,
                                                   .version = job.system.version,
                                                   .role = job.plan.role,
                                                   .paths = job.plan.watch_access,
                                                   .parts = job.parts});
  }
  throw std::logic_error("a guest family that nobody can drive");
}

}  // namespace

Guest::Guest(CellContext& its_cell, const MachineJob& its_job)
    : context(its_cell),
      job(its_job),
      agent(context.hypervisor, job.plan.name, context.clock),
      adapter(adapter_for(job, agent, context.clock)) {}

}  // namespace patchlab::runners::cell
