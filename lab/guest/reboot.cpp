// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/reboot.hpp"

#include <fmt/format.h>

namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;

// An agent command to a guest that is down blocks until its limit: ask with a short one first.
constexpr Milliseconds ping_limit = 1s;
constexpr Milliseconds interval = 250ms;

// Watches one machine come up. Each look is one step further or an observation to quote at the deadline.
class BootWatch {
 public:
  BootWatch(GuestAdapter& adapter, GuestAgent& agent, const std::string& previous, int self_restarts)
      : adapter_(adapter), agent_(agent), previous_(previous), self_restarts_(self_restarts) {}

  // True at the end: booted, or `trouble` is set. A machine that is starting has little processor time to spare, so
  // each look asks as little as it can.
  bool look() {
    if (boot_id_.empty() || ++looks_ % verify_every == 0) {
      if (!sees_new_boot()) return trouble_.has_value();
    }
    const auto complete = adapter_.boot_complete();
    if (!complete) return see(complete.error().message, Sight::none);
    if (!*complete) return see("it was running, its start-up was not over");
    return sees_new_boot() || trouble_.has_value();
  }

  [[nodiscard]] const std::string& last_seen() const { return last_seen_; }
  // Whether the last look saw the guest do something, or could not see.
  [[nodiscard]] bool sees() const { return sight_ == Sight::clear; }
  [[nodiscard]] const std::optional<Error>& trouble() const { return trouble_; }
  [[nodiscard]] const std::string& boot_id() const { return boot_id_; }

 private:
  static constexpr int verify_every = 8;
  enum class Sight { none, clear };

  bool sees_new_boot() {
    if (!agent_.answers(ping_limit)) return see("the agent did not answer", Sight::none);
    const auto id = adapter_.boot_id();
    if (!id) return see(id.error().message, Sight::none);
    if (*id == previous_) return see("it was still running as before");
    const bool again = !boot_id_.empty() && *id != boot_id_;
    if (again && --self_restarts_ < 0) {
      trouble_ = guest_error(
          fmt::format("'{}' restarted once more by itself while it was expected to come up", agent_.machine()));
      return false;
    }
    boot_id_ = *id;
    // What was seen of the start-up before belongs to the start before.
    return again ? see("it restarted once more by itself") : true;
  }

  bool see(std::string what, Sight sight = Sight::clear) {
    last_seen_ = std::move(what);
    sight_ = sight;
    return false;
  }

  GuestAdapter& adapter_;
  GuestAgent& agent_;
  const std::string& previous_;
  int self_restarts_;  // still allowed
  std::string boot_id_;
  int looks_ = 0;
  std::string last_seen_ = "nothing";
  Sight sight_ = Sight::none;
  std::optional<Error> trouble_;
};

Milliseconds left_of(Clock& clock, Milliseconds start, Milliseconds deadline) {
  return std::max(Milliseconds{0}, deadline - (clock.now() - start));
}
}  // namespace

Result<std::string> await_boot(GuestAdapter& adapter, GuestAgent agent, Clock& clock,
                               const std::string& previous_boot_id, Milliseconds deadline, std::stop_token stop,
                               int self_restarts) {
  BootWatch watch(adapter, agent, previous_boot_id, self_restarts);
  const Wait wait{fmt::format("the start of '{}'", agent.machine()), deadline, interval,
                  [&] { return watch.last_seen(); }, stop};
  auto waited = wait_until(clock, wait, [&] { return watch.look(); });
  if (!waited) {
    auto error = std::move(waited).error();
    if (error.error_class != ErrorClass::timeout) return error;
    if (watch.sees())
      error.error_class = ErrorClass::guest;  // not the laboratory's: it had its time and was seen not to come up
    else
      error.error_class = agent.is_silent(ping_limit) ? ErrorClass::silent : ErrorClass::infrastructure;
    return error;
  }
  if (watch.trouble()) return *watch.trouble();
  return watch.boot_id();
}

Result<RebootProof> reboot_and_prove(GuestAdapter& adapter, GuestAgent agent, Clock& clock, Milliseconds deadline,
                                     std::stop_token stop, int self_restarts) {
  const auto action = fmt::format("restarting '{}'", agent.machine());
  const auto start = clock.now();
  const auto before = adapter.boot_id();
  if (!before) return observer_trouble(before.error()).while_doing(action);
  if (const auto asked = adapter.request_reboot(); !asked) return observer_trouble(asked.error()).while_doing(action);
  PATCHLAB_ASSIGN(const auto after,
                  await_boot(adapter, agent, clock, *before, left_of(clock, start, deadline), stop, self_restarts)
                      .while_doing(action));
  return RebootProof{*before, after, clock.now() - start};
}

Result<std::vector<RebootProof>> reboot_until_clear(GuestAdapter& adapter, GuestAgent agent, Clock& clock,
                                                    const RebootLimits& limits, std::stop_token stop) {
  std::vector<RebootProof> reboots;
  for (;;) {
    const auto is_due = adapter.reboot_required();
    if (!is_due) return observer_trouble(is_due.error());
    if (!*is_due) return reboots;
    if (std::ssize(reboots) >= limits.most) {
      return guest_error(fmt::format("'{}' still asks for a restart after {}", agent.machine(), limits.most));
    }
    PATCHLAB_ASSIGN(auto proof, reboot_and_prove(adapter, agent, clock, limits.each, stop, limits.self_restarts));
    reboots.push_back(std::move(proof));
  }
}

Result<void> power_off_cleanly(GuestAdapter& adapter, const GuestAgent& agent, Hypervisor& hypervisor, Clock& clock,
                               Milliseconds deadline, std::stop_token stop) {
  if (const auto asked = adapter.request_power_off(); !asked) return observer_trouble(asked.error());
  std::optional<Error> trouble;
  const Wait off{fmt::format("the clean power-off of '{}'", agent.machine()), deadline, interval, {}, std::move(stop)};
  auto waited = wait_until(clock, off, [&] {
    const auto state = hypervisor.state(agent.machine());
    if (!state) trouble = state.error();
    return trouble || *state == MachineState::off;
  });
  if (trouble) return observer_trouble(std::move(*trouble));
  if (waited) return {};
  auto error = std::move(waited).error();
  if (error.error_class == ErrorClass::timeout) error.error_class = ErrorClass::guest;
  return error;
}

Result<RebootProof> cold_restart_and_prove(GuestAdapter& adapter, GuestAgent agent, Hypervisor& hypervisor,
                                           Clock& clock, Milliseconds deadline, std::stop_token stop) {
  const auto action = fmt::format("restarting '{}' cold", agent.machine());
  const auto start = clock.now();
  const auto before = adapter.boot_id();
  if (!before) return observer_trouble(before.error()).while_doing(action);
  PATCHLAB_TRY(power_off_cleanly(adapter, agent, hypervisor, clock, deadline, stop).while_doing(action));
  PATCHLAB_TRY(hypervisor.start(agent.machine()).while_doing(action));
  PATCHLAB_ASSIGN(
      const auto after,
      await_boot(adapter, agent, clock, *before, left_of(clock, start, deadline), stop).while_doing(action));
  return RebootProof{*before, after, clock.now() - start};
}

}  // namespace patchlab::lab::guest
