// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/restart.hpp"

#include "lab/guest/reboot.hpp"

namespace patchlab::runners::cell {

Result<void> restart(Guest& guest, Reboot kind, Expectation& expected) {
  const auto limit = guest.context.job.policy.boot_timeout;
  const auto restart_once = [&] {
    return kind == Reboot::warm
               ? lab::guest::reboot_and_prove(*guest.adapter, guest.agent, guest.context.clock, limit,
                                              guest.context.stop, guest.adapter->restart_habits().by_itself)
               : lab::guest::cold_restart_and_prove(*guest.adapter, guest.agent, guest.context.hypervisor,
                                                    guest.context.clock, limit, guest.context.stop);
  };
  if (kind != Reboot::if_due) {
    PATCHLAB_ASSIGN(const auto proof, restart_once());
    expected.boot_id = proof.boot_id_after;
  }
  const auto habits = guest.adapter->restart_habits();
  if (habits.until_clear) {
    PATCHLAB_ASSIGN(const auto more, lab::guest::reboot_until_clear(*guest.adapter, guest.agent, guest.context.clock,
                                                                    {.each = limit, .self_restarts = habits.by_itself},
                                                                    guest.context.stop));
    if (!more.empty()) expected.boot_id = more.back().boot_id_after;
  }
  expected.restart = checks::state::Restart::done;
  return {};
}

}  // namespace patchlab::runners::cell
