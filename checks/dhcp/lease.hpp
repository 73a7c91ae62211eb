// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::dhcp {

// "dhcp.lease": a new client with a random MAC gets a lease, renews it and gives it back, in raw frames on the target's
// interface. Parameters:
//   server        the only server id that may answer; default: the machine's address
//   pool          {"from", "to"}: the address must be inside
//   options       {"routers": ["10.20.0.1"], "subnet-mask": "255.255.255.0", "domain-name": "corp.example",
//   "dhcp-lease-time": 600, "43": "0a0b" ...}:
//                 byte-exact values of the ACK, by IANA name or by number in hex
//   broadcast     default false; true asks for broadcast answers
//   offer_window_ms  default 1000: how long to collect further OFFERs after the first
//   mac           of a reservation, whose address then is the pool; default: random, locally administered
//   neighbours    default 0, up to 1000: as many other clients hold a lease meanwhile, each an address of its own. All
//                 leases of checks that run at the same time come from the pool
//   further       default none: what else is asked between renewal and release, of "rebind", "init-reboot", "inform";
//   each
//                 is answered with an ACK of the same address (inform: of none, and without mask and times) and the
//                 same options
//   lease_time    {"least", "most"} in seconds: in place of an exact "dhcp-lease-time"
// Observation: see client.hpp.
[[nodiscard]] const Check& lease();

}  // namespace patchlab::checks::dhcp
