// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace patchlab::checks::dhcp {

// An IPv4 address in host byte order, so that pools compare as numbers.
struct Ipv4 {
  std::uint32_t value = 0;
  auto operator<=>(const Ipv4&) const = default;
};
[[nodiscard]] std::optional<Ipv4> parse_ipv4(const std::string& text);
[[nodiscard]] std::string to_string(Ipv4 address);

// Bytes in network order.
[[nodiscard]] std::string bytes_of(Ipv4 address);
[[nodiscard]] std::string big_endian16(unsigned value);
[[nodiscard]] std::string big_endian32(std::uint32_t value);
// The caller has checked that enough bytes are there.
[[nodiscard]] std::uint16_t read16(std::string_view bytes, std::size_t at);
[[nodiscard]] std::uint32_t read32(std::string_view bytes, std::size_t at);
[[nodiscard]] std::uint8_t read8(std::string_view bytes, std::size_t at);

// "02:1a:..." of a hardware address.
[[nodiscard]] std::string mac_text(std::string_view bytes);
// The six bytes of such a text, in either case.
[[nodiscard]] std::optional<std::string> parse_mac(const std::string& text);

}  // namespace patchlab::checks::dhcp
