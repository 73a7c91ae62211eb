// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/frames.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "lab/core/net/frames.hpp"
#include "lab/core/net/numbers.hpp"
#include "lab/network/control.hpp"

namespace patchlab::lab::network {
namespace {
using net::big_endian16;
using net::big_endian32;
using net::broadcast_mac;
using net::internet_checksum;
using net::type_arp;
using net::type_ipv4;

constexpr std::uint16_t type_ipv6 = 0x86DD;
constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = net::protocol_udp;
constexpr std::uint8_t protocol_icmp6 = 58;

Bytes as_bytes(std::string_view text) { return {text.begin(), text.end()}; }
std::string text_of(const Ipv6& address) { return {address.begin(), address.end()}; }

// With its RFC 1071 checksum in place, over `covered` and itself.
std::string summed(std::string message, std::size_t at, const std::string& covered = {}) {
  const auto sum = internet_checksum(covered + message);
  return message.replace(at, 2, big_endian16(sum));
}

Bytes broadcast_ipv4(const Sender& sender, Ipv4 target, std::uint8_t protocol, const std::string& payload) {
  return as_bytes(net::ethernet(broadcast_mac, sender.mac, type_ipv4,
                                net::ipv4_packet(sender.address, target, protocol, sender.mark, payload)));
}

// EUI-64 (RFC 4291, appendix A): what the kernel gives the bridge as well.
Ipv6 link_local(const MacAddress& mac) {
  const auto& m = mac.bytes();
  return {0xFE, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ 2U), m[1], m[2], 0xFF, 0xFE, m[3], m[4], m[5]};
}

// RFC 4443: the checksum covers addresses, length and next header, too.
std::string icmp6_packet(const Ipv6& from, const Ipv6& to, std::string message) {
  const auto size = static_cast<std::uint32_t>(message.size());
  const auto addresses = text_of(from) + text_of(to);
  message = summed(std::move(message), 2, addresses + big_endian32(size) + big_endian32(protocol_icmp6));
  return big_endian32(0x60000000U) + big_endian16(size) + big_endian16(protocol_icmp6 << 8U | 255U) + addresses +
         message;
}

Bytes multicast_icmp6(const Sender& sender, const Ipv6& group, std::string message) {
  // RFC 2464: 33:33 and the last four bytes of the group.
  return as_bytes(net::ethernet(MacAddress({0x33, 0x33, group[12], group[13], group[14], group[15]}), sender.mac,
                                type_ipv6, icmp6_packet(link_local(sender.mac), group, std::move(message))));
}

// Reads with bounds: what lies beyond the end is 0, and `good` says so.
class View {
 public:
  View(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), size_(size) {}
  [[nodiscard]] std::uint8_t u8(std::size_t at) const { return at < size_ ? bytes_[at] : std::uint8_t{0}; }
  [[nodiscard]] std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>((static_cast<unsigned>(u8(at)) << 8U) | u8(at + 1));
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const {
    return (static_cast<std::uint32_t>(u16(at)) << 16U) | u16(at + 2);
  }
  [[nodiscard]] View from(std::size_t at) const { return at < size_ ? View(bytes_ + at, size_ - at) : View(bytes_, 0); }
  [[nodiscard]] bool has(std::size_t size) const { return size_ >= size; }
  template <std::size_t Size>
  [[nodiscard]] std::array<std::uint8_t, Size> array(std::size_t at) const {
    std::array<std::uint8_t, Size> out{};
    for (std::size_t i = 0; i < Size; ++i) out[i] = u8(at + i);
    return out;
  }

 private:
  const std::uint8_t* bytes_;
  std::size_t size_;
};

void read_icmp(Heard& frame, const View& icmp) {
  const auto type = icmp.u8(0);
  if (type == 0) {
    frame.kind = Heard::Kind::echo_reply;
    frame.mark = icmp.u16(4);
  } else if (type == 3 || type == 11) {  // unreachable, time exceeded: quotes our packet from byte 8 on
    frame.kind = Heard::Kind::icmp_error;
    frame.address = Ipv4(icmp.u32(8 + 16)).text();
    frame.quoted = icmp.u8(8 + 9);
    const auto start = 8 + (icmp.u8(8) & 0xFU) * std::size_t{4};
    frame.mark = icmp.u16(frame.quoted == protocol_icmp ? start + 4 : start);
  }
}

void read_ipv4(Heard& frame, const View& packet) {
  if (!packet.has(20) || packet.u8(0) >> 4U != 4) return;
  frame.address = Ipv4(packet.u32(12)).text();
  const auto payload = packet.from((packet.u8(0) & 0xFU) * std::size_t{4});
  const auto protocol = packet.u8(9);
  if (protocol == protocol_icmp && payload.has(8)) read_icmp(frame, payload);
  if ((protocol == protocol_udp || protocol == protocol_tcp) && payload.has(8)) {
    frame.kind = protocol == protocol_udp ? Heard::Kind::udp : Heard::Kind::tcp;
    frame.source_port = payload.u16(0);
    frame.mark = payload.u16(2);
  }
}

void read_ipv6(Heard& frame, const View& packet) {
  if (!packet.has(48) || packet.u8(6) != protocol_icmp6) return;
  const auto icmp = packet.from(40);
  if (icmp.u8(0) == 136) {
    frame.kind = Heard::Kind::neighbour_advertisement;
    frame.address = ipv6_text(icmp.array<16>(8));
  } else if (icmp.u8(0) == 129) {
    frame.kind = Heard::Kind::echo_reply6;
    frame.address = ipv6_text(packet.array<16>(8));
    frame.mark = icmp.u16(4);
  }
}
}  // namespace

