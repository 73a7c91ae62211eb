// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

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

// How checks are executed. `program` is started as "<program> check-worker" in the caller's network namespace.
struct CheckWorkers {
  std::string program;                          // usually /proc/self/exe
  Milliseconds grace{std::chrono::seconds(5)};  // between a check's own deadline and the kill
  unsigned parallel = 4;                        // workers at a time in run_checks
  FindCheck find;                               // must be there: usually checks/registry's find_check
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

// All of them, at most `parallel` at a time; results in the order planned. After a stop request the rest is
// not-reached.
[[nodiscard]] std::vector<CheckResult> run_checks(ProcessRunner& runner, const CheckWorkers& workers,
                                                  const std::vector<PlannedCheck>& planned, std::stop_token stop = {});

}  // namespace patchlab::checks
