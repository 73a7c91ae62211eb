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

// Short enough for ten looks, and so rare that they cost the guest little: each takes an emulated one a quarter of a
// second.
constexpr Milliseconds shortest_interval = std::chrono::seconds(2), longest_interval = std::chrono::seconds(15);
constexpr std::int64_t usual_looks = 10, least_looks = 6;

// Looks at what a guest uses up and asks it for its checks, each in its time.
class Watch {
 public:
  Watch(Guest& guest, Milliseconds duration, const Load& load, RanOn& seen)
      : guest_(guest),
        load_(load),
        seen_(seen),
        end_(guest.context.clock.now() + duration),
        interval_(std::clamp(duration / usual_looks, shortest_interval, longest_interval)),
        next_look_(guest.context.clock.now()),
        next_check_(next_look_) {
    if (load.a_minute == 0 || duration <= Milliseconds(0)) return;
    seen_.watched.emplace();
    const auto planned = duration / interval_ + 1;
    if (planned < least_looks) {
      seen_.why_unwatched = fmt::format("{} s are too short to see growth in", duration.count() / 1000);
      return;
    }
    seen_.watched->planned = static_cast<std::size_t>(planned);
    looks_ = true;
  }

  // When there is something to do next, or it is over.
  [[nodiscard]] Milliseconds next() const {
    auto next = end_;
    if (looks_) next = std::min(next, next_look_);
    if (asks()) next = std::min(next, next_check_);
    return next;
  }
  [[nodiscard]] bool is_over() const { return guest_.context.clock.now() >= end_; }

  void do_what_is_due() {
    if (looks_ && now() >= next_look_) look();
    if (asks() && now() >= next_check_ && !is_over()) ask();
  }
  void look() {
    if (!looks_) return;
    const auto begin = now();
    const auto usage = guest_.adapter->usage();
    // What a busy host made late is not made up for.
    next_look_ = std::max(next_look_ + interval_, now());
    seen_.last_look = usage ? std::nullopt : std::optional(usage.error());
    if (!usage) return;
    if (!*usage) {
      seen_.why_unwatched = "guests of this kind are not watched for growth";
      seen_.watched->planned = 0;
      looks_ = false;
      return;
    }
    seen_.watched->looks.push_back({begin + (now() - begin) / 2, **usage});
  }

 private:
  [[nodiscard]] Milliseconds now() const { return guest_.context.clock.now(); }
  [[nodiscard]] bool asks() const { return load_.a_minute > 0 && load_.ask; }
  void ask() {
    const auto result = load_.ask(number_++);
    next_check_ = std::max(next_check_ + Milliseconds(60000) / static_cast<std::int64_t>(load_.a_minute), now());
    if (result.outcome == Outcome::pass || result.outcome == Outcome::fail) ++seen_.watched->asked;
    if (result.outcome == Outcome::fail) ++seen_.watched->failed;
    if (checks::is_flaky(result)) ++seen_.watched->flaky;
  }

  Guest& guest_;
  const Load& load_;
  RanOn& seen_;
  Milliseconds end_, interval_, next_look_, next_check_;
  std::size_t number_ = 0;
  bool looks_ = false;
};

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
  // What stopped or restarted cannot be asked, and that is what it is told by.
  if (last_look && !restarted_by_itself) return Error(*last_look).while_doing("watching what is used up");
  return {};
}

Result<void> run_on(Guest& guest, Milliseconds duration, bool was_quiet, const Load& load, RanOn& seen) {
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
  Watch watch(guest, duration, load, seen);
  Result<Milliseconds> stopped = Milliseconds(0);
  do {
    watch.do_what_is_due();
    wait.deadline = std::max(Milliseconds(0), watch.next() - guest.context.clock.now());
    stopped = wait_until(guest.context.clock, wait, stops);
  } while (!stopped && stopped.error().error_class == ErrorClass::timeout && !watch.is_over());
  const auto goes_on = [&] { return !stopped && stopped.error().error_class == ErrorClass::timeout; };
  if (goes_on()) watch.look();
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
