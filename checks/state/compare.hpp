// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checks/state/allowances.hpp"
#include "checks/state/state_difference.hpp"
#include "lab/core/host_state.hpp"

namespace patchlab::checks::state {

// What a host lost, gained or changed between two moments, without what `allowances` accept; sorted by kind and item.
//   service    ran before and does not any more, or failed and did not before
//   listener   gone, new, or the same port served by another program or on another address
//   address    per MAC: other addresses than before
//   fact       anything else that the guest's family watches: other value, gone, new
//   any other  a row of a collector: other value, gone, new; its class is that of its rule (checks/state/rules.hpp)
//   error-log  a kind of error line that is neither in `before` nor in `known_error_kinds` (those of the baseline's and
//   the
//              control trial's whole life: what the unpatched system logs by itself, for instance at a reboot)
[[nodiscard]] std::vector<StateDifference> compare(const HostState& before, const HostState& after,
                                                   const Allowances& allowances = {},
                                                   const std::set<std::string>& known_error_kinds = {});

// Whether the restart that some updates wait for is still to come. Until then they count as installed, or removed.
enum class Restart { outstanding, done };

// What is installed, against what should be. `baseline` with what was asked for on top is `expected`.
struct InstalledFindings {
  std::vector<StateDifference> differences;  // not there, or not in the version that was asked for
  std::string widened;                       // one change that nobody asked for, as a sentence; empty: there is none
};
// Windows updates have states for versions: one that a newer one replaced is "superseded", and that is accepted when
// anything was asked for.
[[nodiscard]] InstalledFindings compare_installed(const InstalledSet& baseline, const InstalledSet& expected,
                                                  const InstalledSet& found, Restart restart,
                                                  const Allowances& allowances = {});
// What will be there when nothing waits for a restart any more: what is expected after something that does not say what
// it changes.
[[nodiscard]] InstalledSet after_restart(InstalledSet found);

}  // namespace patchlab::checks::state
