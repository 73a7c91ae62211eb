// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/asking.hpp"

#include <algorithm>

namespace patchlab::checks {
namespace {

constexpr std::size_t most_errors = 3;  // of one check in one phase

CheckTry try_of(const CheckResult& result) {
  CheckTry one{result.outcome, result.duration, {}, {}, {}};
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

}  // namespace

bool Asking::is_to_be_asked_again(const CheckResult& result) {
  if (stop_.stop_requested()) return false;
  switch (result.outcome) {
    case Outcome::error:
      if (is_final(result.error) || count_tries(result, Outcome::error) >= most_errors || errors_left_ == 0)
        return false;
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
  auto results = run_checks(runner_, workers_, planned, stop_);
  for (;;) {
    std::vector<std::size_t> chosen;
    std::vector<PlannedCheck> again;
    for (std::size_t i = 0; i < planned.size(); ++i) {
      if (!is_to_be_asked_again(results[i])) continue;
      chosen.push_back(i);
      again.push_back(planned[i]);
    }
    if (chosen.empty()) return results;
    auto answers = run_checks(runner_, workers_, again, stop_);
    for (std::size_t i = 0; i < chosen.size(); ++i) replace(results[chosen[i]], std::move(answers[i]));
  }
}

void Asking::ask_once_more(const PlannedCheck& planned, CheckResult& result) {
  auto again = run_check(runner_, workers_, planned, stop_);
  if (again.outcome == Outcome::pass) {
    if (result.tries.empty()) result.tries.push_back(try_of(result));
    result.tries.push_back(try_of(again));
    return;
  }
  replace(result, std::move(again));
  while (is_to_be_asked_again(result)) replace(result, run_check(runner_, workers_, planned, stop_));
}

}  // namespace patchlab::checks
