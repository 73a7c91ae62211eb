// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>

#include "lab/guest/adapter.hpp"

namespace patchlab::lab::guest {

// What shows that a machine really restarted: the boot id before and after, and how long it took until its start-up was
// over.
struct RebootProof {
  std::string boot_id_before;
  std::string boot_id_after;
  Milliseconds duration{};
};

// Warm: the guest restarts itself. Agent errors on the way are expected. The boot id must change exactly once, then the
// start-up must end, all within `deadline`; otherwise the error (class guest) says what was last seen. A guest whose
// boot id changes a second time is in a restart loop, which is an error too.
[[nodiscard]] Result<RebootProof> reboot_and_prove(GuestAdapter& adapter, GuestAgent agent, Clock& clock,
                                                   Milliseconds deadline, std::stop_token stop = {});

// Cold: the guest shuts down cleanly and powers itself off, then the machine is started again. Same proof.
[[nodiscard]] Result<RebootProof> cold_restart_and_prove(GuestAdapter& adapter, GuestAgent agent,
                                                         Hypervisor& hypervisor, Clock& clock, Milliseconds deadline,
                                                         std::stop_token stop = {});

// The last part of both, also for a first start (with an empty `previous_boot_id`): a boot id other than the previous
// one, and the start-up's end. Returns the new boot id.
[[nodiscard]] Result<std::string> await_boot(GuestAdapter& adapter, GuestAgent agent, Clock& clock,
                                             const std::string& previous_boot_id, Milliseconds deadline,
                                             std::stop_token stop = {});

}  // namespace patchlab::lab::guest
