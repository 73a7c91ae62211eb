// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lab/core/files.hpp"

namespace patchlab::checks::print {

// Stands in for a network printer (AppSocket, "JetDirect", port 9100): takes whatever print servers send and keeps it.
// When a sender has finished its half of a connection the sink closes the other one, which CUPS waits for before a job
// is completed.
class PrinterSink {
 public:
  static constexpr std::size_t most_bytes_kept = 20U << 20U;  // of one connection; the rest is read and dropped

  [[nodiscard]] static Result<std::unique_ptr<PrinterSink>> listen(const std::string& address, std::uint16_t port);
  // What each connection has sent so far, in the order of their coming.
  [[nodiscard]] std::vector<std::string> received() const;

 private:
  struct Sender {
    FileDescriptor socket;
    std::string bytes;
  };
  explicit PrinterSink(FileDescriptor listener) : listener_(std::move(listener)) {}
  void work(const std::stop_token& stop);
  void accept_sender();
  static void read_from(Sender& sender);

  FileDescriptor listener_;
  mutable std::mutex mutex_;
  std::vector<Sender> senders_;
  std::jthread thread_;
};

}  // namespace patchlab::checks::print
