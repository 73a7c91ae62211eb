// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lab/core/net/address.hpp"

// Ethernet frames as values: what somebody speaks who has no address of this network. Bytes are in network order.
namespace patchlab::net {

inline constexpr std::uint16_t type_ipv4 = 0x0800;
inline constexpr std::uint16_t type_arp = 0x0806;
inline constexpr std::uint8_t protocol_udp = 17;

struct UdpFrame {
  MacAddress source_mac;
  MacAddress destination_mac;
  Ipv4 source;
  Ipv4 destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::string payload;
  std::uint16_t packet_id = 0;  // of the IP header
};
[[nodiscard]] std::string encode(const UdpFrame& frame);

// RFC 826.
struct ArpFrame {
  enum class Operation : std::uint16_t { request = 1, reply = 2 };
  MacAddress destination_mac;
  Operation operation = Operation::request;
  MacAddress sender_mac;
  Ipv4 sender;
  MacAddress target_mac;
  Ipv4 target;
};
[[nodiscard]] std::string encode(const ArpFrame& frame);

enum class Checksums { verify, not_ready };
// Anything else, fragments and damaged packets included, is nothing. `not_ready`: a virtual network card left the UDP
// checksum to hardware which is not there (TP_STATUS_CSUMNOTREADY of packet(7)), so it must not be looked at.
using Frame = std::variant<std::monostate, UdpFrame, ArpFrame>;
[[nodiscard]] Frame decode_frame(std::string_view bytes, Checksums checksums);

// What frames are made of, for protocols that are not here.
[[nodiscard]] std::string ethernet(const MacAddress& to, const MacAddress& from, unsigned type,
                                   std::string_view payload);
[[nodiscard]] std::string ipv4_packet(Ipv4 from, Ipv4 to, std::uint8_t protocol, std::uint16_t id,
                                      std::string_view payload);
// The header that checksums of UDP and TCP cover besides their own `size` bytes.
[[nodiscard]] std::string pseudo_header(Ipv4 from, Ipv4 to, std::uint8_t protocol, std::size_t size);
// RFC 1071, over data whose checksum field is zero; 0 over data that carries its own.
[[nodiscard]] std::uint16_t internet_checksum(std::string_view bytes);

}  // namespace patchlab::net
