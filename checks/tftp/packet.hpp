// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

// Packets of TFTP (RFC 1350) with options (RFC 2347), as values. Pure.
namespace patchlab::checks::tftp {

inline constexpr std::size_t usual_block = 512;  // bytes of data, where no option says otherwise (RFC 1350)

// Names are compared without case (RFC 2347), and are in small letters here.
using Options = std::map<std::string, std::string>;

[[nodiscard]] std::string read_request(const std::string& file, const Options& options);  // mode "octet"
[[nodiscard]] std::string acknowledgement(std::uint16_t block);
[[nodiscard]] std::string error_packet(std::uint16_t code, const std::string& message);

struct Packet {
  enum class Kind { data, error, options } kind = Kind::data;
  std::uint16_t number = 0;  // of the block, or the error's code
  std::string_view data{};   // of `data`; lives as long as the packet's bytes
  std::string message{};     // of `error`, printable
  Options options{};         // of `options`
};
// What a server may send to who reads; nothing: it is none of that.
[[nodiscard]] std::optional<Packet> packet_from(std::string_view bytes);

}  // namespace patchlab::checks::tftp
