// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "checks/worker.hpp"
#include "lab/process/process.hpp"

namespace patchlab::checks {

struct PlannedCheck {
  CheckSpec spec;
  Target target;
};

// How many checks are asked at a time: so many, and those that are let in beside them. May be used by several threads.
class Places {
 public:
  explicit Places(unsigned at_once = 4) : at_once_(at_once) {}
  // Lets in so many of those that wait, at most, beside those that are being asked: for when these only wait.
  void let_in(unsigned more);
  // Waits for a place. False: a stop was requested.
  [[nodiscard]] bool take(const std::stop_token& stop);
  void give_back();

 private:
  std::mutex mutex_;
  std::condition_variable_any free_;
  const unsigned at_once_;
  unsigned beside_ = 0;  // places that are gone with the first check that is over
  unsigned taken_ = 0;
  unsigned waiting_ = 0;
};

// How checks are executed. `program` is started as "<program> check-worker" in the caller's network namespace.
struct CheckWorkers {
  std::string program;                          // usually /proc/self/exe
  Milliseconds grace{std::chrono::seconds(5)};  // between a check's own deadline and the kill
  Places* places = nullptr;                     // of run_checks, whose user may let more in; nothing: four at a time
  FindCheck find;                               // must be there: usually checks/registry's find_check
  // Of machines that may need each other, which are asked by several threads: a check that wants to be alone has it for
  // itself, all others share it. Nothing: nobody else asks.
  std::shared_mutex* department = nullptr;
};

// One try: observes in a confined worker, judges here. Never throws; a worker that crashes, hangs or
// answers garbage is an `error` of class check that says what happened.
[[nodiscard]] CheckResult run_check(ProcessRunner& runner, const CheckWorkers& workers, const PlannedCheck& planned,
                                    std::stop_token stop = {});

// One try without an opinion: what was seen, whole, and how long it took; for who does not know yet what to expect. An
// Error is what `run_check` calls `error`.
struct Seen {
  Observation observation;
  Milliseconds took{};
};
[[nodiscard]] Result<Seen> observe_once(ProcessRunner& runner, const CheckWorkers& workers, const PlannedCheck& planned,
                                        std::stop_token stop = {});

// All of them, as many at a time as there are places, and those that want to be alone one by one after the others,
// while nobody else of the department is asked; results in the order planned. After a stop request the rest is
// not-reached.
[[nodiscard]] std::vector<CheckResult> run_checks(ProcessRunner& runner, const CheckWorkers& workers,
                                                  const std::vector<PlannedCheck>& planned, std::stop_token stop = {});

}  // namespace patchlab::checks
