// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <thread>

#include "lab/core/result.hpp"

namespace patchlab::lab::libvirt {

// The thread that runs libvirt's event loop while it lives. The embedded driver talks to QEMU through it, so it must
// run before the connection is opened and until after it is closed.
class EventLoop {
 public:
  [[nodiscard]] static Result<std::unique_ptr<EventLoop>> start();
  ~EventLoop();

 private:
  EventLoop() = default;
  int wake_timer_ = -1;
  std::jthread thread_;
};

}  // namespace patchlab::lab::libvirt
