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

// Once more; whether it passed. A try that did not is the result from now on.
bool passes_again(ProcessRunner& runner, const CheckWorkers& workers, const PlannedCheck& planned, CheckResult& result,
                  Milliseconds& quickest, const std::stop_token& stop) {
  auto again = run_check(runner, workers, planned, stop);
  quickest = std::min(quickest, again.duration);
  if (again.outcome == Outcome::pass) return true;
  result = std::move(again);
  return false;
}

}  // namespace

std::map<std::string, Milliseconds> quickest_tries(ProcessRunner& runner, const CheckWorkers& workers,
                                                   const std::vector<PlannedCheck>& planned,
                                                   std::vector<CheckResult>& results, std::stop_token stop) {
  std::map<std::string, Milliseconds> quickest;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (!is_timed(planned[i], results[i])) continue;
    auto& best = quickest[planned[i].spec.id] = Milliseconds::max();
    for (std::size_t tries = 0; tries < least_tries; ++tries) {
      if (!passes_again(runner, workers, planned[i], results[i], best, stop)) break;
    }
  }
  return quickest;
}

void fail_what_is_slower(ProcessRunner& runner, const CheckWorkers& workers, const std::vector<PlannedCheck>& planned,
                         const std::map<std::string, Milliseconds>& usual, std::vector<CheckResult>& results,
                         Clock& clock, std::stop_token stop) {
  const auto deadline = clock.now() + patience;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const auto before = usual.find(results[i].id);
    if (!is_timed(planned[i], results[i]) || before == usual.end()) continue;
    const auto limit = before->second + *planned[i].spec.slower;
    auto quickest = results[i].duration;
    std::size_t tries = 1;
    while (quickest > limit && (tries < least_tries || clock.now() < deadline)) {
      clock.pause(interval);
      ++tries;
      if (!passes_again(runner, workers, planned[i], results[i], quickest, stop)) break;
    }
    if (results[i].outcome != Outcome::pass || quickest <= limit) continue;
    results[i].outcome = Outcome::fail;
    results[i].reason = "slower";
    results[i].expected = fmt::format("within {} ms: {} ms before the patch, and {} ms more", limit.count(),
                                      before->second.count(), planned[i].spec.slower->count());
    results[i].observed = fmt::format("{} ms in the quickest of {} tries", quickest.count(), tries);
  }
}

}  // namespace patchlab::checks
