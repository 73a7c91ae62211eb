// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "checks/dhcp/ipv4.hpp"

// Ethernet frames as values: just what a DHCP client without an address speaks.
namespace patchlab::checks::dhcp {

using Mac = std::string;  // 6 bytes
inline const Mac broadcast_mac = "\xff\xff\xff\xff\xff\xff";

struct UdpFrame {
  Mac source_mac;
  Mac destination_mac;
  Ipv4 source;
  Ipv4 destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::string payload;
};
[[nodiscard]] std::string encode(const UdpFrame& frame);

// RFC 826.
struct ArpFrame {
  enum class Operation : std::uint16_t { request = 1, reply = 2 };
  Mac destination_mac;
  Operation operation = Operation::request;
  Mac sender_mac;
  Ipv4 sender;
  Mac target_mac;
  Ipv4 target;
};
[[nodiscard]] std::string encode(const ArpFrame& frame);

enum class Checksums { verify, not_ready };
// Anything else, fragments and damaged packets included, is nothing. `not_ready`: a virtual network card left the UDP
// checksum to hardware which is not there (TP_STATUS_CSUMNOTREADY of packet(7)), so it must not be looked at.
using Frame = std::variant<std::monostate, UdpFrame, ArpFrame>;
[[nodiscard]] Frame decode_frame(std::string_view bytes, Checksums checksums);

// RFC 1071, over data whose checksum field is zero; 0 over data that carries its own.
[[nodiscard]] std::uint16_t internet_checksum(std::string_view bytes);

}  // namespace patchlab::checks::dhcp
