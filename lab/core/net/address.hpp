// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

// Addresses as values.
namespace patchlab::net {

// Four decimal numbers, no leading zeros ("010" is octal to some readers and decimal to others).
class Ipv4 {
 public:
  constexpr Ipv4() = default;
  constexpr explicit Ipv4(std::uint32_t value) : value_(value) {}
  [[nodiscard]] static Result<Ipv4> parse(std::string_view text);
  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }  // host byte order
  [[nodiscard]] std::string text() const;
  auto operator<=>(const Ipv4&) const = default;

 private:
  std::uint32_t value_ = 0;
};
// Four bytes in network order.
[[nodiscard]] std::string bytes_of(Ipv4 address);

// "10.20.0.0/24", prefix 1 to 30, host bits zero.
class Ipv4Subnet {
 public:
  Ipv4Subnet() = default;
  [[nodiscard]] static Result<Ipv4Subnet> parse(std::string_view text);
  [[nodiscard]] bool contains(Ipv4 address) const { return (address.value() & mask()) == network_.value(); }
  [[nodiscard]] Ipv4 network() const { return network_; }
  [[nodiscard]] Ipv4 broadcast() const { return Ipv4(network_.value() | ~mask()); }
  [[nodiscard]] unsigned prefix() const { return prefix_; }
  [[nodiscard]] std::string text() const;
  bool operator==(const Ipv4Subnet&) const = default;

 private:
  [[nodiscard]] std::uint32_t mask() const { return prefix_ == 0 ? 0 : ~std::uint32_t{0} << (32U - prefix_); }
  Ipv4 network_;
  unsigned prefix_ = 0;
};

class MacAddress {
 public:
  constexpr MacAddress() = default;
  constexpr explicit MacAddress(const std::array<std::uint8_t, 6>& bytes) : bytes_(bytes) {}
  // Six two-digit hex numbers with colons, either case.
  [[nodiscard]] static Result<MacAddress> parse(std::string_view text);
  // The one a lab machine with this address gets: QEMU's prefix 52:54:00 and the address's last three numbers, so that
  // a machine has the same identity in every clone.
  [[nodiscard]] static MacAddress of_lab_machine(Ipv4 address);
  [[nodiscard]] const std::array<std::uint8_t, 6>& bytes() const { return bytes_; }
  [[nodiscard]] std::string text() const;  // lower case, colons
  auto operator<=>(const MacAddress&) const = default;

 private:
  std::array<std::uint8_t, 6> bytes_{};
};
[[nodiscard]] std::string bytes_of(const MacAddress& address);
// The caller has checked that six bytes are there.
[[nodiscard]] MacAddress read_mac(std::string_view bytes, std::size_t at);
inline constexpr MacAddress broadcast_mac{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};

}  // namespace patchlab::net
