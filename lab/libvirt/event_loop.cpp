// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/event_loop.hpp"

#include <libvirt/libvirt.h>

#include <mutex>

#include "lab/libvirt/error.hpp"

namespace patchlab::lab::libvirt {
namespace {
void nothing(int, void*) {}

// libvirt has one event implementation per process, chosen once.
Result<void> register_once() {
  static std::once_flag once;
  static Result<void> outcome;
  std::call_once(once, [] {
    if (virEventRegisterDefaultImpl() != 0) outcome = last_error("preparing libvirt's event loop");
  });
  return outcome;
}
}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::start() {
  PATCHLAB_TRY(register_once());
  std::unique_ptr<EventLoop> loop(new EventLoop);
  // Disarmed until the end, when it wakes the loop.
  loop->wake_timer_ = virEventAddTimeout(-1, nothing, nullptr, nullptr);
  if (loop->wake_timer_ < 0) return last_error("preparing libvirt's event loop");
  loop->thread_ = std::jthread([](const std::stop_token& stop) {
    while (!stop.stop_requested()) static_cast<void>(virEventRunDefaultImpl());
  });
  return loop;
}

EventLoop::~EventLoop() {
  thread_.request_stop();
  virEventUpdateTimeout(wake_timer_, 0);
  thread_.join();
  virEventRemoveTimeout(wake_timer_);
}

}  // namespace patchlab::lab::libvirt
