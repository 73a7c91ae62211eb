// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "checks/run.hpp"

// How the checks of one phase are asked. What does not pass is asked again, openly: all tries are in
// CheckResult::tries, and what is asked again can only be what is said here.
//
// - `error` (the lab's trouble) is asked again at most twice, as long as the phase's budget lasts.
// - A `fail` that took five seconds, or half of the check's deadline, while the guest waited for a processor of the
// host
//   is such an error, "host-busy": what a starved guest does not do in time says nothing about it. It is asked again
//   with twice the deadline, on no budget.
// - `fail` is asked once more. Two failures in a row are a failure, whatever troubles of the lab lie between them. When
//   it passes, the check is flaky, and has had its second chance: the next failure counts at once. A third try to get a
//   pass does not exist.
namespace patchlab::checks {

enum class SecondChance {
  always,  // no patch is under test, or the check was flaky without one: only two failures in a row count
  once,
  used,  // the check has failed before, in another phase: this failure is the second
};

// What checks of one machine left for themselves so far in a trial, by their id (Target::memory).
using Memories = std::map<std::string, Json>;

// CheckResult::reason of a try that the host's load decided.
inline constexpr const char* host_busy_reason = "host-busy";

class Asking {
 public:
  // For a check by its id.
  using SecondChances = std::function<SecondChance(const std::string& id)>;
  // How long so far the guest had something to do and waited for a processor of the host; nothing: not known.
  using WaitedForHost = std::function<std::optional<Milliseconds>()>;
  Asking(ProcessRunner& runner, const CheckWorkers& workers, SecondChances chances, WaitedForHost waited = {},
         std::stop_token stop = {}, Memories* memories = nullptr)
      : runner_(runner),
        workers_(workers),
        chances_(std::move(chances)),
        waited_(std::move(waited)),
        stop_(std::move(stop)),
        memories_(memories) {}

  // All of them, as many at a time as CheckWorkers says; results in the order planned.
  [[nodiscard]] std::vector<CheckResult> ask(const std::vector<PlannedCheck>& planned);
  // One more try of a check that passed, alone; one that does not pass is followed by what `ask` would do. Look at the
  // result's outcome afterwards.
  void ask_once_more(const PlannedCheck& planned, CheckResult& result);

 private:
  [[nodiscard]] bool is_to_be_asked_again(const CheckResult& result);
  [[nodiscard]] std::vector<CheckResult> try_all(std::vector<PlannedCheck> planned);
  [[nodiscard]] CheckResult try_again(const PlannedCheck& planned, const CheckResult& before);

  ProcessRunner& runner_;
  const CheckWorkers& workers_;
  SecondChances chances_;
  WaitedForHost waited_;
  std::stop_token stop_;
  Memories* memories_;           // each try is told what the one before it left; null: nobody remembers
  std::size_t errors_left_ = 6;  // further tries of checks that ended in error, of all checks of the phase together
};

}  // namespace patchlab::checks
