// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace patchlab::checks::ntp {

// Seconds since 1900 as 32.32 bits, modulo 2^32 s (RFC 5905 section 6).
using Timestamp = std::uint64_t;
[[nodiscard]] Timestamp timestamp_of(std::int64_t nanoseconds_since_1970);
// Milliseconds from `from` to `to`, which are less than 68 years apart, in whichever era (ibid.).
[[nodiscard]] double milliseconds_between(Timestamp from, Timestamp to);

// A question of a client (mode 3). `cookie` comes back as the reply's origin; it is no time of ours.
[[nodiscard]] std::string request(int version, Timestamp cookie);

// The header of a reply (RFC 5905 section 7.3).
struct Reply {
  int leap = 0;           // 0 to 2; 3: the server's clock is not synchronised
  int version = 0;        // 1 to 4
  int stratum = 0;        // 0: a kiss-o'-death; 1: a clock of its own; 16: not synchronised
  std::string reference;  // stratum 0 and 1: letters ("RATE", "GPS"); else four bytes as hexadecimal digits
  double root_delay_ms = 0;
  double root_dispersion_ms = 0;
  Timestamp origin = 0;
  Timestamp received = 0;     // by the server
  Timestamp transmitted = 0;  // by the server
};
// Of a datagram of 48 bytes or more, whose extensions and signatures are left alone; nothing when it is no reply of a
// server (mode 4).
[[nodiscard]] std::optional<Reply> reply_in(std::string_view datagram);

}  // namespace patchlab::checks::ntp
