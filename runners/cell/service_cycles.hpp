// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"
#include "runners/cell/stability.hpp"

namespace patchlab::runners::cell {

// What was seen of a machine while its role's services were stopped and started again.
struct Cycled {
  std::optional<reports::ServiceCycles> record;  // nothing: they were not to be
  std::vector<checks::state::StateDifference> findings;
};

// Stops and starts each service that the role names, one after the other, as often as the policy says; services that
// need it are stopped before it and started behind it. Meanwhile `load.ask` is asked by a thread of its own, one check
// after another, from before the first stop until after the last start: what those checks find decides nothing. A
// service that does not stop or start in time is a finding, and the next one goes on; so is a guest that restarts by
// itself, and then nothing goes on. `boot_id`: of the start that the guest runs on. An Error: it was not seen what came
// of it; `seen` holds what was.
[[nodiscard]] Result<void> cycle_services(Guest& guest, const std::string& boot_id, const Load& load, Cycled& seen);

}  // namespace patchlab::runners::cell
