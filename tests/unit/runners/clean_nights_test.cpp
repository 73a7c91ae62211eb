// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/clean_nights.hpp"

#include <gmock/gmock.h>

#include "reports/record/remarks.hpp"

// tests/bench/nights_bench tells the shares of spoiled nights with more nights.
namespace patchlab::runners {
namespace {

TEST(CleanNights, AreGoodWithoutAFlake) {
  const auto nights = test::clean_nights(2, 60, 0);
  EXPECT_EQ(nights.with_a_flake, 0);
  EXPECT_EQ(nights.spoiled, 0);
}

// One failing execution in a thousand: a third of the nights would be lost if each of them counted.
TEST(CleanNights, AreNotLostToOneFlakeInAThousandExecutions) {
  const auto nights = test::clean_nights(40, 60, 0.001);
  EXPECT_GE(nights.with_a_flake, 5);
  EXPECT_EQ(nights.spoiled, 0);
}

TEST(CleanNights, EveryFailedExecutionIsOnRecord) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    test::CleanNight night(60, 0.01, seed);
    const auto record = night.run();
    std::size_t recorded = 0;
    for (const auto& trial : record.trials) {
      for (const auto& phase : trial.phases) {
        for (const auto& check : phase.checks) recorded += checks::count_tries(check, Outcome::fail);
        if (phase.growth) recorded += 2 * phase.growth->failed + phase.growth->flaky;  // asked as a load
      }
    }
    EXPECT_EQ(recorded, static_cast<std::size_t>(night.failures()));
    EXPECT_FALSE(reports::flaky_checks(record).empty());
  }
}

TEST(CleanNights, AreNotTakenForGoodWhenChecksReallyFail) { EXPECT_EQ(test::clean_nights(2, 60, 1).spoiled, 2); }

}  // namespace
}  // namespace patchlab::runners
