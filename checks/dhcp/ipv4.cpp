// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/ipv4.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "checks/hex.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::dhcp {

std::optional<Ipv4> parse_ipv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return Ipv4{ntohl(address.s_addr)};
}

std::string to_string(Ipv4 address) {
  const auto value = address.value;
  return fmt::format("{}.{}.{}.{}", value >> 24U, (value >> 16U) & 255U, (value >> 8U) & 255U, value & 255U);
}

std::string bytes_of(Ipv4 address) { return big_endian32(address.value); }

std::string big_endian16(unsigned value) {
  return {static_cast<char>((value >> 8U) & 255U), static_cast<char>(value & 255U)};
}

std::string big_endian32(std::uint32_t value) { return big_endian16(value >> 16U) + big_endian16(value & 0xFFFFU); }

std::uint8_t read8(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint16_t read16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(read8(bytes, at) << 8U | read8(bytes, at + 1));
}

std::uint32_t read32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(read16(bytes, at)) << 16U | read16(bytes, at + 2);
}

std::string mac_text(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) text += fmt::format("{}{:02x}", i == 0 ? "" : ":", read8(bytes, i));
  return text;
}

std::optional<std::string> parse_mac(const std::string& text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separator = i % 3 == 2;
    if (separator != (text[i] == ':')) return std::nullopt;
    if (!separator) digits += text[i];
  }
  return text.size() == 17 ? from_hex(lower_case(digits)) : std::nullopt;
}

}  // namespace patchlab::checks::dhcp
