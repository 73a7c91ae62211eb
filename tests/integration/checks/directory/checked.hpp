// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "checks/registry/registry.hpp"
#include "checks/run.hpp"

namespace patchlab::checks::test {

// Libraries keep global state, and a name of a server is found in a worker only: every check runs in one, as in the
// product. `secret` must not go on record.
inline CheckResult checked(const std::string& kind, const Json& with, const std::string& address,
                           const std::string& secret, Milliseconds deadline = std::chrono::seconds(30)) {
  CheckWorkers workers;
  workers.program = REGISTRY_CHECK_WORKER;
  workers.find = find_check;
  auto result =
      run_check(host_processes(), workers, {CheckSpec{"c", kind, with, deadline}, Target{address, address, "lo"}});
  const auto recorded = result.reason + result.observed + result.expected + result.evidence.dump() +
                        (result.error ? result.error->message : "");
  EXPECT_EQ(recorded.find(secret), std::string::npos) << recorded;
  return result;
}

inline std::string told(const CheckResult& result) {
  return result.reason + ": " + result.observed + (result.error ? result.error->message : "") + "\n" +
         result.evidence.dump(1);
}

}  // namespace patchlab::checks::test
