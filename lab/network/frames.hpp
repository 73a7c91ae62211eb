// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/network/address.hpp"

// Ethernet frames that the leak probe sends, and what it can tell of those it hears. Pure.
namespace patchlab::lab::network {

using Bytes = std::vector<std::uint8_t>;
using Ipv6 = std::array<std::uint8_t, 16>;

[[nodiscard]] std::optional<Ipv6> parse_ipv6(const std::string& text);
[[nodiscard]] std::string ipv6_text(const Ipv6& address);

struct Sender {
  MacAddress mac;
  Ipv4 address;
  std::uint16_t mark = 0;  // ICMP identifier, UDP and TCP source port: how answers are recognised
};

// All go to every port of the bridge (broadcast or multicast destination): whoever forwards, forwards.
[[nodiscard]] Bytes arp_request(const Sender& sender, Ipv4 target);                        // RFC 826
[[nodiscard]] Bytes ping_frame(const Sender& sender, Ipv4 target);                         // RFC 792
[[nodiscard]] Bytes dns_frame(const Sender& sender, Ipv4 target);                          // RFC 1035 over UDP
[[nodiscard]] Bytes tcp_syn_frame(const Sender& sender, Ipv4 target, std::uint16_t port);  // RFC 9293
[[nodiscard]] Bytes neighbour_solicitation(const Sender& sender, const Ipv6& target);      // RFC 4861
[[nodiscard]] Bytes all_nodes_ping(const Sender& sender);                                  // RFC 4443 to ff02::1
// What a DNS probe asks, as UDP payload: the root's name servers.
[[nodiscard]] Bytes dns_question(std::uint16_t id);
[[nodiscard]] Bytes icmp_echo(std::uint16_t id);

// What a neighbour answers to the solicitation of its address in this frame; empty for any other frame.
[[nodiscard]] Bytes answer_to_solicitation(const std::uint8_t* frame, std::size_t size, const MacAddress& own,
                                           const Ipv6& address);
// The type of the frames of control.hpp: IEEE 802's first one for local experiments.
inline constexpr std::uint16_t beacon_type = 0x88B5;

// A frame that came in, as far as it matters here.
struct Heard {
  enum class Kind { arp_reply, echo_reply, icmp_error, udp, tcp, neighbour_advertisement, echo_reply6, other };
  Kind kind = Kind::other;
  MacAddress from;
  std::string address;            // who answers; for icmp_error: the target whose packet it quotes
  std::uint16_t source_port = 0;  // udp, tcp
  std::uint16_t mark = 0;         // destination port or ICMP identifier; for icmp_error: of the packet that it quotes
  std::uint8_t quoted = 0;        // icmp_error: the protocol of the packet that it quotes (1 ICMP, 6 TCP, 17 UDP)
};
// nullopt for what is no Ethernet frame. Truncated or strange contents are Kind::other.
[[nodiscard]] std::optional<Heard> heard(const std::uint8_t* frame, std::size_t size);

}  // namespace patchlab::lab::network
