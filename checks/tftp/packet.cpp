// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/tftp/packet.hpp"

#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::tftp {
namespace {

enum Opcode : std::uint16_t { op_rrq = 1, op_data = 3, op_ack = 4, op_error = 5, op_oack = 6 };

constexpr std::size_t most_message = 200;

std::string number(std::uint16_t value) { return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)}; }
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8U |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

// A text that ends with a zero byte, taken from the front.
std::optional<std::string> take_text(std::string_view& bytes) {
  const auto end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(bytes.substr(0, end));
  bytes.remove_prefix(end + 1);
  return text;
}

std::optional<Options> options_in(std::string_view bytes) {
  Options options;
  while (!bytes.empty()) {
    const auto name = take_text(bytes);
    const auto value = name ? take_text(bytes) : std::nullopt;
    if (!value || name->empty() || !options.emplace(lower_case(*name), *value).second) return std::nullopt;
  }
  return options;
}

}  // namespace

std::string read_request(const std::string& file, const Options& options) {
  auto bytes = number(op_rrq) + file + '\0' + "octet" + '\0';
  for (const auto& [name, value] : options) bytes += name + '\0' + value + '\0';
  return bytes;
}

std::string acknowledgement(std::uint16_t block) { return number(op_ack) + number(block); }

std::string error_packet(std::uint16_t code, const std::string& message) {
  return number(op_error) + number(code) + message + '\0';
}

std::optional<Packet> packet_from(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto opcode = number_at(bytes, 0);
  if (opcode == op_oack) {
    auto options = options_in(bytes.substr(2));
    if (!options) return std::nullopt;
    return Packet{.kind = Packet::Kind::options, .options = std::move(*options)};
  }
  if (bytes.size() < 4) return std::nullopt;
  if (opcode == op_data) return Packet{.number = number_at(bytes, 2), .data = bytes.substr(4)};
  if (opcode != op_error) return std::nullopt;
  const auto text = bytes.substr(4, most_message);
  return Packet{.kind = Packet::Kind::error,
                .number = number_at(bytes, 2),
                .message = printable(to_valid_utf8(std::string(text.substr(0, text.find('\0')))))};
}

}  // namespace patchlab::checks::tftp
