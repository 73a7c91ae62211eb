// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "checks/deadline.hpp"
#include "lab/core/net/frames.hpp"

namespace patchlab::checks::dhcp {

using net::Checksums;

struct ReceivedFrame {
  std::string bytes;
  Checksums checksums = Checksums::verify;
};

// A wire that carries Ethernet frames: the seam that lets the client be tested without one.
class FrameLink {
 public:
  virtual ~FrameLink() = default;
  [[nodiscard]] virtual Result<void> send(const std::string& frame) = 0;
  // Nothing at the deadline. Frames sent by ourselves are not received.
  [[nodiscard]] virtual Result<std::optional<ReceivedFrame>> receive(const Deadline& deadline) = 0;
};

// A packet(7) socket on a network device of this namespace, promiscuous because the client's MAC is not the device's.
// Needs CAP_NET_RAW.
[[nodiscard]] Result<std::unique_ptr<FrameLink>> open_link(const std::string& interface);

}  // namespace patchlab::checks::dhcp
