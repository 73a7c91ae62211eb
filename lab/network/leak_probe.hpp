// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/core/time.hpp"
#include "lab/network/address.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/frames.hpp"
#include "lab/network/host_facts.hpp"

// The proof of the fence: from inside a cell, really try to reach the outside, and listen for anybody who is not of the
// lab.
namespace patchlab::lab::network {

enum class ProbeKind { arp, ping, dns, tcp, neighbour, all_nodes, stranger };
// By the kernel's routing table, or as a frame written straight onto the bridge, whatever the routes say.
enum class ProbePath { route, wire };

struct PlannedProbe {
  ProbeKind kind = ProbeKind::arp;
  ProbePath path = ProbePath::wire;
  std::string target;      // IPv4 or IPv6 address; "any" for a stranger
  std::uint16_t port = 0;  // dns, tcp
  bool control = false;    // to the control (control.hpp), which must answer
  bool operator==(const PlannedProbe&) const = default;
};

// Who belongs to the lab: their answers are no leak. The lab may use the very addresses that the host has.
struct LabIdentity {
  AddressPlan plan;
  std::vector<MacAddress> machines;
  std::string device = bridge_name;  // where frames are sent and heard: the bridge, or a port on it (fence.hpp)
  // Of the control, when there is one. Without it nothing is proven.
  std::optional<MacAddress> control;
};

// Everything to try, in a stable order. A host address that the lab uses too is tried by ARP only, where the answering
// MAC tells who it was.
// A neighbour's solicitation is always among it: a wire carries IPv6 whatever this host has configured.
[[nodiscard]] std::vector<PlannedProbe> planned_probes(const HostFacts& facts, const AddressPlan& plan);
// The same kinds, to the control.
[[nodiscard]] std::vector<PlannedProbe> control_probes();
// What a guest is to try as well, controls last. By its routes it cannot reach the control, which is none of its
// subnet: the client answers there, at the bridge.
[[nodiscard]] std::vector<PlannedProbe> guest_probes(const HostFacts& facts, const AddressPlan& plan);

// "arp", "ping-wire", "ipv6-nd" ...
[[nodiscard]] const char* name_of(const PlannedProbe& probe);
// For who sends and hears by other means than those of this process. A frame of nothing for what only listens.
[[nodiscard]] Bytes frame_of(const PlannedProbe& probe, const Sender& sender);
[[nodiscard]] bool is_answer(const PlannedProbe& probe, const Heard& frame, std::uint16_t mark);
// A new one, below the ports that a kernel gives out by itself.
[[nodiscard]] std::uint16_t random_mark();
// MACs of those who speak on the wire and are no leak, but for the control.
[[nodiscard]] std::set<MacAddress> who_speaks(const LabIdentity& lab);

struct LeakAttempt {
  std::string
      probe;  // arp, ping, ping-wire, dns, dns-wire, tcp, tcp-wire, ipv6-nd, ipv6-ping, ipv6-all-nodes, stranger
  std::string target;  // "192.0.2.2", "192.0.2.2:22"
  bool answered = false;
  std::string evidence;  // "network unreachable", "no answer within 1.2 s", "ARP reply from 02:fc:00:00:00:01"
  bool sent = true;
  bool control = false;  // then it had to be answered, and when it was not, that is a trouble
  bool operator==(const LeakAttempt&) const = default;
};

struct LeakReport {
  std::vector<LeakAttempt> attempts;  // one per planned probe, in order
  // Probes that could not be sent, and a control that was not heard: the proof is incomplete when there are any.
  std::vector<std::string> troubles;
};

// Sends everything at once and again after a third of the time, and listens until the end of it: absence cannot be seen
// sooner. While the control has not answered it goes on, up to `patience`: on a busy host all answers are late. To be
// called inside the cell by a process with CAP_NET_RAW; the machines may be running.
[[nodiscard]] LeakReport run_leak_probe(const std::vector<PlannedProbe>& probes, const LabIdentity& lab,
                                        Milliseconds limit = Milliseconds(1200),
                                        Milliseconds patience = std::chrono::seconds(20));

}  // namespace patchlab::lab::network
