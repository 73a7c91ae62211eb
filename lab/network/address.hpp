// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// Addresses and address plans as values; nothing here does I/O. Scenario parsing uses it too.
namespace patchlab::lab::network {

// Four decimal numbers, no leading zeros ("010" is octal to some readers and decimal to others).
class Ipv4 {
 public:
  Ipv4() = default;
  explicit Ipv4(std::uint32_t value) : value_(value) {}
  [[nodiscard]] static Result<Ipv4> parse(std::string_view text);
  [[nodiscard]] std::uint32_t value() const { return value_; }  // host byte order
  [[nodiscard]] std::string text() const;
  auto operator<=>(const Ipv4&) const = default;

 private:
  std::uint32_t value_ = 0;
};

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
  MacAddress() = default;
  explicit MacAddress(const std::array<std::uint8_t, 6>& bytes) : bytes_(bytes) {}
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

struct MachineAddress {
  std::string machine;
  Ipv4 address;
  bool operator==(const MachineAddress&) const = default;
};

// Who has which address inside one fence. The gateway does not exist in the lab; machines only believe in it.
struct AddressPlan {
  Ipv4Subnet subnet;
  Ipv4 gateway;
  Ipv4 client;  // the probes' own address, on the bridge
  std::vector<MachineAddress> machines;
  bool operator==(const AddressPlan&) const = default;
};

struct AddressProblem {
  std::string subject;  // "gateway", "client" or a machine's name
  std::string message;
  bool operator==(const AddressProblem&) const = default;
};

// Addresses outside the subnet, its network and broadcast addresses, and addresses used twice. In the plan's order.
[[nodiscard]] std::vector<AddressProblem> problems_in(const AddressPlan& plan);

}  // namespace patchlab::lab::network
