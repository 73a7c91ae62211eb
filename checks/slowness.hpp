// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "checks/run.hpp"
#include "lab/core/time.hpp"

// Whether checks that say how much slower they may become (CheckSpec::slower) have become so. Durations are noisy, but
// only upwards: a busy host makes a try longer, and nothing makes it shorter. So the quickest of several tries, one at
// a time, stands for a check.
namespace patchlab::checks {

// By id: the quickest of five further tries of each such check that has passed. A try that does not pass any more takes
// the place of the check's result.
[[nodiscard]] std::map<std::string, Milliseconds> quickest_tries(ProcessRunner& runner, const CheckWorkers& workers,
                                                                 const std::vector<PlannedCheck>& planned,
                                                                 std::vector<CheckResult>& results,
                                                                 std::stop_token stop = {});

// Makes a failure of each result that passed, but took longer than `usual` and the tolerance: reason "slower". It is
// tried again first, until one try is quick enough, at least five times and for 30 s, which all checks share. A try
// that does not pass any more takes the place of the check's result.
void fail_what_is_slower(ProcessRunner& runner, const CheckWorkers& workers, const std::vector<PlannedCheck>& planned,
                         const std::map<std::string, Milliseconds>& usual, std::vector<CheckResult>& results,
                         Clock& clock, std::stop_token stop = {});

}  // namespace patchlab::checks
