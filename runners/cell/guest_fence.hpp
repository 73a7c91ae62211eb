// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "lab/guest/adapter.hpp"
#include "lab/network/leak_probe.hpp"
#include "reports/record/record.hpp"

// The proof of the fence from inside a guest: what the cell tries at the bridge is tried by the guest as well, by its
// own routes and on each of its network adapters, because a second way out of a guest does not pass the bridge.
namespace patchlab::runners::cell {

// In a record these probes are named "guest-arp", "guest-ping" ..., and their device is the machine.
struct GuestFence {
  std::vector<reports::FenceAttempt> attempts;  // without phase and trial
  std::vector<std::string> troubles;            // the laboratory's: the proof has a gap
};

struct GuestProber {
  std::string machine;
  lab::network::Sender address;              // MAC and address; the mark is chosen anew
  std::set<lab::network::MacAddress> known;  // whose frames are no leak, as are those of net::lab_client_mac()
  lab::network::MacAddress control;
  // Real clients as which checks speak for a while (dhcp.lease, of a reservation): whether a check has been this one,
  // and whether a frame with this beginning has left our side since then. Nothing else from such a client is excused:
  // heard without having left here, it is the client itself.
  std::function<bool(const lab::network::MacAddress&)> was_played{};
  std::function<bool(const std::string& beginning, std::chrono::steady_clock::time_point since)> has_left{};
};

using ReachOut = std::function<Result<lab::guest::OutreachSeen>(const lab::guest::Outreach&)>;

// Asks again, and listens longer, while the controls on the wire are not heard or the guest cannot be asked. A guest
// whose own rules let nothing out by its routes is said to be so; its adapters are tried all the same.
[[nodiscard]] GuestFence probe_from_guest(const GuestProber& prober,
                                          const std::vector<lab::network::PlannedProbe>& probes,
                                          const ReachOut& reach_out);
// Nothing was tried from inside this machine, and nothing is proven by it.
[[nodiscard]] reports::FenceAttempt not_tried_inside(const std::string& machine, const std::string& why);

}  // namespace patchlab::runners::cell
