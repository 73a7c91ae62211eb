// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "checks/check.hpp"

namespace patchlab::checks::database::testing {

inline const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

struct Seen {
  Json observation;
  Judgement judgement;
};

// What a check sees of a server on loopback, and says of it. `password`: must stand nowhere in what goes on record.
inline Seen look_at(const Check& check, const Json& parameters, const std::string& password, Milliseconds limit) {
  const auto observation = check.observe(loopback, parameters, limit);
  const auto recorded = observation ? observation->dump() : observation.error().message;
  EXPECT_EQ(recorded.find(password), std::string::npos) << recorded;
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  return {*observation, check.judge(parameters, *observation)};
}

}  // namespace patchlab::checks::database::testing
