// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checks/deadline.hpp"
#include "checks/dhcp/link.hpp"
#include "checks/dhcp/message.hpp"
#include "lab/core/json.hpp"

namespace patchlab::checks::dhcp {

// What else a client with a lease may ask (RFC 2131 sections 4.3.2 and 4.4.3).
enum class Further {
  rebind,       // by broadcast, as when the server that gave the lease is silent
  init_reboot,  // by broadcast, as after a restart of the client, for the address that it had
  inform        // for the options alone
};
[[nodiscard]] const std::vector<std::string>& further_words();  // "rebind", "init-reboot", "inform"; also the phases
[[nodiscard]] const std::string& to_string(Further further);

struct ClientSettings {
  MacAddress mac;                                      // ours, locally administered
  std::uint32_t xid = 0;                               // of the first exchange; the renewal uses the next
  Ipv4 server;                                         // whose offer is taken when several answer
  std::vector<std::uint8_t> parameter_list;            // option 55
  bool broadcast = false;                              // ask for broadcast answers (RFC 2131 section 4.1)
  Milliseconds offer_window{std::chrono::seconds(1)};  // how long to collect more offers after the first
  Milliseconds resend_after{std::chrono::seconds(4)};  // first retransmission, doubling (RFC 2131 section 4.1)
  Milliseconds probe_wait{500};                        // for an ARP answer from somebody who has our address
  std::vector<Further> further{};                      // in this order, after the renewal
};

// One life of a lease: DISCOVER, OFFERs of a window, REQUEST, ACK, ARP probe, unicast REQUEST in RENEWING, ACK, what is
// asked further, RELEASE. Goes as far as the server lets it and returns what was seen:
//   "client"    {"mac", "xid"}
//   "messages"  [{"phase": "discover" | "request" | "renew" | further_words() | "release", "direction": "out" | "in",
//   "at_ms", "source", "source_mac", "payload" (hex of the
//               DHCP message), "text"}]
//   "conflict"  MAC of a machine that already has the address; only when there is one
//   "server_mac" of the server as ARP resolved it from the leased address; only when it did
//   "neighbours" [{"mac", "address" (null: got none, and no further one was tried)}]; only when there are
// Neighbours get a lease each before that life begins, and give it back after it has ended. None of their messages is
// among "messages". Only trouble of the link is an Error.
[[nodiscard]] Result<Json> live_one_lease(FrameLink& link, const ClientSettings& settings,
                                          const std::vector<MacAddress>& neighbours, const Deadline& deadline);

// What others ask, each a client of its own by its settings. Each returns "client" and "messages" as above, further
// keys as said, and waits for an answer until the deadline at most.

// Phase "init-reboot": asks for the address that it had (RFC 2131 section 4.3.2), perhaps from another network; a NAK
// is an answer. Nothing had: "discover" and "request". "address": what it has then; only when it has one, and it keeps
// it.
[[nodiscard]] Result<Json> have_a_lease(FrameLink& link, const ClientSettings& settings, std::optional<Ipv4> had,
                                        const Deadline& deadline);
// Phases "discover", "request", "decline": somebody else has its address, it says (RFC 2131 section 4.4.4). "address":
// the declined one.
[[nodiscard]] Result<Json> decline_a_lease(FrameLink& link, const ClientSettings& settings, const Deadline& deadline);
// Phase "discover": would like that address, and does not take what it is offered.
[[nodiscard]] Result<Json> want_an_address(FrameLink& link, const ClientSettings& settings, Ipv4 wanted,
                                           const Deadline& deadline);
// Phase "discover", as a relay agent at that address hands it on to the server (RFC 2131 section 4.3.1 "giaddr", RFC
// 3046 section 2.1). Nothing is taken.
[[nodiscard]] Result<Json> discover_by_relay(FrameLink& link, const ClientSettings& settings, Ipv4 relay,
                                             const MacAddress& server, const Deadline& deadline);
// What that relay agent says of the client (RFC 3046 section 3.1), and gets back (section 2.2).
[[nodiscard]] std::string relay_information();

// "OFFER of 10.20.0.100 by 10.20.0.11" with the options, for the reader.
[[nodiscard]] std::string readable(const Message& message);

}  // namespace patchlab::checks::dhcp
