// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lab/core/net/address.hpp"

// Clients that checks play beside the client of a cell, each with a MAC address of its own: locally administered (IEEE
// 802-2014 section 8.2.2), with a prefix by which a guest that hears one knows it as one of the laboratory.
namespace patchlab::net {

// The last three bytes of `number` count.
[[nodiscard]] constexpr MacAddress lab_client_mac(std::uint32_t number) {
  return MacAddress({0x02, 0x70, 0x6C, static_cast<std::uint8_t>((number >> 16U) & 0xFFU),
                     static_cast<std::uint8_t>((number >> 8U) & 0xFFU), static_cast<std::uint8_t>(number & 0xFFU)});
}
[[nodiscard]] inline bool is_lab_client(const MacAddress& mac) {
  return mac.bytes()[0] == 0x02 && mac.bytes()[1] == 0x70 && mac.bytes()[2] == 0x6C;
}

}  // namespace patchlab::net
