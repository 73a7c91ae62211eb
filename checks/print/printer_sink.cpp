// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/printer_sink.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace patchlab::checks::print {
namespace {

constexpr int poll_interval_ms = 50;  // how late a stop request may be noticed

}  // namespace

Result<std::unique_ptr<PrinterSink>> PrinterSink::listen(const std::string& address, std::uint16_t port) {
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &local.sin_addr) != 1) {
    return configuration_error(fmt::format("'{}' is not an IPv4 address to listen on", address));
  }
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.valid()) return errno_error("creating a socket", errno);
  const int yes = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
      ::listen(listener.get(), 8) != 0) {
    return errno_error(fmt::format("listening on {}:{} as the printer", address, port), errno);
  }
  std::unique_ptr<PrinterSink> sink(new PrinterSink(std::move(listener)));
  sink->thread_ = std::jthread([raw = sink.get()](const std::stop_token& stop) { raw->work(stop); });
  return sink;
}

std::vector<std::string> PrinterSink::received() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& sender : senders_) all.push_back(sender.bytes);
  return all;
}

void PrinterSink::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> entries{{listener_.get(), POLLIN, 0}};
    for (const auto& sender : senders_) entries.push_back({sender.socket.get(), POLLIN, 0});  // -1 is skipped by poll
    if (::poll(entries.data(), entries.size(), poll_interval_ms) <= 0) continue;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i].revents != 0) read_from(senders_[i - 1]);
    }
    if (entries.front().revents != 0) accept_sender();
  }
}

void PrinterSink::accept_sender() {
  FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.valid()) senders_.push_back({std::move(socket), {}});
}

void PrinterSink::read_from(Sender& sender) {
  std::array<char, 65536> block{};
  const auto count = ::recv(sender.socket.get(), block.data(), block.size(), 0);
  if (count > 0) {
    const auto room = most_bytes_kept - sender.bytes.size();
    sender.bytes.append(block.data(), std::min(room, static_cast<std::size_t>(count)));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    sender.socket = FileDescriptor();
  }
}

}  // namespace patchlab::checks::print
