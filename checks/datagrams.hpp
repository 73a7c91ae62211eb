// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "checks/check.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks {

// Asks a server by UDP until an answer is taken, which may have been lost on its way.
struct DatagramQuestion {
  Endpoint server;
  std::string source;                           // local address; any when empty
  std::function<std::string()> request;         // the next datagram to send
  std::function<bool(std::string_view)> takes;  // of each that comes from the server, at once
  Milliseconds again{1000};                     // between requests
};
// {"requests": 2, "errno": 0}: 0 is an answer that was taken, ETIMEDOUT none until the deadline; what was not taken is
// under "strays", in hexadecimal digits, at most four and 512 bytes of each. A closed port is ECONNREFUSED.
[[nodiscard]] Result<Json> ask_by_datagrams(const DatagramQuestion& question, const Deadline& deadline);

// The failure, when no answer was taken: that of the network, or "malformed-reply" when there were others.
[[nodiscard]] std::optional<Judgement> judge_datagrams(const Json& seen, const std::string& expected);

}  // namespace patchlab::checks
