// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runners/cell/protocol.hpp"

// What of a trial is known before it begins. The cell that carries it out goes by it, and so does who foresees how long
// it takes (runners/forecast).
namespace patchlab::runners::cell {

// The moments at which its machines are looked at, in order.
[[nodiscard]] std::vector<std::string> phases_of(const TrialJob& job, const TrialPolicy& policy);

// Whether it is one of those that its restarts are of.
[[nodiscard]] bool is_restarted(const TrialJob& job, const std::string& machine);

// Whether a restart of others may have touched it: it was one of them, or depends on one. The whole department is
// always looked at as a whole.
[[nodiscard]] bool is_concerned(const MachinePlan& machine, const std::set<std::string>& restarted,
                                bool whole_department);

// Whether a state may be used or saved in which candidates are installed: a machine that needs another which is patched
// in this trial may have met it half-patched when that state was saved.
[[nodiscard]] bool may_use_installs(const TrialJob& job, const MachinePlan& machine);

// About how long the installations on a machine take: that many packages change.
[[nodiscard]] std::size_t work_on(const TrialJob& job, const std::string& machine);

// Whether a machine on which a check failed goes on through the phases that are left: what the whole set does there can
// be accepted only when all of it was seen. A search asks whether a set is good, and the first failure says so.
[[nodiscard]] inline bool sees_all(reports::Purpose purpose) {
  return purpose == reports::Purpose::batch || purpose == reports::Purpose::final;
}

// What a trial for this does, in order. `phases` are those of phases_of().
enum class TrialStep { revert, install, remove, phases, fence };
[[nodiscard]] std::vector<TrialStep> steps_of(reports::Purpose purpose);

// What is done in a phase before its machines are looked at.
enum class PhaseBegin { nothing, run_on, cycle_services, install_next, move_clocks, restart };
[[nodiscard]] PhaseBegin begin_of(const std::string& phase);

}  // namespace patchlab::runners::cell
