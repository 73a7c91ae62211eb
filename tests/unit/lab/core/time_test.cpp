// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/time.hpp"

#include <gmock/gmock.h>

namespace patchlab {
namespace {
using namespace std::chrono;

TEST(Rfc3339, IsReadAsTheMomentThatItSays) {
  const auto day = sys_days(year{2026} / 11 / 22);
  EXPECT_EQ(parse_rfc3339("2026-11-22T06:02:50Z"), day + hours(6) + minutes(2) + seconds(50));
  EXPECT_EQ(parse_rfc3339("2026-11-22T06:02:50.123Z"), day + hours(6) + minutes(2) + milliseconds(50123));
  EXPECT_EQ(parse_rfc3339("2026-11-22T06:02:50.000000001Z"),
            day + hours(6) + minutes(2) + seconds(50) + nanoseconds(1));
  EXPECT_EQ(parse_rfc3339("2028-02-29T23:59:59Z"), sys_days(year{2028} / 3 / 1) - seconds(1));
  const system_clock::time_point when = day + milliseconds(4711);
  EXPECT_EQ(parse_rfc3339(rfc3339(when)), when);
}

TEST(Rfc3339, IsNothingElse) {
  for (const auto* text : {"",
                           "Z",
                           "2026-11-22",
                           "2026-11-22T06:02:50",
                           "2026-11-22T06:02:50+00:00",
                           "2026-11-22T06:02:50-01:00",
                           "2026-11-22T06:02:50z",
                           "2026-11-22t06:02:50Z",
                           "2026-11-22 06:02:50Z",
                           "2026-11-22T06:02Z",
                           "2026-11-31T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2026-00-10T00:00:00Z",
                           "2026-13-10T00:00:00Z",
                           "2026-11-00T00:00:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T06:60:00Z",
                           "2026-11-22T06:02:60Z",
                           "2026-11-22T06:02:50.Z",
                           "2026-11-22T06:02:50.1x3Z",
                           "2026-11-22T06:02:50.1234567890Z",
                           "2026-11-22T06:02:50,5Z",
                           " 2026-11-22T06:02:50Z",
                           "2026-11-22T06:02:50Z ",
                           "2026-11-22T06:02:50ZZ",
                           "+026-11-22T06:02:50Z",
                           "20261122T060250Z",
                           "2026-11-22T-6:02:50Z",
                           "1795327370Z",
                           "1969-12-31T23:59:59Z",
                           "2200-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z",
                           "never",
                           "2026-11-22T06:02:50 Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace patchlab
