// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/slowness.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks {
namespace {
using namespace std::chrono_literals;

constexpr std::size_t least_tries = 5;
constexpr Milliseconds patience = 30s;
constexpr Milliseconds interval = 250ms;  // what keeps the host busy may go on for a while

bool is_timed(const PlannedCheck& planned, const CheckResult& result) {
  return planned.spec.slower && result.outcome == Outcome::pass;
}

// What a patch may take more than what is usual is the tolerance; the lab itself may only take a part of it.
Milliseconds share_of_the_lab(const PlannedCheck& planned) { return *planned.spec.slower / 4; }

// Of the tries that passed and were not starved; of the others only such as took no longer than `good_enough`, starved
// or not. Nothing: there is none.
std::optional<Milliseconds> quickest_of(const CheckResult& result, Milliseconds good_enough) {
  std::optional<Milliseconds> quickest;
  const auto look_at = [&](const auto& one) {
    if (one.outcome == Outcome::pass && (!one.starved || one.duration <= good_enough))
      quickest = std::min(quickest.value_or(one.duration), one.duration);
  };
  if (result.tries.empty()) look_at(result);
  for (const auto& one : result.tries) look_at(one);
  return quickest;
}

// One check after another; all share one patience.
class Timing {
 public:
  Timing(Asking& asking, Clock& clock) : asking_(asking), clock_(clock), deadline_(clock.now() + patience) {}

  // Until a try takes no longer than `limit`; when none does, least_tries at least and to the end of the patience.
  // False when it does not pass any more.
  bool try_until(const PlannedCheck& planned, CheckResult& result, Milliseconds limit) {
    for (std::size_t tries = 1; quickest_of(result, limit).value_or(Milliseconds::max()) > limit; ++tries) {
      if (tries >= least_tries && clock_.now() >= deadline_) break;
      clock_.pause(interval);
      asking_.ask_once_more(planned, result);
      if (result.outcome != Outcome::pass) return false;
    }
    return true;
  }

  // Until there is one that was not starved, or took no longer than `good_enough` in spite of that; to the end of the
  // patience. False when it does not pass any more.
  bool try_until_one_counts(const PlannedCheck& planned, CheckResult& result, Milliseconds good_enough) {
    while (!quickest_of(result, good_enough) && clock_.now() < deadline_) {
      clock_.pause(interval);
      asking_.ask_once_more(planned, result);
      if (result.outcome != Outcome::pass) return false;
    }
    return true;
  }

 private:
  Asking& asking_;
  Clock& clock_;
  Milliseconds deadline_;
};

Slowness not_judged(const std::string& why, std::optional<Milliseconds> quickest, Milliseconds limit) {
  return {.judged = false, .quickest = quickest.value_or(Milliseconds(0)), .limit = limit, .why_not = why};
}

std::string never_had_a_processor(const CheckResult& result, const std::string& phase) {
  return fmt::format("in {} tries of '{}' in {} the guest waited for a processor: this host was too busy",
                     std::max<std::size_t>(1, count_tries(result, Outcome::pass)), result.id, phase);
}

}  // namespace

void UsualDurations::saw_at_baseline(const std::string& check, Milliseconds quickest) { baseline_[check] = quickest; }

void UsualDurations::saw_in_control(const std::string& phase, const std::string& check, Milliseconds quickest) {
  auto& longest = control_[check][phase];
  longest = std::max(longest, quickest);
}

