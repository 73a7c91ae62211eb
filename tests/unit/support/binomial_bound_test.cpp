// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/binomial_bound.hpp"

#include <gmock/gmock.h>

namespace patchlab::test {
namespace {
using testing::DoubleNear;

TEST(UpperBound, OfNoEventIsTheExactRuleOfThree) {
  for (const std::size_t tries : {1U, 10U, 50U, 1000U})
    EXPECT_THAT(upper_bound(0, tries), DoubleNear(1 - std::pow(0.05, 1.0 / static_cast<double>(tries)), 1e-9));
  EXPECT_THAT(upper_bound(0, 50), DoubleNear(0.0582, 0.00005));
  EXPECT_THAT(upper_bound(0, 1000), DoubleNear(3.0 / 1000, 0.00001));
}

// From tables of Clopper and Pearson (upper limits of the 90 % two-sided interval).
TEST(UpperBound, AgreesWithTheTables) {
  EXPECT_THAT(upper_bound(1, 10), DoubleNear(0.3942, 0.0001));
  EXPECT_THAT(upper_bound(2, 20), DoubleNear(0.2826, 0.0001));
  EXPECT_THAT(upper_bound(5, 10), DoubleNear(0.7776, 0.0001));
  EXPECT_THAT(upper_bound(1, 50), DoubleNear(0.0914, 0.0001));
}

TEST(UpperBound, IsTheProbabilityAtWhichSoFewAreSeenWithTheDoubt) {
  for (const std::size_t seen : {0U, 1U, 3U, 17U}) {
    EXPECT_THAT(at_most(seen, 40, upper_bound(seen, 40)), DoubleNear(0.05, 1e-9));
    EXPECT_THAT(at_most(seen, 40, upper_bound(seen, 40, 0.01)), DoubleNear(0.01, 1e-9));
  }
}

TEST(UpperBound, OfNothingTriedOrOnlyEventsIsOne) {
  EXPECT_EQ(upper_bound(0, 0), 1);
  EXPECT_EQ(upper_bound(7, 7), 1);
}

TEST(AtMost, AddsUp) {
  EXPECT_THAT(at_most(0, 3, 0.5), DoubleNear(0.125, 1e-12));
  EXPECT_THAT(at_most(1, 3, 0.5), DoubleNear(0.5, 1e-12));
  EXPECT_EQ(at_most(3, 3, 0.5), 1);
}

}  // namespace
}  // namespace patchlab::test
