// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/slots.hpp"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners::cell {
namespace {

TEST(ProcessorSlots, AreAsManyAsThereAre) {
  const test::TemporaryFolder folder;
  test::FakeClock clock;
  const Slots slots(folder.path(), 2, clock);
  auto one = slots.acquire({});
  const auto other = slots.acquire({});
  ASSERT_TRUE(one && other);
  std::stop_source stop;
  stop.request_stop();
  const auto none = slots.acquire(stop.get_token());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error_class, ErrorClass::cancelled);
  one = infrastructure_error("given back");
  EXPECT_TRUE(slots.acquire({}));
}

// One that cannot be locked takes nothing from the others.
TEST(ProcessorSlots, AreWaitedForBesideABrokenOne) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / slot_name(0));
  test::FakeClock clock;
  const Slots slots(folder.path(), 2, clock);
  const auto one = slots.acquire({});
  ASSERT_TRUE(one) << one.error().message;
  std::stop_source stop;
  stop.request_stop();
  const auto none = slots.acquire(stop.get_token());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error_class, ErrorClass::cancelled) << none.error().message;
}

// Nobody would ever give back what nobody can have.
TEST(ProcessorSlots, ThatCannotBeLockedAreNotWaitedFor) {
  const test::TemporaryFolder folder;
  test::FakeClock clock;
  const auto begin = clock.now();
  const auto slot = Slots(folder.path() / "nowhere", 2, clock).acquire({});
  ASSERT_FALSE(slot);
  EXPECT_THAT(slot.error().message, ::testing::HasSubstr("slot-1"));
  EXPECT_EQ(clock.now(), begin);
}

}  // namespace
}  // namespace patchlab::runners::cell
