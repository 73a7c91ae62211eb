// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
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
  // When there is nothing to listen for any more, so that another check can have the port. Who is connected then is
  // still answered to.
  struct Work {
    std::string recipient;  // who was refused
    Milliseconds patience;  // or so long nobody came
  };

  // Another check may be listening there: waits until it is done. Port 0: any, see port(). Without `work` it listens
  // until its end.
  [[nodiscard]] static Result<std::unique_ptr<RefusingServer>> listen(const std::string& address, std::uint16_t port,
                                                                      const Deadline& deadline,
                                                                      std::optional<Work> work = {});
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t connections() const;
  // How long, so far.
  [[nodiscard]] Milliseconds listened() const;
  [[nodiscard]] std::vector<Refusal> refusals() const;

 private:
  struct Client {
    FileDescriptor socket;
    std::string received;  // of the line that is not at its end yet
    std::string from;
    std::size_t lines = 0;
  };
  using Clock = std::chrono::steady_clock;
  RefusingServer(FileDescriptor listener, std::uint16_t port, std::optional<Work> work)
      : listener_(std::move(listener)), port_(port), work_(std::move(work)) {}
  void work(const std::stop_token& stop);
  void accept_client();
  void read_from(Client& client);
  void take_line(Client& client, std::string line);
  [[nodiscard]] bool is_done() const;

  FileDescriptor listener_;
  std::uint16_t port_;
  std::optional<Work> work_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_came_ = start_;
  bool has_refused_ = false;              // the recipient of `work_`
  std::optional<Milliseconds> listened_;  // when that is over
  mutable std::mutex mutex_;
  std::vector<Client> clients_;
  std::vector<Refusal> refusals_;
  std::size_t connections_ = 0;
  std::jthread thread_;
};

// "<a@b> ORCPT=..." is for a@b.
[[nodiscard]] bool names_recipient(const std::string& argument, const std::string& address);

}  // namespace patchlab::checks::mail
