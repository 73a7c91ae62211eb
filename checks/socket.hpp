// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "checks/deadline.hpp"
#include "lab/core/files.hpp"
#include "lab/core/result.hpp"

namespace patchlab::checks {

struct Endpoint {
  std::string address;  // IPv4
  std::uint16_t port = 0;
};

// How trying to reach a server ended. `saved_errno` is 0 when the socket is connected; ETIMEDOUT also stands for our
// own deadline. A server that refuses or is silent is an observation; trouble on our side is the Error of the functions
// below.
struct Connection {
  FileDescriptor socket;  // non-blocking
  int saved_errno = 0;
};

// `source` is the local address to speak from; any when empty.
[[nodiscard]] Result<Connection> connect_tcp(const Endpoint& server, const std::string& source,
                                             const Deadline& deadline);
[[nodiscard]] Result<Connection> connect_udp(const Endpoint& server, const std::string& source);

// Waits until the socket is ready; false at the deadline.
[[nodiscard]] bool wait_readable(int socket, const Deadline& deadline);
[[nodiscard]] bool wait_writable(int socket, const Deadline& deadline);

// 0, or the errno that ended it (ETIMEDOUT at the deadline).
[[nodiscard]] int send_all(int socket, std::string_view bytes, const Deadline& deadline);

// Exactly `size` bytes, or what came before the end: `saved_errno` is 0 when the peer closed the connection, ETIMEDOUT
// at the deadline.
struct ReceivedBytes {
  std::string bytes;
  int saved_errno = 0;
};
[[nodiscard]] ReceivedBytes receive_exactly(int socket, std::size_t size, const Deadline& deadline);

// "ECONNREFUSED Connection refused"
[[nodiscard]] std::string describe_errno(int saved_errno);
// Stable reason for a judge: "connection-refused", "no-answer" or "unreachable".
[[nodiscard]] std::string reason_for_errno(int saved_errno);

}  // namespace patchlab::checks
