// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/netbios.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace patchlab::checks::smb {
namespace {

constexpr int poll_interval_ms = 50;  // how late a stop request may be noticed
// RFC 1002, 4.3.1: types of packets.
constexpr unsigned char session_request = 0x81, positive_response = 0x82, negative_response = 0x83;

// RFC 1001, 14.1: sixteen bytes, each half of one as a letter.
std::string encoded(std::string name, char suffix) {
  name.resize(15, ' ');
  name += suffix;
  std::string text(1, '\x20');
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    text += static_cast<char>('A' + (byte >> 4U));
    text += static_cast<char>('A' + (byte & 15U));
  }
  return text + '\0';
}

// RFC 1002, 4.3.4.
std::string words_for(unsigned char error) {
  switch (error) {
    case 0x80: return "not listening on called name";
    case 0x81: return "not listening for calling name";
    case 0x82: return "called name not present";
    case 0x83: return "insufficient resources";
    default: return "unspecified error";
  }
}

}  // namespace

std::string netbios_session_request() {
  const auto names = encoded("*SMBSERVER", '\x20') + encoded("PATCHLAB", '\0');
  return std::string{static_cast<char>(session_request), '\0', '\0', static_cast<char>(names.size())} + names;
}

std::string request_netbios_session(int socket, const Deadline& deadline) {
  if (const int trouble = send_all(socket, netbios_session_request(), deadline); trouble != 0)
    return describe_errno(trouble);
  const auto answer = receive_exactly(socket, 4, deadline);
  if (answer.bytes.size() < 4)
    return answer.saved_errno == 0 ? "the server closed the connection" : describe_errno(answer.saved_errno);
  const auto type = static_cast<unsigned char>(answer.bytes[0]);
  if (type == positive_response) return {};
  if (type != negative_response) return fmt::format("what came is no answer to a session request: 0x{:02x}", type);
  const auto error = receive_exactly(socket, 1, deadline);
  const auto code = error.bytes.empty() ? '\0' : error.bytes.front();
  return fmt::format("session refused: 0x{:02x} {}", static_cast<unsigned char>(code),
                     words_for(static_cast<unsigned char>(code)));
}

Result<std::unique_ptr<NetbiosBridge>> NetbiosBridge::open(Endpoint server, std::string source, Milliseconds limit) {
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.valid()) return errno_error("creating a socket", errno);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof local;
  auto* raw = reinterpret_cast<sockaddr*>(&local);
  if (::bind(listener.get(), raw, size) != 0 || ::listen(listener.get(), 4) != 0 ||
      ::getsockname(listener.get(), raw, &size) != 0)
    return errno_error("listening on loopback for the SMB library", errno);
  return std::unique_ptr<NetbiosBridge>(
      new NetbiosBridge(std::move(listener), ntohs(local.sin_port), std::move(server), std::move(source), limit));
}

NetbiosBridge::NetbiosBridge(FileDescriptor listener, std::uint16_t port, Endpoint server, std::string source,
                             Milliseconds limit)
    : listener_(std::move(listener)),
      port_(port),
      server_(std::move(server)),
      source_(std::move(source)),
      limit_(limit),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

void NetbiosBridge::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> entries{{listener_.get(), POLLIN, 0}};
    for (const auto& pair : pairs_) {
      entries.push_back({pair.client.get(), POLLIN, 0});
      entries.push_back({pair.server.get(), POLLIN, 0});
    }
    if (::poll(entries.data(), entries.size(), poll_interval_ms) <= 0) continue;
    std::vector<bool> is_over(pairs_.size());
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const int client = pairs_[i].client.get(), server = pairs_[i].server.get();
      if (entries[1 + 2 * i].revents != 0 && !pass_on(client, server)) is_over[i] = true;
      if (entries[2 + 2 * i].revents != 0 && !is_over[i] && !pass_on(server, client)) is_over[i] = true;
    }
    for (std::size_t i = is_over.size(); i-- > 0;) {
      if (is_over[i]) pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (entries.front().revents != 0) take_client();
  }
}

void NetbiosBridge::take_client() {
  FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client.valid()) return;
  const Deadline deadline(limit_);
  auto connection = connect_tcp(server_, source_, deadline);
  if (!connection || connection->saved_errno != 0) return;
  if (request_netbios_session(connection->socket.get(), deadline).empty())
    pairs_.push_back({std::move(client), std::move(connection->socket)});
}

bool NetbiosBridge::pass_on(int from, int to) const {
  std::array<char, 65536> block{};
  const auto count = ::recv(from, block.data(), block.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  return count > 0 &&
         send_all(to, std::string_view(block.data(), static_cast<std::size_t>(count)), Deadline(limit_)) == 0;
}

}  // namespace patchlab::checks::smb
