// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ntp/message.hpp"

#include <algorithm>

#include "checks/hex.hpp"

namespace patchlab::checks::ntp {
namespace {

constexpr std::size_t header_size = 48;
constexpr std::int64_t from_1900_to_1970 = 2208988800;
constexpr std::int64_t nanoseconds = 1000000000;
constexpr double two_to_32 = 4294967296.0;

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8U | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// "NTP short format": 16.16 bits of seconds.
double milliseconds_in(std::uint64_t short_format) { return static_cast<double>(short_format) * 1000.0 / 65536.0; }

}  // namespace

Timestamp timestamp_of(std::int64_t since_1970) {
  auto seconds = since_1970 / nanoseconds;
  auto rest = since_1970 % nanoseconds;
  if (rest < 0) {
    rest += nanoseconds;
    --seconds;
  }
  const auto whole = static_cast<std::uint64_t>(seconds + from_1900_to_1970) & 0xFFFFFFFFU;
  const auto fraction = static_cast<std::uint64_t>(static_cast<double>(rest) * two_to_32 / 1e9) & 0xFFFFFFFFU;
  return whole << 32U | fraction;
}

double milliseconds_between(Timestamp from, Timestamp to) {
  return static_cast<double>(static_cast<std::int64_t>(to - from)) * 1000.0 / two_to_32;
}

std::string request(int version, Timestamp cookie) {
  std::string bytes(header_size, '\0');
  bytes[0] = static_cast<char>(version << 3 | 3);
  for (std::size_t i = 0; i < 8; ++i) bytes[40 + i] = static_cast<char>(cookie >> (56 - 8 * i) & 0xFFU);
  return bytes;
}

std::optional<Reply> reply_in(std::string_view datagram) {
  if (datagram.size() < header_size) return std::nullopt;
  const auto first = static_cast<unsigned char>(datagram[0]);
  Reply reply;
  reply.leap = first >> 6U;
  reply.version = first >> 3U & 7U;
  if ((first & 7U) != 4 || reply.version < 1 || reply.version > 4) return std::nullopt;
  reply.stratum = static_cast<unsigned char>(datagram[1]);
  const auto reference = datagram.substr(12, 4);
  if (reply.stratum <= 1) {
    for (const char c : reference) {
      if (c >= ' ' && c <= '~') reply.reference += c;
    }
  } else {
    reply.reference = to_hex(reference);
  }
  reply.root_delay_ms = milliseconds_in(number_at(datagram, 4, 4));
  reply.root_dispersion_ms = milliseconds_in(number_at(datagram, 8, 4));
  reply.origin = number_at(datagram, 24, 8);
  reply.received = number_at(datagram, 32, 8);
  reply.transmitted = number_at(datagram, 40, 8);
  return reply;
}

}  // namespace patchlab::checks::ntp
