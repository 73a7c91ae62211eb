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

}  // namespace

std::map<std::string, Milliseconds> quickest_tries(ProcessRunner& runner, const CheckWorkers& workers,
                                                   const std::vector<PlannedCheck>& planned,
                                                   std::vector<CheckResult>& results, std::stop_token stop) {
  std::map<std::string, Milliseconds> quickest;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    for (std::size_t tries = 0; tries < least_tries && is_timed(planned[i], results[i]); ++tries) {
      auto again = run_check(runner, workers, planned[i], stop);
      auto& best = quickest.try_emplace(again.id, again.duration).first->second;
      best = std::min(best, again.duration);
      if (again.outcome != Outcome::pass) results[i] = std::move(again);
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
      auto again = run_check(runner, workers, planned[i], stop);
      ++tries;
      quickest = std::min(quickest, again.duration);
      if (again.outcome == Outcome::pass) continue;
      results[i] = std::move(again);
      break;
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
