// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/turns.hpp"

#include <condition_variable>

namespace patchlab::runners::cell {
namespace {

// Most checks are over before an IdleWatch looks at all.
constexpr int quiet_looks = 3, first_look = 3;

void watch_for_idleness(const Guest& guest, const std::function<void(IdleWatch::Because)>& quiet,
                        const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any gone;
  std::unique_lock lock(mutex);
  auto& hypervisor = guest.context.hypervisor;
  std::optional<Milliseconds> used_before, waited_before;
  const auto look_every = guest.context.idle_look;
  const auto is_over = [&](int looks) {
    return gone.wait_for(lock, stop, looks * look_every, [&] { return stop.stop_requested(); });
  };
  if (is_over(first_look)) return;
  for (int quiet_so_far = 0, idle_so_far = 0; !is_over(1);) {
    const auto used = hypervisor.processor_time(guest.name());
    if (!used) return;  // nothing is known of it any more
    const auto waited = hypervisor.waited_for_processor(guest.name());
    const auto little = [&](auto now, auto before) { return before && now - *before < look_every / 10; };
    const bool did_little = little(*used, used_before);
    const bool waited_little = waited && little(*waited, waited_before);
    const bool starved = waited && waited_before && !waited_little;
    quiet_so_far = did_little && !starved ? quiet_so_far + 1 : 0;
    idle_so_far = did_little && waited_little ? idle_so_far + 1 : 0;
    used_before = *used;
    waited_before = waited;
    if (quiet_so_far >= quiet_looks)
      quiet(idle_so_far >= quiet_looks ? IdleWatch::Because::idle : IdleWatch::Because::unknown);
  }
}

bool stands_alone(const Guest& guest) {
  return guest.job.plan.depends_on.empty() && std::ranges::none_of(guest.context.job.machines, [&](const auto& other) {
           return std::ranges::count(other.plan.depends_on, guest.name()) > 0;
         });
}

}  // namespace

Turn::~Turn() {
  if (turns_ != nullptr) turns_->rest();
}

Result<void> Turn::take_slot_again() {
  if (slot_) return {};
  const auto& context = turns_->guest_.context;
  PATCHLAB_ASSIGN(slot_, context.slots.acquire(context.stop));
  return {};
}

Turns::Turns(Guest& guest) : guest_(guest), may_rest_(stands_alone(guest)) {}

Result<Turn> Turns::take() {
  PATCHLAB_ASSIGN(auto slot, guest_.context.slots.acquire(guest_.context.stop));
  Turn turn(*this, std::move(slot));
  // The guest's clock stays behind: to jump ahead would be a cause of failures of its own (servers kill children that
  // seem to have been starting for half a minute), and until the next revert or restart nobody needs it to be right.
  PATCHLAB_TRY(wake());
  return turn;
}

Result<void> Turns::wake() {
  if (std::exchange(resting_, false)) PATCHLAB_TRY(guest_.context.hypervisor.resume(guest_.name()));
  return {};
}

void Turns::rest() {
  if (!may_rest_ || resting_) return;
  const auto state = guest_.context.hypervisor.state(guest_.name());
  if (!state || *state != lab::MachineState::running) return;
  resting_ = bool{guest_.context.hypervisor.pause(guest_.name())};
}

IdleWatch::IdleWatch(Guest& guest, std::function<void(Because)> quiet)
    : thread_([&guest, quiet = std::move(quiet)](const std::stop_token& stop) {
        watch_for_idleness(guest, quiet, stop);
      }) {}

}  // namespace patchlab::runners::cell