std::optional<Milliseconds> UsualDurations::at_baseline(const std::string& check) const {
  const auto found = baseline_.find(check);
  return found == baseline_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Milliseconds> UsualDurations::longest(const std::string& phase, const std::string& check) const {
  auto longest = at_baseline(check);
  const auto phases = control_.find(check);
  if (!longest || phases == control_.end()) return longest;
  const bool same_phase = phases->second.contains(phase);
  for (const auto& [name, duration] : phases->second) {
    if (!same_phase || name == phase) longest = std::max(*longest, duration);
  }
  return longest;
}

UsualDurations::Beyond UsualDurations::beyond_baseline() const {
  Beyond beyond;
  for (const auto& [check, phases] : control_) {
    const auto baseline = at_baseline(check);
    if (!baseline) continue;
    for (const auto& [phase, duration] : phases) beyond[check][phase] = std::max(0ms, duration - *baseline);
  }
  return beyond;
}

void UsualDurations::was_beyond_baseline(const Beyond& beyond) {
  control_.clear();
  for (const auto& [check, phases] : beyond) {
    const auto baseline = at_baseline(check);
    if (!baseline) continue;
    for (const auto& [phase, by] : phases) saw_in_control(phase, check, *baseline + by);
  }
}

void UsualDurations::give_up(std::string why) {
  if (given_up_.empty()) given_up_ = std::move(why);
}

void learn_at_baseline(Asking& asking, const std::vector<PlannedCheck>& planned, std::vector<CheckResult>& results,
                       UsualDurations& usual, Clock& clock) {
  Timing timing(asking, clock);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    auto& result = results[i];
    for (std::size_t tries = 0; tries < least_tries && is_timed(planned[i], result); ++tries)
      asking.ask_once_more(planned[i], result);
    if (!is_timed(planned[i], result)) continue;
    const auto good_enough = share_of_the_lab(planned[i]);
    if (!timing.try_until_one_counts(planned[i], result, good_enough)) continue;
    if (const auto quickest = quickest_of(result, good_enough))
      usual.saw_at_baseline(result.id, *quickest);
    else
      usual.give_up(never_had_a_processor(result, "the baseline"));
  }
}

void learn_in_control(Asking& asking, const std::vector<PlannedCheck>& planned, const std::string& phase,
                      std::vector<CheckResult>& results, UsualDurations& usual, Clock& clock) {
  Timing timing(asking, clock);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    auto& result = results[i];
    if (!is_timed(planned[i], result)) continue;
    const auto before = usual.at_baseline(result.id);
    const auto limit = before.value_or(0ms) + *planned[i].spec.slower;
    if (!usual.given_up().empty()) {
      result.slowness = not_judged(usual.given_up(), quickest_of(result, 0ms), limit);
      continue;
    }
    if (!before) continue;
    // What the control takes more than the baseline, a patch may take more: so it is held to a part of the tolerance.
    const auto good_enough = *before + share_of_the_lab(planned[i]);
    if (!timing.try_until(planned[i], result, good_enough)) continue;
    const auto quickest = quickest_of(result, good_enough);
    if (!quickest || *quickest > limit) {
      usual.give_up(quickest
                        ? fmt::format("without any patch, '{}' took {} ms in {} of the control, the quickest of {} "
                                      "tries, and {} ms at the baseline: this host was too busy",
                                      result.id, quickest->count(), phase, count_tries(result, Outcome::pass),
                                      before->count())
                        : never_had_a_processor(result, phase + " of the control"));
      result.slowness = not_judged(usual.given_up(), quickest, limit);
      continue;
    }
    usual.saw_in_control(phase, result.id, *quickest);
    result.slowness = Slowness{.judged = true, .quickest = *quickest, .limit = limit, .why_not = {}};
  }
}

void judge_slowness(Asking& asking, const std::vector<PlannedCheck>& planned, const std::string& phase,
                    std::vector<CheckResult>& results, const UsualDurations& usual, Clock& clock) {
  Timing timing(asking, clock);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    auto& result = results[i];
    if (!is_timed(planned[i], result)) continue;
    const auto longest = usual.longest(phase, result.id);
    const auto limit = longest.value_or(0ms) + *planned[i].spec.slower;
    if (!usual.given_up().empty() || !longest) {
      const auto& why = longest ? usual.given_up() : "it was not timed before the patch";
      result.slowness = not_judged(why, quickest_of(result, 0ms), limit);
      continue;
    }
    if (!timing.try_until(planned[i], result, limit)) continue;
    const auto quickest = quickest_of(result, limit);
    if (!quickest) {
      result.slowness = not_judged(never_had_a_processor(result, phase), quickest, limit);
      continue;
    }
    result.slowness = Slowness{.judged = true, .quickest = *quickest, .limit = limit, .why_not = {}};
    if (*quickest <= limit) continue;
    result.outcome = Outcome::fail;
    result.reason = slower_reason;
    result.expected = fmt::format("within {} ms: {} ms without any patch, and {} ms more", limit.count(),
                                  longest->count(), planned[i].spec.slower->count());
    result.observed =
        fmt::format("{} ms in the quickest of {} tries", quickest->count(), count_tries(result, Outcome::pass));
  }
}

}  // namespace patchlab::checks
