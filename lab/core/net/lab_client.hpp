// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "lab/core/net/address.hpp"

// Clients that checks play beside the client of a cell, each with a MAC address of its own: locally administered (IEEE
// 802-2014 section 8.2.2), with a prefix by which a guest that hears one knows it as one of the laboratory.
namespace patchlab::net {

inline constexpr std::array<std::uint8_t, 3> lab_client_prefix{0x02, 0x70, 0x6C};

// The last three bytes of `number` count.
[[nodiscard]] constexpr MacAddress lab_client_mac(std::uint32_t number) {
  return MacAddress({lab_client_prefix[0], lab_client_prefix[1], lab_client_prefix[2],
                     static_cast<std::uint8_t>((number >> 16U) & 0xFFU),
                     static_cast<std::uint8_t>((number >> 8U) & 0xFFU), static_cast<std::uint8_t>(number & 0xFFU)});
}
[[nodiscard]] inline bool is_lab_client(const MacAddress& mac) {
  return std::equal(lab_client_prefix.begin(), lab_client_prefix.end(), mac.bytes().begin());
}

}  // namespace patchlab::net
