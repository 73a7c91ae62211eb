// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/cell_checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::snapshots {
namespace {
using testing::Contains;
using testing::Not;

class CellCheckpointTest : public testing::Test {
 protected:
  CellCheckpointTest() {
    for (const auto& name : machines) {
      lab::MachineSpec spec;
      spec.name = name;
      (void)hypervisor.define(spec);
      (void)hypervisor.start(name);
    }
  }
  std::size_t position(const std::string& call) const {
    const auto calls = hypervisor.calls();
    return static_cast<std::size_t>(std::find(calls.begin(), calls.end(), call) - calls.begin());
  }
  bool all_run() const {
    return std::all_of(machines.begin(), machines.end(),
                       [&](const auto& name) { return hypervisor.machine(name).state == lab::MachineState::running; });
  }

  const std::vector<std::string> machines{"dns", "mail", "db"};
  test::FakeHypervisor hypervisor;
  const SnapshotName base = SnapshotName::baseline();
  CellCheckpoint checkpoint{hypervisor, 2};
};

TEST_F(CellCheckpointTest, SavesAllWhileAllAreStopped) {
  ASSERT_TRUE(checkpoint.take(machines, base));
  EXPECT_TRUE(all_run());
  for (const auto& saved : machines) {
    EXPECT_EQ(hypervisor.machine(saved).snapshots.count("baseline"), 1U);
    for (const auto& other : machines) {
      EXPECT_LT(position("pause " + other), position("take_snapshot " + saved + " baseline"));
      EXPECT_GT(position("resume " + other), position("take_snapshot " + saved + " baseline"));
    }
  }
}

TEST_F(CellCheckpointTest, LeavesNoHalfCheckpoint) {
  hypervisor.fail("take_snapshot", 2, infrastructure_error("disk full"));
  const auto taken = checkpoint.take(machines, base);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message,
              testing::MatchesRegex("checkpoint 'baseline': saving '(dns|mail|db)' as 'baseline': disk full"));
  EXPECT_TRUE(all_run());
  for (const auto& name : machines) EXPECT_EQ(hypervisor.machine(name).snapshots.size(), 0U) << name;
}

TEST_F(CellCheckpointTest, ResumesThoseThatWerePausedWhenAnotherCannotBe) {
  hypervisor.fail("pause", 3, infrastructure_error("no answer"));
  const auto taken = checkpoint.take(machines, base);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, testing::HasSubstr("no answer"));
  EXPECT_TRUE(all_run());
  const auto calls = hypervisor.calls();
  EXPECT_THAT(calls, Not(Contains(testing::StartsWith("take_snapshot"))));
}

TEST_F(CellCheckpointTest, AMachineThatDoesNotResumeSpoilsTheCheckpoint) {
  hypervisor.fail("resume", 1, infrastructure_error("stuck"));
  const auto taken = checkpoint.take(machines, base);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, testing::HasSubstr("stuck"));
  for (const auto& name : machines) EXPECT_EQ(hypervisor.machine(name).snapshots.size(), 0U) << name;
}

}  // namespace
}  // namespace patchlab::snapshots
