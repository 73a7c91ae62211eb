// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lab/core/files.hpp"

namespace patchlab::test {

// What a server does to whoever connects, or sends it a datagram, whatever is asked.
enum class Hostility {
  silent,     // takes the connection and says nothing
  closing,    // takes it and ends it
  random,     // sends what is no protocol, and stays
  truncated,  // begins as it should, and ends in the middle
  endless,    // begins as it should, and then never ends: as much as is taken
  slow        // begins as it should, a byte every now and then, and never ends
};

// TCP and UDP on one port of 127.0.0.1. `greeting` is how a server of that protocol begins.
class HostileServer {
 public:
  HostileServer(Hostility hostility, std::string greeting) : hostility_(hostility), greeting_(std::move(greeting)) {
    bool is_bound = false;
    for (int tries = 0; tries < 20 && !is_bound; ++tries) is_bound = bind_both();
    if (!is_bound) throw std::runtime_error("no port of 127.0.0.1 that is free for TCP and UDP");
    std::mt19937 numbers(7);  // NOLINT: the same in each run
    for (int i = 0; i < 60000; ++i) noise_ += static_cast<char>(numbers());
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Client {
    FileDescriptor socket;
    std::size_t sent = 0;
    bool is_over = false;
  };

  bool bind_both() {
    tcp_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    udp_ = FileDescriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(tcp_.get(), raw, size) != 0 || ::listen(tcp_.get(), 64) != 0 ||
        ::getsockname(tcp_.get(), raw, &size) != 0 || ::bind(udp_.get(), raw, size) != 0)
      return false;
    port_ = ntohs(address.sin_port);
    return true;
  }

  void serve(const std::stop_token& stop) {
    std::vector<Client> clients;
    while (!stop.stop_requested()) {
      std::vector<pollfd> entries{{tcp_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}};
      const bool floods = hostility_ == Hostility::endless;
      for (const auto& client : clients)
        entries.push_back({client.socket.get(), static_cast<short>(floods ? POLLIN | POLLOUT : POLLIN), 0});
      ::poll(entries.data(), entries.size(), 25);
      for (std::size_t i = 0; i < clients.size(); ++i) attend(clients[i], entries[i + 2].revents);
      std::erase_if(clients, [](const Client& client) { return client.is_over; });
      while (true) {
        FileDescriptor socket(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket.valid()) break;
        clients.push_back({std::move(socket)});
        attend(clients.back(), 0);
      }
      answer_datagrams();
    }
  }

  void attend(Client& client, short events) {
    char ignored[4096];
    if ((events & POLLIN) != 0 && ::recv(client.socket.get(), ignored, sizeof ignored, 0) == 0) client.is_over = true;
    if ((events & (POLLERR | POLLHUP)) != 0) client.is_over = true;
    if (client.is_over) return;
    switch (hostility_) {
      case Hostility::silent: return;
      case Hostility::closing: client.is_over = true; return;
      case Hostility::random:
        if (client.sent == 0) send(client, noise_);
        return;
      case Hostility::truncated:
        send(client, greeting_.substr(0, greeting_.size() / 2));
        client.is_over = true;
        return;
      case Hostility::endless: send(client, client.sent == 0 ? greeting_ : endless_); return;
      case Hostility::slow: send(client, std::string(1, byte_at(client.sent))); return;
    }
  }
  [[nodiscard]] char byte_at(std::size_t position) const {
    return position < greeting_.size() ? greeting_[position] : 'x';
  }
  static void send(Client& client, const std::string& bytes) {
    const auto count = ::send(client.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) client.sent += static_cast<std::size_t>(count);
    if (count < 0 && errno != EAGAIN) client.is_over = true;
  }
  void answer_datagrams() {
    char query[4096];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* raw = reinterpret_cast<sockaddr*>(&from);
    while (::recvfrom(udp_.get(), query, sizeof query, 0, raw, &size) > 0) {
      if (hostility_ == Hostility::silent || hostility_ == Hostility::closing) continue;
      // With the right id, or nobody would look at it.
      const auto answer = std::string(query, 2) + (hostility_ == Hostility::random ? noise_.substr(0, 500) : "");
      ::sendto(udp_.get(), answer.data(), answer.size(), 0, raw, size);
    }
  }

  Hostility hostility_;
  std::string greeting_;
  std::string noise_;
  std::string endless_ = std::string(16384, 'x');
  FileDescriptor tcp_;
  FileDescriptor udp_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace patchlab::test
