// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>
#include <vector>

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
// start-up must end, all within `deadline`; otherwise the error says what was last seen. Its class, here and below:
// guest, the guest was seen not to do what it should; silent, it gave no answer; all others are the laboratory's
// trouble, such as a reply that is not understood. A guest whose
// boot id changes more often than `self_restarts` times more is in a restart loop, which is an error too. (Windows
// restarts by itself while it configures updates; Debian never does.)
[[nodiscard]] Result<RebootProof> reboot_and_prove(GuestAdapter& adapter, GuestAgent agent, Clock& clock,
                                                   Milliseconds deadline, std::stop_token stop = {},
                                                   int self_restarts = 0);

struct RebootLimits {
  int most = 4;           // restarts; a guest that then still wants one is an error
  Milliseconds each{};    // deadline of each; update screens take up to 30 minutes
  int self_restarts = 0;  // within each
};
// Restarts as long as the guest says that a restart is due. The proofs, oldest first; none: it was not due.
[[nodiscard]] Result<std::vector<RebootProof>> reboot_until_clear(GuestAdapter& adapter, GuestAgent agent, Clock& clock,
                                                                  const RebootLimits& limits,
                                                                  std::stop_token stop = {});

// The guest shuts down cleanly and powers itself off, which is waited for. Classes of errors as above.
[[nodiscard]] Result<void> power_off_cleanly(GuestAdapter& adapter, const GuestAgent& agent, Hypervisor& hypervisor,
                                             Clock& clock, Milliseconds deadline, std::stop_token stop = {});

// Cold: the guest shuts down cleanly and powers itself off, then the machine is started again. Same proof.
[[nodiscard]] Result<RebootProof> cold_restart_and_prove(GuestAdapter& adapter, GuestAgent agent,
                                                         Hypervisor& hypervisor, Clock& clock, Milliseconds deadline,
                                                         std::stop_token stop = {});

// The last part of both, also for a first start (with an empty `previous_boot_id`): a boot id other than the previous
// one, and the start-up's end. Returns the new boot id.
[[nodiscard]] Result<std::string> await_boot(GuestAdapter& adapter, GuestAgent agent, Clock& clock,
                                             const std::string& previous_boot_id, Milliseconds deadline,
                                             std::stop_token stop = {}, int self_restarts = 0);

}  // namespace patchlab::lab::guest
