// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "checks/socket.hpp"

// The session service of NetBIOS (RFC 1002, 4.3), by which clients of SMB 1 come to port 139.
namespace patchlab::checks::smb {

inline constexpr std::uint16_t netbios_port = 139;

// SESSION REQUEST for "*SMBSERVER", which is whoever serves files there (MS-SMB, 2.1), from a client without a name of
// its own. Pure.
[[nodiscard]] std::string netbios_session_request();
// Asks for a session on a connection that is new. Empty: it is granted; else the server's or the system's words.
[[nodiscard]] std::string request_netbios_session(int socket, const Deadline& deadline);

// libsmbclient calls servers by their address, which is no name of NetBIOS. It comes to a port of loopback instead, and
// each of its connections goes on in a session of its own; what is said then is the same in both (RFC 1002, 4.3.6). A
// session that is refused ends the connection.
class NetbiosBridge {
 public:
  // `source`: the local address to speak from; any when empty. `limit`: for one session to be granted.
  [[nodiscard]] static Result<std::unique_ptr<NetbiosBridge>> open(Endpoint server, std::string source,
                                                                   Milliseconds limit);
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Pair {
    FileDescriptor client;
    FileDescriptor server;
  };
  NetbiosBridge(FileDescriptor listener, std::uint16_t port, Endpoint server, std::string source, Milliseconds limit);
  void work(const std::stop_token& stop);
  void take_client();
  // Whether it goes on.
  [[nodiscard]] bool pass_on(int from, int to) const;

  FileDescriptor listener_;
  std::uint16_t port_;
  Endpoint server_;
  std::string source_;
  Milliseconds limit_;
  std::vector<Pair> pairs_;  // of the thread
  std::jthread thread_;
};

}  // namespace patchlab::checks::smb
