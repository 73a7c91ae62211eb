// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/frames.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "lab/network/control.hpp"

namespace patchlab::lab::network {
namespace {
constexpr std::uint16_t type_ipv4 = 0x0800;
constexpr std::uint16_t type_arp = 0x0806;
constexpr std::uint16_t type_ipv6 = 0x86DD;
constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_icmp6 = 58;
constexpr std::array<std::uint8_t, 6> everybody{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

// Appends numbers in network byte order.
class Builder {
 public:
  Builder& u8(unsigned value) {
    bytes_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  Builder& u16(unsigned value) { return u8(value >> 8U).u8(value & 0xFFU); }
  Builder& u32(std::uint32_t value) { return u16(value >> 16U).u16(value & 0xFFFFU); }
  template <class Range>
  Builder& all(const Range& range) {
    bytes_.insert(bytes_.end(), std::begin(range), std::end(range));
    return *this;
  }
  Bytes done() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// RFC 1071.
std::uint16_t checksum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
  while ((sum >> 16U) != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

void put_u16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8U);
  bytes[at + 1] = static_cast<std::uint8_t>(value & 0xFFU);
}

Bytes joined(const Bytes& a, const Bytes& b) { return Builder().all(a).all(b).done(); }

Bytes ethernet(const std::array<std::uint8_t, 6>& to, const MacAddress& from, std::uint16_t type,
               const Bytes& payload) {
  return Builder().all(to).all(from.bytes()).u16(type).all(payload).done();
}

Bytes ipv4_packet(const Sender& sender, Ipv4 target, std::uint8_t protocol, const Bytes& payload) {
  auto header = Builder()
                    .u8(0x45)
                    .u8(0)
                    .u16(static_cast<unsigned>(20 + payload.size()))
                    .u16(sender.mark)
                    .u16(0)
                    .u8(64)
                    .u8(protocol)
                    .u16(0)
                    .u32(sender.address.value())
                    .u32(target.value())
                    .done();
  put_u16(header, 10, checksum(header));
  return joined(header, payload);
}

// The header that UDP and TCP checksums cover besides their own bytes.
Bytes pseudo_header(const Sender& sender, Ipv4 target, std::uint8_t protocol, std::size_t size) {
  return Builder()
      .u32(sender.address.value())
      .u32(target.value())
      .u8(0)
      .u8(protocol)
      .u16(static_cast<unsigned>(size))
      .done();
}

Bytes broadcast_ipv4(const Sender& sender, Ipv4 target, std::uint8_t protocol, const Bytes& payload) {
  return ethernet(everybody, sender.mac, type_ipv4, ipv4_packet(sender, target, protocol, payload));
}

// EUI-64 (RFC 4291, appendix A): what the kernel gives the bridge as well.
Ipv6 link_local(const MacAddress& mac) {
  const auto& m = mac.bytes();
  return {0xFE, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ 2U), m[1], m[2], 0xFF, 0xFE, m[3], m[4], m[5]};
}

Bytes multicast_icmp6(const Sender& sender, const Ipv6& group, Bytes message) {
  const auto source = link_local(sender.mac);
  const auto size = static_cast<std::uint32_t>(message.size());
  const auto covered = Builder().all(source).all(group).u32(size).u32(protocol_icmp6).all(message).done();
  put_u16(message, 2, checksum(covered));
  const auto packet =
      Builder().u32(0x60000000U).u16(size).u8(protocol_icmp6).u8(255).all(source).all(group).all(message).done();
  // RFC 2464: 33:33 and the last four bytes of the group.
  return ethernet({0x33, 0x33, group[12], group[13], group[14], group[15]}, sender.mac, type_ipv6, packet);
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
  constexpr std::array<std::uint8_t, 6> unknown{};
  const auto payload = Builder()
                           .u16(1)
                           .u16(type_ipv4)
                           .u8(6)
                           .u8(4)
                           .u16(1)
                           .all(sender.mac.bytes())
                           .u32(sender.address.value())
                           .all(unknown)
                           .u32(target.value())
                           .done();
  return ethernet(everybody, sender.mac, type_arp, payload);
}

Bytes icmp_echo(std::uint16_t id) {
  auto message = Builder().u8(8).u8(0).u16(0).u16(id).u16(1).all(std::string_view("patchlab fence probe")).done();
  put_u16(message, 2, checksum(message));
  return message;
}

Bytes ping_frame(const Sender& sender, Ipv4 target) {
  return broadcast_ipv4(sender, target, protocol_icmp, icmp_echo(sender.mark));
}

Bytes dns_question(std::uint16_t id) {
  // Recursion desired, one question: "." NS IN.
  return Builder().u16(id).u16(0x0100).u16(1).u16(0).u16(0).u16(0).u8(0).u16(2).u16(1).done();
}

Bytes dns_frame(const Sender& sender, Ipv4 target) {
  const auto question = dns_question(sender.mark);
  const auto size = 8 + question.size();
  auto datagram = Builder().u16(sender.mark).u16(53).u16(static_cast<unsigned>(size)).u16(0).all(question).done();
  put_u16(datagram, 6, checksum(joined(pseudo_header(sender, target, protocol_udp, size), datagram)));
  return broadcast_ipv4(sender, target, protocol_udp, datagram);
}

Bytes tcp_syn_frame(const Sender& sender, Ipv4 target, std::uint16_t port) {
  constexpr unsigned header_words_and_syn = 0x5002;
  auto segment =
      Builder().u16(sender.mark).u16(port).u32(1).u32(0).u16(header_words_and_syn).u16(1024).u16(0).u16(0).done();
  put_u16(segment, 16, checksum(joined(pseudo_header(sender, target, protocol_tcp, segment.size()), segment)));
  return broadcast_ipv4(sender, target, protocol_tcp, segment);
}

Bytes neighbour_solicitation(const Sender& sender, const Ipv6& target) {
  // Solicited-node group (RFC 4291): ff02::1:ff and the target's last three bytes.
  const Ipv6 group{0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, target[13], target[14], target[15]};
  return multicast_icmp6(sender, group,
                         Builder().u8(135).u8(0).u16(0).u32(0).all(target).u8(1).u8(1).all(sender.mac.bytes()).done());
}

Bytes all_nodes_ping(const Sender& sender) {
  constexpr Ipv6 all_nodes{0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return multicast_icmp6(sender, all_nodes, Builder().u8(128).u8(0).u16(0).u16(sender.mark).u16(1).done());
}

Bytes answer_to_solicitation(const std::uint8_t* bytes, std::size_t size, const MacAddress& own, const Ipv6& address) {
  const View frame(bytes, size);
  if (!frame.has(14 + 40 + 24) || frame.u16(12) != type_ipv6) return {};
  const auto packet = frame.from(14);
  const auto icmp = packet.from(40);
  if (packet.u8(6) != protocol_icmp6 || icmp.u8(0) != 135 || icmp.array<16>(8) != address) return {};
  const auto asker = packet.array<16>(8);
  // Solicited, override; and our MAC as an option.
  auto message = Builder().u8(136).u8(0).u16(0).u32(0x60000000U).all(address).u8(2).u8(1).all(own.bytes()).done();
  const auto length = static_cast<std::uint32_t>(message.size());
  const auto covered = Builder().all(address).all(asker).u32(length).u32(protocol_icmp6).all(message).done();
  put_u16(message, 2, checksum(covered));
  const auto answer =
      Builder().u32(0x60000000U).u16(length).u8(protocol_icmp6).u8(255).all(address).all(asker).all(message).done();
  return ethernet(frame.array<6>(6), own, type_ipv6, answer);
}

namespace {
constexpr std::string_view beacon_words = "patchlab beacon ";
constexpr std::size_t token_size = 16;
}  // namespace

Bytes beacon(const MacAddress& from, const std::string& token) {
  auto payload = Builder().all(beacon_words).all(token).done();
  payload.resize(46);  // the least that Ethernet carries
  return ethernet(everybody, from, beacon_type, payload);
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
