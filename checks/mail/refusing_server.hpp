// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "checks/deadline.hpp"
#include "lab/core/files.hpp"

namespace patchlab::checks::mail {

// Stands in for the mail server of somebody else (RFC 5321) that knows no recipient: 550 5.1.1 to each, for good. What
// comes in is written by a guest, so lines, connections and what is kept of them are bounded.
class RefusingServer {
 public:
  struct Refusal {
    std::string from;  // what stood behind "MAIL FROM:"
    std::string to;    // and behind "RCPT TO:"
  };
  static constexpr std::size_t most_refusals_kept = 50;

  // Another check may be listening there: waits until it is done. Port 0: any, see port().
  [[nodiscard]] static Result<std::unique_ptr<RefusingServer>> listen(const std::string& address, std::uint16_t port,
                                                                      const Deadline& deadline);
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::vector<Refusal> refusals() const;

 private:
  struct Client {
    FileDescriptor socket;
    std::string received;  // of the line that is not at its end yet
    std::string from;
    std::size_t lines = 0;
  };
  RefusingServer(FileDescriptor listener, std::uint16_t port) : listener_(std::move(listener)), port_(port) {}
  void work(const std::stop_token& stop);
  void accept_client();
  void read_from(Client& client);
  void take_line(Client& client, std::string line);

  FileDescriptor listener_;
  std::uint16_t port_;
  mutable std::mutex mutex_;
  std::vector<Client> clients_;
  std::vector<Refusal> refusals_;
  std::size_t connections_ = 0;
  std::jthread thread_;
};

}  // namespace patchlab::checks::mail
