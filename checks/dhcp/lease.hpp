// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "checks/check.hpp"
#include "lab/core/net/address.hpp"

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
//   mac           of a reservation, whose address then is the pool; default: random, of net::lab_client_mac()
//   neighbours    default 0, up to 1000: as many other clients hold a lease meanwhile, each an address of its own. All
//                 leases of checks that run at the same time come from the pool
//   further       default none: what else is asked between renewal and release, of "rebind", "init-reboot", "inform";
//   each
//                 is answered with an ACK of the same address (inform: of none, and without mask and times) and the
//                 same options
//   kept          default false; true: one more client keeps its lease through the trial, and asks for the same address
//   in each phase as after a restart (INIT-REBOOT): the server must know it, also after its own restart
//   wrong_network "refused": who asks for an address of another network is told by a NAK; "ignored": no answer to that
//   within offer_window_ms; default: not tried
//   declined      default false; true: an address that a client declined is offered to nobody (RFC 2131 section 4.3.3),
//   also in later phases of the trial; the pool has one address less from then on
//   relayed       default false; true: a DISCOVER by way of a relay agent on the client's address is answered to it,
//   with what it said of the client (option 82)
//   lease_time    {"least", "most"} in seconds: in place of an exact "dhcp-lease-time"
// Observation: see client.hpp; of the others "kept" (and "kept_before": the address that it asked for), "stranger",
// "declined" and "relayed", each with "messages" of its own. Remembers in a trial: {"kept", "declined"}, each {"mac",
// "address", "until" (Unix time)}.
[[nodiscard]] const Check& lease();

// The MAC address of the reservation that parameters of dhcp.lease name, as which the check speaks.
[[nodiscard]] std::optional<net::MacAddress> reserved_mac(const Json& parameters);

}  // namespace patchlab::checks::dhcp
