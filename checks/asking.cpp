// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/asking.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks {
namespace {

constexpr std::size_t most_errors = 3;  // of one check in one phase
// Servers give up themselves what takes too long, some after five seconds: what a client is told then is no answer.
constexpr Milliseconds servers_patience = std::chrono::seconds(5);

CheckTry try_of(const CheckResult& result) {
  CheckTry one{result.outcome, result.duration, {}, {}, {}, result.starved};
  if (result.outcome == Outcome::pass) return one;
  one.reason = result.reason;
  one.observed = result.observed;
  one.evidence = result.evidence;
  return one;
}

// `again` stands for the check from now on; the tries tell what was before.
void replace(CheckResult& result, CheckResult again) {
  auto tries = std::move(result.tries);
  if (tries.empty()) tries.push_back(try_of(result));
  tries.push_back(try_of(again));
  result = std::move(again);
  result.tries = std::move(tries);
}

// Failures in a row up to the last try; the lab's troubles between them say nothing.
std::size_t failures_in_a_row(const CheckResult& result) {
  if (result.tries.empty()) return count_tries(result, Outcome::fail);
  std::size_t count = 0;
  for (auto one = result.tries.rbegin(); one != result.tries.rend() && one->outcome != Outcome::pass; ++one) {
    if (one->outcome == Outcome::fail) ++count;
  }
  return count;
}

// The same request would end the same way.
bool is_final(const std::optional<Error>& error) {
  return error && (error->error_class == ErrorClass::cancelled || error->error_class == ErrorClass::configuration);
}

// A guest that only waits does not wait for a processor: a patch that makes it silent is not excused on a busy host.
bool was_starved(const CheckResult& result, Milliseconds waited) { return 4 * waited >= result.duration; }

std::size_t count_busy(const CheckResult& result) {
  if (result.tries.empty()) return result.reason == host_busy_reason ? 1 : 0;
  return static_cast<std::size_t>(
      std::ranges::count(result.tries, host_busy_reason, [](const auto& one) { return one.reason; }));
}

PlannedCheck with_more_time(PlannedCheck planned, const CheckResult& before) {
  for (auto tries = count_busy(before); tries > 0; --tries) planned.spec.deadline *= 2;
  return planned;
}

}  // namespace

std::vector<CheckResult> Asking::try_all(std::vector<PlannedCheck> planned) {
  if (memories_ != nullptr) {
    for (auto& one : planned) {
      if (const auto found = memories_->find(one.spec.id); found != memories_->end()) one.target.memory = found->second;
    }
  }
  const auto before = waited_ ? waited_() : std::nullopt;
  auto results = run_checks(runner_, workers_, planned, stop_);
  const auto after = before ? waited_() : std::nullopt;
  const auto waited = after ? *after - *before : Milliseconds(0);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    auto& result = results[i];
    if (memories_ != nullptr && !result.memory.is_null()) (*memories_)[result.id] = result.memory;
    result.starved = waited > Milliseconds(0) && was_starved(result, waited);
    if (result.outcome != Outcome::fail || !result.starved ||
        result.duration < std::min(planned[i].spec.deadline / 2, servers_patience))
      continue;
    result.outcome = Outcome::error;
    result.reason = host_busy_reason;
    result.error = infrastructure_error(
        fmt::format("the host was too busy for '{}' to mean anything: in {} ms its guest waited {} ms for a processor "
                    "({})",
                    result.id, result.duration.count(), waited.count(), result.observed),
        "run fewer things beside the lab, or fewer departments at a time");
  }
  return results;
}

CheckResult Asking::try_again(const PlannedCheck& planned, const CheckResult& before) {
  return std::move(try_all({with_more_time(planned, before)}).front());
}

bool Asking::is_to_be_asked_again(const CheckResult& result) {
  if (stop_.stop_requested()) return false;
  switch (result.outcome) {
    case Outcome::error:
      if (is_final(result.error) || count_tries(result, Outcome::error) >= most_errors) return false;
      if (result.reason == host_busy_reason) return true;
      if (errors_left_ == 0) return false;
      --errors_left_;
      return true;
    case Outcome::fail: break;
    case Outcome::pass:
    case Outcome::skipped:
    case Outcome::not_reached: return false;
  }
  switch (chances_(result.id)) {
    case SecondChance::always: return failures_in_a_row(result) < 2;
    case SecondChance::once: return count_tries(result, Outcome::fail) < 2;
    case SecondChance::used: return false;
  }
  return false;
}

std::vector<CheckResult> Asking::ask(const std::vector<PlannedCheck>& planned) {
  auto results = try_all(planned);
  for (;;) {
    std::vector<std::size_t> chosen;
    std::vector<PlannedCheck> again;
    for (std::size_t i = 0; i < planned.size(); ++i) {
      if (!is_to_be_asked_again(results[i])) continue;
      chosen.push_back(i);
      again.push_back(with_more_time(planned[i], results[i]));
    }
    if (chosen.empty()) return results;
    auto answers = try_all(again);
    for (std::size_t i = 0; i < chosen.size(); ++i) replace(results[chosen[i]], std::move(answers[i]));
  }
}

void Asking::ask_once_more(const PlannedCheck& planned, CheckResult& result) {
  auto again = try_again(planned, result);
  if (again.outcome == Outcome::pass) {
    if (result.tries.empty()) result.tries.push_back(try_of(result));
    result.tries.push_back(try_of(again));
    return;
  }
  replace(result, std::move(again));
  while (is_to_be_asked_again(result)) replace(result, try_again(planned, result));
}

}  // namespace patchlab::checks
