// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Numbers as protocols write them: in network order.
namespace patchlab::net {

[[nodiscard]] inline std::string big_endian16(unsigned value) {
  return {static_cast<char>((value >> 8U) & 255U), static_cast<char>(value & 255U)};
}
[[nodiscard]] inline std::string big_endian32(std::uint32_t value) {
  return big_endian16(value >> 16U) + big_endian16(value & 0xFFFFU);
}

// The caller has checked that enough bytes are there.
[[nodiscard]] inline std::uint8_t read8(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
[[nodiscard]] inline std::uint16_t read16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(read8(bytes, at) << 8U | read8(bytes, at + 1));
}
[[nodiscard]] inline std::uint32_t read32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(read16(bytes, at)) << 16U | read16(bytes, at + 2);
}

}  // namespace patchlab::net
