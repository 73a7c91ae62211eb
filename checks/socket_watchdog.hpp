// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "checks/deadline.hpp"

namespace patchlab::checks {

// Bounds a client library that cannot be bounded: drivers wait for ever for a server that accepted a statement and fell
// silent, and they do not show their socket; others go on as long as a byte comes every now and then. From the deadline
// on this shuts down every socket of the process that is connected to the server, so that the library's call returns
// with an error and the steps seen so far become the observation.
class SocketWatchdog {
 public:
  // `address` is a literal IPv4 address.
  SocketWatchdog(std::string address, std::uint16_t port, Deadline deadline);
  [[nodiscard]] bool fired() const { return fired_; }

 private:
  std::string address_;
  std::uint16_t port_;
  std::atomic<bool> fired_{false};
  std::jthread thread_;
};

}  // namespace patchlab::checks
