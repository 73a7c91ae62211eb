// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/observer_trouble.hpp"

#include <fmt/format.h>

namespace patchlab::runners::cell {

Error ObserverTrouble::unobserved(Error error) {
  replies_ = fmt::format("{}\n\nWhat the guest said last:\n{}", error.message, guest_.agent.recent_replies());
  if (error.error_class == ErrorClass::cancelled || error.error_class == ErrorClass::configuration) return error;
  const auto state = guest_.context.hypervisor.state(guest_.name());
  if (!state) return lab::guest::observer_trouble(state.error()).while_doing(error.message);
  if (*state != lab::MachineState::running) {
    return infrastructure_error(fmt::format("machine '{}' is not running any more: {}", guest_.name(), error.message));
  }
  if (!is_silent()) return error;
  error.error_class = ErrorClass::silent;
  return std::move(error).while_doing(fmt::format("the guest agent of '{}' gives no answer", guest_.name()));
}

Error ObserverTrouble::missed_restart(Error error) {
  const bool known = error.error_class == ErrorClass::guest || error.error_class == ErrorClass::silent;
  return known ? error : unobserved(std::move(error));
}

bool ObserverTrouble::is_silent() {
  const Wait wait{.awaited = fmt::format("any answer from the guest agent of '{}'", guest_.name()),
                  .deadline = std::chrono::seconds(20),
                  .interval = Milliseconds(500),
                  .last_seen = {},
                  .stop = guest_.context.stop};
  const auto answered =
      wait_until(guest_.context.clock, wait, [&] { return !guest_.agent.is_silent(std::chrono::seconds(2)); });
  return !answered && answered.error().error_class == ErrorClass::timeout;
}

}  // namespace patchlab::runners::cell
