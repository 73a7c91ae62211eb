// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/message.hpp"

#include <fmt/format.h>

#include "lab/core/net/numbers.hpp"

namespace patchlab::checks::dhcp {
namespace {

using net::big_endian16;
using net::big_endian32;
using net::read16;
using net::read32;
using net::read8;

constexpr std::string_view magic_cookie = "\x63\x82\x53\x63";  // RFC 1497
constexpr std::size_t fixed_size = 236;
constexpr std::size_t server_name_at = 44;
constexpr std::size_t server_name_size = 64;
constexpr std::size_t file_at = 108;
constexpr std::size_t file_size = 128;
constexpr std::size_t least_size = 300;
constexpr unsigned broadcast_flag = 0x8000;

Error malformed(std::string what) { return Error{ErrorClass::check, "malformed DHCP message: " + std::move(what), {}}; }

// One option field; parts with the same code are joined in order (RFC 3396 section 7).
Result<void> read_options(std::string_view field, std::map<std::uint8_t, std::string>& options) {
  std::size_t at = 0;
  while (at < field.size()) {
    const auto code = read8(field, at++);
    if (code == option::pad) continue;
    if (code == option::end) return {};
    if (at >= field.size()) return malformed(fmt::format("option {} has no length", code));
    const std::size_t size = read8(field, at++);
    if (at + size > field.size())
      return malformed(fmt::format("option {} of {} bytes exceeds the message", code, size));
    options[code] += field.substr(at, size);
    at += size;
  }
  return {};  // a missing end option is tolerated, as clients do
}

void append_option(std::string& bytes, std::uint8_t code, std::string_view value) {
  do {
    const auto part = value.substr(0, 255);
    bytes += static_cast<char>(code);
    bytes += static_cast<char>(part.size());
    bytes += part;
    value.remove_prefix(part.size());
  } while (!value.empty());
}

}  // namespace

const char* to_string(MessageType type) {
  switch (type) {
    case MessageType::discover: return "DISCOVER";
    case MessageType::offer: return "OFFER";
    case MessageType::request: return "REQUEST";
    case MessageType::decline: return "DECLINE";
    case MessageType::ack: return "ACK";
    case MessageType::nak: return "NAK";
    case MessageType::release: return "RELEASE";
    case MessageType::inform: return "INFORM";
  }
  return "unknown";
}

std::optional<MessageType> Message::type() const {
  const auto found = options.find(option::message_type);
  if (found == options.end() || found->second.size() != 1) return std::nullopt;
  const auto code = read8(found->second, 0);
  if (code < 1 || code > 8) return std::nullopt;
  return static_cast<MessageType>(code);
}

std::optional<std::uint32_t> Message::number(std::uint8_t code) const {
  const auto found = options.find(code);
  if (found == options.end() || found->second.size() != 4) return std::nullopt;
  return read32(found->second, 0);
}

std::optional<Ipv4> Message::server_id() const {
  const auto value = number(option::server_id);
  if (!value) return std::nullopt;
  return Ipv4{*value};
}

std::string encode(const Message& message) {
  std::string bytes;
  bytes += static_cast<char>(message.direction);
  bytes += "\x01\x06";  // Ethernet, 6 bytes of hardware address
  bytes += static_cast<char>(message.hops);
  bytes += big_endian32(message.xid);
  bytes += big_endian16(0);  // secs
  bytes += big_endian16(message.broadcast ? broadcast_flag : 0);
  for (const auto address : {message.client, message.yours, message.next_server, message.relay})
    bytes += bytes_of(address);
  bytes += bytes_of(message.hardware);
  bytes.resize(fixed_size, '\0');
  bytes += magic_cookie;
  // Some servers look at the first option only to tell DHCP from BOOTP.
  const auto type = message.options.find(option::message_type);
  if (type != message.options.end()) append_option(bytes, type->first, type->second);
  for (const auto& [code, value] : message.options) {
    if (code != option::message_type) append_option(bytes, code, value);
  }
  bytes += static_cast<char>(option::end);
  if (bytes.size() < least_size) bytes.resize(least_size, '\0');
  return bytes;
}

Result<Message> decode(std::string_view bytes) {
  if (bytes.size() < fixed_size + magic_cookie.size()) return malformed(fmt::format("only {} bytes", bytes.size()));
  if (bytes.substr(fixed_size, magic_cookie.size()) != magic_cookie) return malformed("no magic cookie");
  const auto direction = read8(bytes, 0);
  if (direction != 1 && direction != 2) return malformed(fmt::format("op is {}", direction));
  if (read8(bytes, 1) != 1 || read8(bytes, 2) != 6) return malformed("not an Ethernet hardware address");
  Message message;
  message.direction = static_cast<Direction>(direction);
  message.hops = read8(bytes, 3);
  message.xid = read32(bytes, 4);
  message.broadcast = (read16(bytes, 10) & broadcast_flag) != 0;
  message.client = Ipv4(read32(bytes, 12));
  message.yours = Ipv4(read32(bytes, 16));
  message.next_server = Ipv4(read32(bytes, 20));
  message.relay = Ipv4(read32(bytes, 24));
  message.hardware = net::read_mac(bytes, 28);
  PATCHLAB_TRY(read_options(bytes.substr(fixed_size + magic_cookie.size()), message.options));
  // Option overload (RFC 2132 section 9.3): first "file", then "sname" (RFC 2131 section 4.1).
  const auto overload = message.options.find(option::overload);
  if (overload != message.options.end() && overload->second.size() == 1) {
    const auto where = read8(overload->second, 0);
    if ((where & 1U) != 0) PATCHLAB_TRY(read_options(bytes.substr(file_at, file_size), message.options));
    if ((where & 2U) != 0) PATCHLAB_TRY(read_options(bytes.substr(server_name_at, server_name_size), message.options));
  }
  return message;
}

}  // namespace patchlab::checks::dhcp