std::optional<Ipv6> parse_ipv6(const std::string& text) {
  Ipv6 address{};
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

std::string ipv6_text(const Ipv6& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET6, address.data(), text.data(), text.size()) != nullptr ? text.data() : "";
}

Bytes arp_request(const Sender& sender, Ipv4 target) {
  return as_bytes(
      encode(net::ArpFrame{broadcast_mac, net::ArpFrame::Operation::request, sender.mac, sender.address, {}, target}));
}

Bytes icmp_echo(std::uint16_t id) {
  return as_bytes(
      summed(big_endian16(0x0800) + big_endian16(0) + big_endian16(id) + big_endian16(1) + "patchlab fence probe", 2));
}

Bytes ping_frame(const Sender& sender, Ipv4 target) {
  const auto echo = icmp_echo(sender.mark);
  return broadcast_ipv4(sender, target, protocol_icmp, {echo.begin(), echo.end()});
}

Bytes dns_question(std::uint16_t id) {
  // Recursion desired, one question: "." NS IN.
  return as_bytes(big_endian16(id) + big_endian16(0x0100) + big_endian16(1) + std::string(7, '\0') + big_endian16(2) +
                  big_endian16(1));
}

Bytes dns_frame(const Sender& sender, Ipv4 target) {
  const auto question = dns_question(sender.mark);
  return as_bytes(encode(net::UdpFrame{sender.mac,
                                       broadcast_mac,
                                       sender.address,
                                       target,
                                       sender.mark,
                                       53,
                                       {question.begin(), question.end()},
                                       sender.mark}));
}

Bytes tcp_syn_frame(const Sender& sender, Ipv4 target, std::uint16_t port) {
  constexpr unsigned header_words_and_syn = 0x5002;
  const auto segment = big_endian16(sender.mark) + big_endian16(port) + big_endian32(1) + big_endian32(0) +
                       big_endian16(header_words_and_syn) + big_endian16(1024) + big_endian32(0);
  const auto covered = net::pseudo_header(sender.address, target, protocol_tcp, segment.size());
  return broadcast_ipv4(sender, target, protocol_tcp, summed(segment, 16, covered));
}

Bytes neighbour_solicitation(const Sender& sender, const Ipv6& target) {
  // Solicited-node group (RFC 4291): ff02::1:ff and the target's last three bytes.
  const Ipv6 group{0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, target[13], target[14], target[15]};
  return multicast_icmp6(
      sender, group,
      big_endian32(135U << 24U) + big_endian32(0) + text_of(target) + big_endian16(0x0101) + bytes_of(sender.mac));
}

Bytes all_nodes_ping(const Sender& sender) {
  constexpr Ipv6 all_nodes{0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return multicast_icmp6(sender, all_nodes, big_endian32(128U << 24U) + big_endian16(sender.mark) + big_endian16(1));
}

Bytes answer_to_solicitation(const std::uint8_t* bytes, std::size_t size, const MacAddress& own, const Ipv6& address) {
  const View frame(bytes, size);
  if (!frame.has(14 + 40 + 24) || frame.u16(12) != type_ipv6) return {};
  const auto packet = frame.from(14);
  const auto icmp = packet.from(40);
  if (packet.u8(6) != protocol_icmp6 || icmp.u8(0) != 135 || icmp.array<16>(8) != address) return {};
  const auto asker = packet.array<16>(8);
  // Solicited, override; and our MAC as an option.
  const auto message =
      big_endian32(136U << 24U) + big_endian32(0x60000000U) + text_of(address) + big_endian16(0x0201) + bytes_of(own);
  return as_bytes(net::ethernet(MacAddress(frame.array<6>(6)), own, type_ipv6, icmp6_packet(address, asker, message)));
}

namespace {
constexpr std::string_view beacon_words = "patchlab beacon ";
constexpr std::size_t token_size = 16;
}  // namespace

Bytes beacon(const MacAddress& from, const std::string& token) {
  auto payload = std::string(beacon_words) + token;
  payload.resize(46);  // the least that Ethernet carries
  return as_bytes(net::ethernet(broadcast_mac, from, beacon_type, payload));
}

std::optional<std::string> token_of_beacon(const std::uint8_t* bytes, std::size_t size) {
  const View frame(bytes, size);
  if (!frame.has(14 + beacon_words.size() + token_size) || frame.u16(12) != beacon_type) return std::nullopt;
  const auto text = frame.array<beacon_words.size() + token_size>(14);
  if (!std::equal(beacon_words.begin(), beacon_words.end(), text.begin())) return std::nullopt;
  std::string token;
  for (std::size_t at = beacon_words.size(); at < text.size(); ++at) {
    const auto letter = static_cast<char>(text[at]);
    const bool hex = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
    if (!hex) return std::nullopt;
    token += letter;
  }
  return token;
}

std::optional<Heard> heard(const std::uint8_t* bytes, std::size_t size) {
  const View frame(bytes, size);
  if (!frame.has(14)) return std::nullopt;
  Heard result;
  result.from = MacAddress(frame.array<6>(6));
  const auto payload = frame.from(14);
  switch (frame.u16(12)) {
    case type_arp:
      if (payload.has(28) && payload.u16(6) == 2) {
        result.kind = Heard::Kind::arp_reply;
        result.address = Ipv4(payload.u32(14)).text();
      }
      break;
    case type_ipv4: read_ipv4(result, payload); break;
    case type_ipv6: read_ipv6(result, payload); break;
    default: break;
  }
  return result;
}

}  // namespace patchlab::lab::network
