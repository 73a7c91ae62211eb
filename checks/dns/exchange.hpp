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
//   "tcp"             "refused": nothing came over UDP for `patience`, and nobody listens on TCP
//   "elapsed_ms"
// A host tells that nobody listens on a UDP port once a second at most (RFC 1812 section 4.3.2.8), so that most queries
// to a server that does not run are met by silence. After `patience`, which is that of a stub resolver (resolv.conf(5):
// 5 s), who refuses TCP as well is sent an empty datagram now and then: no query, which a server drops, and which the
// host of none answers as soon as it may. Only that word ends the wait before the deadline. A server need not listen on
// TCP, whatever RFC 7766 section 5 says of that, and may take its time.
[[nodiscard]] Result<Json> exchange_udp(const Endpoint& server, const std::string& source, const std::string& query,
                                        const Deadline& deadline, Milliseconds patience = std::chrono::seconds(5));
// RFC 7766: two bytes of length before each message.
[[nodiscard]] Result<Json> exchange_tcp(const Endpoint& server, const std::string& source, const std::string& query,
                                        const Deadline& deadline);

}  // namespace patchlab::checks::dns
