// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/exchange.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "checks/hex.hpp"

namespace patchlab::checks::dns {
namespace {

constexpr std::size_t most_strays = 8;
constexpr Milliseconds between_knocks = std::chrono::seconds(1);

void add_trouble(Json& seen, int saved_errno) {
  seen["errno"] = saved_errno;
  seen["trouble"] = describe_errno(saved_errno);
}

bool same_id(std::string_view query, std::string_view reply) {
  return reply.size() >= 2 && reply.substr(0, 2) == query.substr(0, 2);
}

// Records datagrams until the one with the right id. False: the deadline came before an end.
bool receive_reply(int socket, const std::string& query, const Deadline& deadline, Json& seen) {
  std::string buffer(65535, '\0');
  while (wait_readable(socket, deadline)) {
    const auto size = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size < 0) {
      add_trouble(seen, errno);  // ICMP port unreachable arrives here as ECONNREFUSED
      return true;
    }
    const auto datagram = std::string_view(buffer).substr(0, static_cast<std::size_t>(size));
    if (same_id(query, datagram)) {
      seen["reply"] = to_hex(datagram);
      return true;
    }
    if (seen["strays"].size() < most_strays) seen["strays"].push_back(to_hex(datagram));
  }
  return false;
}

// Whether its TCP port is closed as well; not known, and false, when that is not told soon.
Result<bool> refuses_tcp(const Endpoint& server, const std::string& source, const Deadline& deadline) {
  if (deadline.passed()) return false;
  PATCHLAB_ASSIGN(const auto connection, connect_tcp(server, source, deadline.within(std::chrono::seconds(1))));
  return connection.saved_errno == ECONNREFUSED;
}

// Whether it comes back is told by what is received next.
void knock(int socket) { (void)::send(socket, "", 0, MSG_NOSIGNAL); }

void receive_framed(int socket, const Deadline& deadline, Json& seen) {
  const auto end = [&seen](const ReceivedBytes& received, std::size_t wanted) {
    if (received.bytes.size() == wanted) return false;
    if (received.saved_errno != 0) {
      add_trouble(seen, received.saved_errno);
    } else {
      seen["trouble"] = "the server closed the connection";
    }
    return true;
  };
  const auto prefix = receive_exactly(socket, 2, deadline);
  if (end(prefix, 2)) return;
  const auto size =
      std::size_t{static_cast<unsigned char>(prefix.bytes[0])} * 256 + static_cast<unsigned char>(prefix.bytes[1]);
  const auto message = receive_exactly(socket, size, deadline);
  (void)end(message, size);
  seen["reply"] = to_hex(message.bytes);
}

std::string framed(const std::string& message) {
  std::string bytes;
  bytes += static_cast<char>(message.size() >> 8U);
  bytes += static_cast<char>(message.size() & 0xFFU);
  return bytes + message;
}

}  // namespace

Result<Json> exchange_udp(const Endpoint& server, const std::string& source, const std::string& query,
                          const Deadline& deadline, Milliseconds patience) {
  PATCHLAB_ASSIGN(const auto connection, connect_udp(server, source));
  const auto socket = connection.socket.get();
  Json seen{{"query", to_hex(query)}, {"strays", Json::array()}};
  if (const int trouble = send_all(socket, query, deadline); trouble != 0) {
    add_trouble(seen, trouble);
  } else if (!receive_reply(socket, query, deadline.within(patience), seen)) {
    PATCHLAB_ASSIGN(const bool nobody, refuses_tcp(server, source, deadline));
    if (nobody) seen["tcp"] = "refused";
    bool ended = false;
    while (!ended && !deadline.passed()) {
      if (nobody) knock(socket);
      ended = receive_reply(socket, query, nobody ? deadline.within(between_knocks) : deadline, seen);
    }
    if (!ended) add_trouble(seen, ETIMEDOUT);
  }
  seen["elapsed_ms"] = deadline.elapsed().count();
  return seen;
}

Result<Json> exchange_tcp(const Endpoint& server, const std::string& source, const std::string& query,
                          const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_tcp(server, source, deadline));
  Json seen{{"query", to_hex(query)}, {"strays", Json::array()}};
  const int trouble =
      connection.saved_errno != 0 ? connection.saved_errno : send_all(connection.socket.get(), framed(query), deadline);
  if (trouble != 0) {
    add_trouble(seen, trouble);
  } else {
    receive_framed(connection.socket.get(), deadline, seen);
  }
  seen["elapsed_ms"] = deadline.elapsed().count();
  return seen;
}

}  // namespace patchlab::checks::dns
