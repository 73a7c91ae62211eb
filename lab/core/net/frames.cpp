// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/net/frames.hpp"

#include "lab/core/net/numbers.hpp"

namespace patchlab::net {
namespace {

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ip_size = 20;
constexpr std::size_t udp_size = 8;
constexpr std::size_t arp_size = 28;
constexpr std::size_t ip_checksum_at = 10;
constexpr std::size_t udp_checksum_at = 6;
constexpr unsigned fragment_mask = 0x3FFF;  // more-fragments flag and offset

std::string udp_datagram(const UdpFrame& frame) {
  const auto size = udp_size + frame.payload.size();
  std::string datagram = big_endian16(frame.source_port) + big_endian16(frame.destination_port) +
                         big_endian16(static_cast<unsigned>(size)) + big_endian16(0) + frame.payload;
  const auto sum = internet_checksum(pseudo_header(frame.source, frame.destination, protocol_udp, size) + datagram);
  datagram.replace(udp_checksum_at, 2, big_endian16(sum == 0 ? 0xFFFF : sum));  // 0 means "none" (RFC 768)
  return datagram;
}

bool checksum_holds(const UdpFrame& frame, std::string_view datagram) {
  if (read16(datagram, udp_checksum_at) == 0) return true;
  return internet_checksum(pseudo_header(frame.source, frame.destination, protocol_udp, datagram.size()) +
                           std::string(datagram)) == 0;
}

Frame decode_udp(UdpFrame frame, std::string_view datagram, Checksums checksums) {
  if (datagram.size() < udp_size) return {};
  const std::size_t size = read16(datagram, 4);
  if (size < udp_size || size > datagram.size()) return {};
  datagram = datagram.substr(0, size);
  if (checksums == Checksums::verify && !checksum_holds(frame, datagram)) return {};
  frame.source_port = read16(datagram, 0);
  frame.destination_port = read16(datagram, 2);
  frame.payload = datagram.substr(udp_size);
  return frame;
}

Frame decode_ip(UdpFrame frame, std::string_view packet, Checksums checksums) {
  if (packet.size() < ip_size || read8(packet, 0) >> 4U != 4) return {};
  const std::size_t header = (read8(packet, 0) & 15U) * 4U;
  const std::size_t total = read16(packet, 2);
  if (header < ip_size || total < header || total > packet.size()) return {};
  if (internet_checksum(packet.substr(0, header)) != 0) return {};
  if ((read16(packet, 6) & fragment_mask) != 0 || read8(packet, 9) != protocol_udp) return {};
  frame.source = Ipv4(read32(packet, 12));
  frame.destination = Ipv4(read32(packet, 16));
  return decode_udp(std::move(frame), packet.substr(header, total - header), checksums);
}

Frame decode_arp(const MacAddress& destination, std::string_view packet) {
  if (packet.size() < arp_size) return {};
  const bool ethernet_ipv4 = read16(packet, 0) == 1 && read16(packet, 2) == type_ipv4 && read16(packet, 4) == 0x0604;
  const auto operation = read16(packet, 6);
  if (!ethernet_ipv4 || (operation != 1 && operation != 2)) return {};
  return ArpFrame{destination,          static_cast<ArpFrame::Operation>(operation),
                  read_mac(packet, 8),  Ipv4(read32(packet, 14)),
                  read_mac(packet, 18), Ipv4(read32(packet, 24))};
}

}  // namespace

std::uint16_t internet_checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += read16(bytes, i);
  if (bytes.size() % 2 == 1) sum += static_cast<std::uint32_t>(read8(bytes, bytes.size() - 1)) << 8U;
  while (sum >> 16U != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

std::string ethernet(const MacAddress& to, const MacAddress& from, unsigned type, std::string_view payload) {
  return (bytes_of(to) + bytes_of(from) + big_endian16(type)).append(payload);
}

std::string ipv4_packet(Ipv4 from, Ipv4 to, std::uint8_t protocol, std::uint16_t id, std::string_view payload) {
  std::string packet = big_endian16(0x4500);  // version 4, 5 words, ordinary service
  packet += big_endian16(static_cast<unsigned>(ip_size + payload.size()));
  packet += big_endian16(id) + big_endian16(0);  // not fragmented
  packet += big_endian16(64U << 8U | protocol) + big_endian16(0);
  packet += bytes_of(from) + bytes_of(to);
  packet.replace(ip_checksum_at, 2, big_endian16(internet_checksum(packet)));
  return packet.append(payload);
}

std::string pseudo_header(Ipv4 from, Ipv4 to, std::uint8_t protocol, std::size_t size) {
  return bytes_of(from) + bytes_of(to) + big_endian16(protocol) + big_endian16(static_cast<unsigned>(size));
}

std::string encode(const UdpFrame& frame) {
  return ethernet(frame.destination_mac, frame.source_mac, type_ipv4,
                  ipv4_packet(frame.source, frame.destination, protocol_udp, frame.packet_id, udp_datagram(frame)));
}

std::string encode(const ArpFrame& frame) {
  const auto packet = big_endian16(1) + big_endian16(type_ipv4) + big_endian16(0x0604) +
                      big_endian16(static_cast<unsigned>(frame.operation)) + bytes_of(frame.sender_mac) +
                      bytes_of(frame.sender) + bytes_of(frame.target_mac) + bytes_of(frame.target);
  return ethernet(frame.destination_mac, frame.sender_mac, type_arp, packet);
}

Frame decode_frame(std::string_view bytes, Checksums checksums) {
  if (bytes.size() < ethernet_size) return {};
  const auto type = read16(bytes, 12);
  const auto payload = bytes.substr(ethernet_size);
  if (type == type_arp) return decode_arp(read_mac(bytes, 0), payload);
  if (type != type_ipv4) return {};
  UdpFrame frame;
  frame.destination_mac = read_mac(bytes, 0);
  frame.source_mac = read_mac(bytes, 6);
  return decode_ip(std::move(frame), payload, checksums);
}

}  // namespace patchlab::net
