// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "checks/socket.hpp"
#include "lab/core/json.hpp"

namespace patchlab::checks::dns {

// Sends one DNS message once and waits for its answer; never repeats it and never changes the transport by itself. The
// result:
//   "query", "reply"  hex of the messages (TCP: without the length prefix); "reply" is absent when nothing came
//   "strays"          hex of datagrams with another id, ignored as RFC 5452 section 9.1 asks
//   "errno"           what ended the exchange when there is no reply; ETIMEDOUT is the deadline
//   "trouble"         the same in words, or what was wrong with the TCP stream
//   "elapsed_ms"
[[nodiscard]] Result<Json> exchange_udp(const Endpoint& server, const std::string& source, const std::string& query,
                                        const Deadline& deadline);
// RFC 7766: two bytes of length before each message.
[[nodiscard]] Result<Json> exchange_tcp(const Endpoint& server, const std::string& source, const std::string& query,
                                        const Deadline& deadline);

}  // namespace patchlab::checks::dns
