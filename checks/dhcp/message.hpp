// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lab/core/net/address.hpp"

namespace patchlab::checks::dhcp {

using net::Ipv4;
using net::MacAddress;

// Option 53 (RFC 2132 section 9.6).
enum class MessageType : std::uint8_t {
  discover = 1,
  offer = 2,
  request = 3,
  decline = 4,
  ack = 5,
  nak = 6,
  release = 7,
  inform = 8,
};
[[nodiscard]] const char* to_string(MessageType type);

enum class Direction : std::uint8_t { request = 1, reply = 2 };  // BOOTP "op"

// Codes of RFC 2132 which the client itself needs; the rest is in options.hpp.
namespace option {
inline constexpr std::uint8_t pad = 0, subnet_mask = 1, router = 3, dns = 6, host_name = 12, domain_name = 15,
                              requested_address = 50, lease_time = 51, overload = 52, message_type = 53, server_id = 54,
                              parameter_list = 55, renewal_time = 58, rebinding_time = 59, client_id = 61,
                              relay_information = 82, end = 255;
}  // namespace option

// A DHCP message (RFC 2131 section 2) as a value.
struct Message {
  Direction direction = Direction::request;
  std::uint8_t hops = 0;  // relays on the way
  std::uint32_t xid = 0;
  bool broadcast = false;
  Ipv4 client;                                  // ciaddr
  Ipv4 yours;                                   // yiaddr
  Ipv4 next_server;                             // siaddr
  Ipv4 relay;                                   // giaddr
  MacAddress hardware;                          // chaddr
  std::map<std::uint8_t, std::string> options;  // parts of one option already joined (RFC 3396)

  [[nodiscard]] std::optional<MessageType> type() const;
  [[nodiscard]] std::optional<Ipv4> server_id() const;
  // An option of exactly four bytes.
  [[nodiscard]] std::optional<std::uint32_t> number(std::uint8_t code) const;
};

// At least 300 bytes, as BOOTP relays and some servers insist (RFC 1542 section 2.1).
[[nodiscard]] std::string encode(const Message& message);
// The error says what is malformed.
[[nodiscard]] Result<Message> decode(std::string_view bytes);

}  // namespace patchlab::checks::dhcp
