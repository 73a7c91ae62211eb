// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/socket.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace patchlab::checks {
namespace {

Result<sockaddr_in> socket_address(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (::inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr) != 1) {
    return configuration_error(fmt::format("'{}' is not an IPv4 address", endpoint.address));
  }
  return address;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: how the socket API wants it
}

Result<FileDescriptor> bound_socket(int type, const std::string& source) {
  FileDescriptor socket(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno_error("creating a socket", errno);
  if (source.empty()) return socket;
  PATCHLAB_ASSIGN(const auto address, socket_address({source, 0}));
  if (::bind(socket.get(), generic(address), sizeof address) != 0) {
    return errno_error(fmt::format("speaking from '{}'", source), errno);
  }
  return socket;
}

bool wait_for(int socket, short events, const Deadline& deadline) {
  while (true) {
    pollfd entry{socket, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(deadline.remaining().count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

int connect_outcome(int socket, const Deadline& deadline) {
  if (!wait_writable(socket, deadline)) return ETIMEDOUT;
  int outcome = 0;
  socklen_t size = sizeof outcome;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &outcome, &size);
  return outcome;
}

}  // namespace

bool wait_readable(int socket, const Deadline& deadline) { return wait_for(socket, POLLIN, deadline); }
bool wait_writable(int socket, const Deadline& deadline) { return wait_for(socket, POLLOUT, deadline); }

Result<Connection> connect_tcp(const Endpoint& server, const std::string& source, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto address, socket_address(server));
  PATCHLAB_ASSIGN(auto socket, bound_socket(SOCK_STREAM, source));
  int outcome = ::connect(socket.get(), generic(address), sizeof address) == 0 ? 0 : errno;
  if (outcome == EINPROGRESS) outcome = connect_outcome(socket.get(), deadline);
  // No route at all is a hole in the lab's own network, not an answer of the server.
  if (outcome == ENETUNREACH) return errno_error(fmt::format("connecting to {}", server.address), outcome);
  return Connection{std::move(socket), outcome};
}

Result<Connection> connect_udp(const Endpoint& server, const std::string& source) {
  PATCHLAB_ASSIGN(const auto address, socket_address(server));
  PATCHLAB_ASSIGN(auto socket, bound_socket(SOCK_DGRAM, source));
  if (::connect(socket.get(), generic(address), sizeof address) != 0) {
    return errno_error(fmt::format("connecting to {}", server.address), errno);
  }
  return Connection{std::move(socket), 0};
}

int send_all(int socket, std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    const auto count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (!wait_writable(socket, deadline)) return ETIMEDOUT;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

ReceivedBytes receive_exactly(int socket, std::size_t size, const Deadline& deadline) {
  ReceivedBytes received{std::string(size, '\0'), 0};
  std::size_t filled = 0;
  while (filled < size) {
    if (!wait_readable(socket, deadline)) {
      received.saved_errno = ETIMEDOUT;
      break;
    }
    const auto count = ::recv(socket, received.bytes.data() + filled, size - filled, 0);
    if (count == 0) break;
    if (count > 0) {
      filled += static_cast<std::size_t>(count);
    } else if (errno != EAGAIN && errno != EINTR) {
      received.saved_errno = errno;
      break;
    }
  }
  received.bytes.resize(filled);
  return received;
}

std::string describe_errno(int saved_errno) {
  const char* name = ::strerrorname_np(saved_errno);
  const char* text = ::strerrordesc_np(saved_errno);
  return name == nullptr ? fmt::format("errno {}", saved_errno) : fmt::format("{} {}", name, text);
}

std::string reason_for_errno(int saved_errno) {
  switch (saved_errno) {
    case ECONNREFUSED: return "connection-refused";
    case ETIMEDOUT: return "no-answer";
    case EHOSTUNREACH: return "unreachable";
    default: return "connection-broken";
  }
}

}  // namespace patchlab::checks
