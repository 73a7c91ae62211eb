// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/refusing_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "lab/core/json.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr int poll_interval_ms = 50;  // how late a stop request may be noticed
constexpr std::size_t longest_line = 2048;
constexpr std::size_t most_lines = 1000;
constexpr std::size_t most_clients = 32;
constexpr const char* name = "elsewhere.invalid";  // RFC 2606: exists nowhere

Result<std::uint16_t> bound_port(int socket) {
  sockaddr_in local{};
  socklen_t size = sizeof local;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size) != 0)
    return errno_error("asking a socket for its port", errno);
  return ntohs(local.sin_port);
}

void say(FileDescriptor& socket, const std::string& line) {
  const auto text = line + "\r\n";
  // Answers are short: a client that takes in not even one is let go.
  if (::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    socket = FileDescriptor();
}

}  // namespace

Result<std::unique_ptr<RefusingServer>> RefusingServer::listen(const std::string& address, std::uint16_t port,
                                                               const Deadline& deadline, std::optional<Work> work) {
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &local.sin_addr) != 1)
    return configuration_error(fmt::format("'{}' is not an IPv4 address to listen on", address));
  const auto trying = fmt::format("listening on {}:{} as a mail server that refuses", address, port);
  FileDescriptor listener;
  for (;;) {
    listener = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!listener.valid()) return errno_error("creating a socket", errno);
    const int yes = 1;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    // Two that wait may both be bound, since neither listens yet: then the second is told by listen().
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0 &&
        ::listen(listener.get(), 8) == 0)
      break;
    if (errno != EADDRINUSE || deadline.passed()) return errno_error(trying, errno);
    listener = FileDescriptor();
    std::this_thread::sleep_for(std::min(Milliseconds(poll_interval_ms), deadline.remaining()));
  }
  PATCHLAB_ASSIGN(const auto bound, bound_port(listener.get()));
  std::unique_ptr<RefusingServer> server(new RefusingServer(std::move(listener), bound, std::move(work)));
  server->thread_ = std::jthread([raw = server.get()](const std::stop_token& stop) { raw->work(stop); });
  return server;
}

std::size_t RefusingServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

std::vector<RefusingServer::Refusal> RefusingServer::refusals() const {
  const std::lock_guard lock(mutex_);
  return refusals_;
}

Milliseconds RefusingServer::listened() const {
  const std::lock_guard lock(mutex_);
  return listened_.value_or(std::chrono::duration_cast<Milliseconds>(Clock::now() - start_));
}

bool RefusingServer::is_done() const { return work_ && (has_refused_ || Clock::now() - last_came_ >= work_->patience); }

void RefusingServer::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (listener_.valid() && is_done()) {
      const std::lock_guard lock(mutex_);
      listener_ = FileDescriptor();
      listened_ = std::chrono::duration_cast<Milliseconds>(Clock::now() - start_);
    }
    // poll() passes over a listener that is closed, which is -1.
    std::vector<pollfd> entries{{listener_.get(), POLLIN, 0}};
    for (const auto& client : clients_) entries.push_back({client.socket.get(), POLLIN, 0});
    if (::poll(entries.data(), entries.size(), poll_interval_ms) <= 0) continue;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i].revents != 0) read_from(clients_[i - 1]);
    }
    std::erase_if(clients_, [](const Client& client) { return !client.socket.valid(); });
    if (entries.front().revents != 0) accept_client();
  }
}

void RefusingServer::accept_client() {
  FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.valid()) return;
  ++connections_;
  last_came_ = Clock::now();
  if (clients_.size() == most_clients) return;  // closed: it may come again
  say(socket, fmt::format("220 {} ESMTP", name));
  if (socket.valid()) clients_.push_back({std::move(socket), {}, {}, 0});
}

void RefusingServer::read_from(Client& client) {
  std::array<char, longest_line> block{};
  const auto count = ::recv(client.socket.get(), block.data(), block.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    client.socket = FileDescriptor();
    return;
  }
  client.received.append(block.data(), static_cast<std::size_t>(count));
  for (auto end = client.received.find('\n'); client.socket.valid() && end != std::string::npos;
       end = client.received.find('\n')) {
    auto line = client.received.substr(0, end);
    client.received.erase(0, end + 1);
    take_line(client, std::string(trimmed(line, " \t\r")));
  }
  if (client.received.size() > longest_line) client.socket = FileDescriptor();
}

void RefusingServer::take_line(Client& client, std::string line) {
  if (++client.lines > most_lines) {
    client.socket = FileDescriptor();
    return;
  }
  const auto command = upper_case(line);
  if (command.starts_with("EHLO")) {
    say(client.socket, fmt::format("250-{}", name));
    if (client.socket.valid()) say(client.socket, "250 ENHANCEDSTATUSCODES");
  } else if (command.starts_with("MAIL FROM:")) {
    client.from = to_valid_utf8(line.substr(10));
    say(client.socket, "250 2.1.0 Ok");
  } else if (command.starts_with("RCPT TO:")) {
    if (refusals_.size() < most_refusals_kept) refusals_.push_back({client.from, to_valid_utf8(line.substr(8))});
    if (work_ && names_recipient(line, work_->recipient)) has_refused_ = true;
    say(client.socket, "550 5.1.1 nobody of this name is here");
  } else if (command.starts_with("HELO") || command == "RSET" || command == "NOOP") {
    say(client.socket, "250 2.0.0 Ok");
  } else if (command == "QUIT") {
    say(client.socket, "221 2.0.0 Bye");
    client.socket = FileDescriptor();
  } else if (command == "DATA") {
    say(client.socket, "503 5.5.1 no recipient");
  } else {
    say(client.socket, "502 5.5.2 not known here");
  }
}

bool names_recipient(const std::string& argument, const std::string& address) {
  return lower_case(argument).find("<" + lower_case(address) + ">") != std::string::npos;
}

}  // namespace patchlab::checks::mail
