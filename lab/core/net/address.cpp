// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/net/address.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "lab/core/net/numbers.hpp"
#include "lab/core/text.hpp"

namespace patchlab::net {
namespace {

// A decimal number up to `most` without sign or leading zero; -1 when it is not one.
int decimal(std::string_view text, int most) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return -1;
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return -1;
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number <= most ? number : -1;
}

int hex_byte(std::string_view text) {
  if (text.size() != 2) return -1;
  int number = -1;
  const auto end = text.data() + text.size();
  const auto [last, code] = std::from_chars(text.data(), end, number, 16);
  return code == std::errc() && last == end && number >= 0 ? number : -1;
}

std::string quoted(std::string_view text) { return fmt::format("'{}'", text); }

}  // namespace

Result<Ipv4> Ipv4::parse(std::string_view text) {
  const auto parts = split(text, '.');
  std::uint32_t value = 0;
  for (const auto part : parts) {
    const int number = decimal(part, 255);
    if (number < 0 || parts.size() != 4) {
      return configuration_error(quoted(text) + " is not an IPv4 address such as 10.20.0.10");
    }
    value = (value << 8U) | static_cast<std::uint32_t>(number);
  }
  return Ipv4(value);
}

std::string Ipv4::text() const {
  return fmt::format("{}.{}.{}.{}", value_ >> 24U, (value_ >> 16U) & 0xFFU, (value_ >> 8U) & 0xFFU, value_ & 0xFFU);
}

Result<Ipv4Subnet> Ipv4Subnet::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto not_one = configuration_error(quoted(text) + " is not a subnet such as 10.20.0.0/24 (prefix 1 to 30)");
  if (slash == std::string_view::npos) return not_one;
  const auto address = Ipv4::parse(text.substr(0, slash));
  const int prefix = decimal(text.substr(slash + 1), 30);
  if (!address || prefix < 1) return not_one;
  Ipv4Subnet subnet;
  subnet.prefix_ = static_cast<unsigned>(prefix);
  subnet.network_ = Ipv4(address->value() & subnet.mask());
  if (subnet.network_ != *address) {
    return configuration_error(fmt::format("'{}' has host bits set; the subnet is {}", text, subnet.text()));
  }
  return subnet;
}

std::string Ipv4Subnet::text() const { return fmt::format("{}/{}", network_.text(), prefix_); }

Result<MacAddress> MacAddress::parse(std::string_view text) {
  const auto parts = split(text, ':');
  MacAddress mac;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const int number = hex_byte(parts[i]);
    if (number < 0 || parts.size() != 6) {
      return configuration_error(quoted(text) + " is not a MAC address such as 52:54:00:14:00:0a");
    }
    mac.bytes_[i] = static_cast<std::uint8_t>(number);
  }
  return mac;
}

MacAddress MacAddress::of_lab_machine(Ipv4 address) {
  const auto value = address.value();
  return MacAddress({0x52, 0x54, 0x00, static_cast<std::uint8_t>((value >> 16U) & 0xFFU),
                     static_cast<std::uint8_t>((value >> 8U) & 0xFFU), static_cast<std::uint8_t>(value & 0xFFU)});
}

std::string MacAddress::text() const { return fmt::format("{:02x}", fmt::join(bytes_, ":")); }

std::string bytes_of(Ipv4 address) { return big_endian32(address.value()); }
MacAddress read_mac(std::string_view bytes, std::size_t at) {
  std::array<std::uint8_t, 6> mac{};
  for (std::size_t i = 0; i < mac.size(); ++i) mac[i] = read8(bytes, at + i);
  return MacAddress(mac);
}
std::string bytes_of(const MacAddress& address) { return {address.bytes().begin(), address.bytes().end()}; }

}  // namespace patchlab::net
