// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/stability.hpp"

#include <fmt/format.h>

namespace patchlab::runners::cell {
namespace {

// What a guest is granted, on top of the stability phase, to come to an end with what it does; and how long one look
// at that is.
constexpr Milliseconds longest_work = std::chrono::seconds(60);
constexpr Milliseconds work_look = std::chrono::seconds(5);

// Whether a guest always had something to do, by its own count, from one question to the next.
class WorkMeter {
 public:
  WorkMeter(lab::guest::GuestAdapter& adapter, const Clock& clock)
      : adapter_(adapter), clock_(clock), seen_(adapter.idle_time()), looked_(clock.now()) {}

  // At least one of its processors was idle for less than a tenth of the time. No when guests of its family do not
  // count.
  [[nodiscard]] Result<bool> worked_all_the_time() {
    PATCHLAB_ASSIGN(const auto before, std::move(seen_));
    const auto since = looked_;
    seen_ = adapter_.idle_time();
    looked_ = clock_.now();
    PATCHLAB_ASSIGN(const auto now, Result(seen_));
    if (!before || !now) return false;
    if (now->idle < before->idle) {  // it counts from its start
      restarted_ = true;
      return false;
    }
    const auto time = looked_ - since;
    return now->idle - before->idle < (now->processors - 1) * time + time / 10;
  }

  // Between two questions, by itself.
  [[nodiscard]] bool restarted() const { return restarted_; }

 private:
  lab::guest::GuestAdapter& adapter_;
  const Clock& clock_;
  bool restarted_ = false;
  Result<std::optional<lab::guest::IdleTime>> seen_;
  Milliseconds looked_{0};
};

}  // namespace

Result<void> RanOn::compare(const MachineJob& job, reports::PhaseRecord& record) const {
  if (never_rests && *never_rests) {
    const checks::state::StateDifference busy{"fact", "processor", "at rest", "busy without an end"};
    if (!job.plan.allowances.covers(busy)) record.differences.push_back(busy);
  }
  if (restarted_by_itself) record.differences.push_back({"boot", "stability", "runs on", "restarted by itself"});
  if (!never_rests) return never_rests.error();
  return {};
}

Result<void> run_on(Guest& guest, Milliseconds duration, bool was_quiet, RanOn& seen) {
  std::optional<Error> unknown;  // that it went on running is a part of what this phase shows
  const auto stops = [&] {
    const auto state = guest.context.hypervisor.state(guest.name());
    unknown = state ? std::nullopt : std::optional(state.error());
    return !state || *state != lab::MachineState::running;
  };
  Wait wait{.awaited = fmt::format("a stop of machine '{}'", guest.name()),
            .deadline = duration,
            .interval = Milliseconds(500),
            .last_seen = {},
            .stop = guest.context.stop};
  std::optional<WorkMeter> meter;
  if (was_quiet && duration > Milliseconds{0}) meter.emplace(*guest.adapter, guest.context.clock);
  auto stopped = wait_until(guest.context.clock, wait, stops);
  const auto goes_on = [&] { return !stopped && stopped.error().error_class == ErrorClass::timeout; };
  const auto worked = [&] { return meter && goes_on() ? meter->worked_all_the_time() : Result<bool>(false); };
  seen.never_rests = worked();
  wait.deadline = work_look;
  for (auto waited = Milliseconds{0}; seen.never_rests && *seen.never_rests && waited < longest_work;
       waited += work_look) {
    stopped = wait_until(guest.context.clock, wait, stops);
    seen.never_rests = worked();
  }
  seen.restarted_by_itself = meter && meter->restarted();
  if (unknown) seen.never_rests = *unknown;
  if (!stopped && stopped.error().error_class == ErrorClass::cancelled) return stopped.error();
  return {};
}

}  // namespace patchlab::runners::cell
