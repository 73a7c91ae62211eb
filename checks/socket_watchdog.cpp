// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/socket_watchdog.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "lab/core/paths.hpp"

namespace patchlab::checks {
namespace {

bool is_connected_to(int socket, in_addr address, std::uint16_t port) {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET &&
         peer.sin_addr.s_addr == address.s_addr && ntohs(peer.sin_port) == port;
}

// `fired` is set before a socket is shut down: whoever waits at that socket may ask as soon as it is.
void shut_down_sockets_to(const std::string& address, std::uint16_t port, std::atomic<bool>& fired) {
  in_addr wanted{};
  if (::inet_pton(AF_INET, address.c_str(), &wanted) != 1) return;
  for (const auto& entry : entries_of("/proc/self/fd").value_or({})) {
    const auto name = entry.filename().string();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number < 0 || !is_connected_to(number, wanted, port)) continue;
    fired = true;
    ::shutdown(number, SHUT_RDWR);
  }
}

}  // namespace

SocketWatchdog::SocketWatchdog(std::string address, std::uint16_t port, Deadline deadline)
    : address_(std::move(address)), port_(port), thread_([this, deadline](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock(mutex);
        auto pause = deadline.remaining();
        // Again and again: the library may open another connection.
        while (!stopped.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
          if (stop.stop_requested()) return;
          shut_down_sockets_to(address_, port_, fired_);
          pause = Milliseconds(100);
        }
      }) {}

}  // namespace patchlab::checks
