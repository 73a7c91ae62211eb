// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/expected_saving.hpp"

#include <gmock/gmock.h>

#include <random>

#include "tests/support/fake_clock.hpp"

namespace patchlab::snapshots {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::DoubleNear;

constexpr std::uint64_t gib = 1ULL << 30U;

const auto now = test::FakeClock().wall();

// Used a moment ago, and good for long.
StoredState state(std::optional<Milliseconds> made_in = seconds(100), std::uint64_t room = gib) {
  return {.key = "a",
          .purpose = {},
          .run = "r1",
          .made = now - hours(24),
          .most_age = hours(24 * 7),
          .made_in = made_in,
          .used = now,
          .uses = 0,
          .disks = {{"dns", room, {}, room}}};
}
double likelihood(const StoredState& one) { return expected_saving(one, now).likelihood; }
// Whether the first one is given up before the other, and not the other before it.
bool goes_first(const StoredState& a, const StoredState& b) {
  EXPECT_FALSE(goes_before(a, b, now) && goes_before(b, a, now));
  return goes_before(a, b, now);
}

TEST(ExpectedSaving, IsTimeTimesLikelihoodForEachGibibyte) {
  auto one = state(seconds(100), 2 * gib);
  EXPECT_THAT(expected_saving(one, now).seconds_per_gib(), DoubleNear(25, 0.01));
  EXPECT_EQ(expected_saving(one, now).words(), "100 s to make, 50 % likely to be used again, 2048 MiB: 25 s per GiB");
  one.disks[0].room = 0;
  EXPECT_GT(expected_saving(one, now).seconds_per_gib(), 1000) << "what takes no room is worth keeping";
}

TEST(ExpectedSaving, WhatTookLongerStaysLonger) {
  EXPECT_TRUE(goes_first(state(seconds(30)), state(seconds(31))));
  EXPECT_TRUE(goes_first(state(seconds(1)), state(seconds(2))));
}

TEST(ExpectedSaving, WhatTakesMoreRoomGoesFirst) {
  EXPECT_TRUE(goes_first(state(seconds(30), 2 * gib), state(seconds(30), gib)));
  EXPECT_TRUE(goes_first(state(seconds(30), gib), state(seconds(70), 2 * gib))) << "for each byte";
}

TEST(ExpectedSaving, WhatWasUsedMoreOftenIsMoreLikelyToBeUsedAgain) {
  auto never = state();
  auto once = state();
  once.uses = 1;
  auto often = state();
  often.uses = 98;
  EXPECT_THAT(likelihood(never), DoubleNear(1.0 / 2, 1e-9));
  EXPECT_THAT(likelihood(once), DoubleNear(2.0 / 3, 1e-9));
  EXPECT_THAT(likelihood(often), DoubleNear(0.99, 1e-9));
  EXPECT_TRUE(goes_first(never, once));
  EXPECT_TRUE(goes_first(once, often));
}

TEST(ExpectedSaving, HalvesWithEachDayThatNobodyAsks) {
  auto one = state();
  one.used = now - hours(24);
  EXPECT_THAT(likelihood(one), DoubleNear(1.0 / 4, 1e-9));
  one.used = now - hours(72);
  EXPECT_THAT(likelihood(one), DoubleNear(1.0 / 16, 1e-9));
  EXPECT_TRUE(goes_first(one, state()));
  one.used = now + hours(5);
  EXPECT_THAT(likelihood(one), DoubleNear(1.0 / 2, 1e-9)) << "a clock that was set back makes nothing likelier";
}

TEST(ExpectedSaving, WhatIsSoonTooOldIsHardlyUsedAgain) {
  auto one = state();
  one.most_age = hours(24 + 6);
  EXPECT_THAT(likelihood(one), DoubleNear(1.0 / 8, 1e-9)) << "a quarter of a day is left";
  one.most_age = hours(23);
  EXPECT_EQ(likelihood(one), 0);
}

TEST(ExpectedSaving, WhatNobodyRecordedSavesNothingThatIsKnown) {
  EXPECT_TRUE(goes_first(state(std::nullopt), state(seconds(1))));
  EXPECT_EQ(expected_saving(state(std::nullopt), now).words(), "how long it took to make is not recorded");
}

TEST(ExpectedSaving, OfTwoThatSaveTheSameTheOneUsedLongerAgoGoesFirst) {
  for (const auto made_in : {std::optional<Milliseconds>(seconds(9)), std::optional<Milliseconds>()}) {
    auto earlier = state(made_in);
    auto later = state(made_in);
    earlier.used = now - hours(24 * 9000);  // so long that nothing is left of both
    later.used = now - hours(24 * 8000);
    EXPECT_TRUE(goes_first(earlier, later));
    EXPECT_FALSE(goes_before(earlier, earlier, now));
  }
}

// std::sort may do anything with an order that is none.
TEST(ExpectedSaving, OrdersAnyStates) {
  std::mt19937 random(20261201);
  const auto any = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  std::vector<StoredState> all;
  for (int i = 0; i < 60; ++i) {
    auto one = state(any(3) == 0 ? std::nullopt : std::optional<Milliseconds>(seconds(any(4))),
                     static_cast<std::uint64_t>(any(3)) * gib);
    one.used = now - hours(any(3) * 24 * (any(1) == 0 ? 1 : 4000));
    one.most_age = hours(12 * any(6));
    one.uses = static_cast<std::uint64_t>(any(3));
    all.push_back(std::move(one));
  }
  const auto before = [](const StoredState& a, const StoredState& b) { return goes_before(a, b, now); };
  for (const auto& a : all) {
    for (const auto& b : all) {
      EXPECT_FALSE(before(a, b) && before(b, a));
      for (const auto& c : all) EXPECT_FALSE(before(a, b) && before(b, c) && !before(a, c));
    }
  }
}

}  // namespace
}  // namespace patchlab::snapshots
