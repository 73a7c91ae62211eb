// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/cell_checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::snapshots {
namespace {
using namespace std::chrono_literals;
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
    hypervisor.on_agent([this](auto&, const auto& command) { return guest.answer(command); });
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
  test::FakeClock clock;
  test::FakeHypervisor hypervisor;
  test::FakeAgent guest;
  const SnapshotName base = SnapshotName::baseline();
  CellCheckpoint checkpoint{hypervisor, clock, 2};
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

TEST_F(CellCheckpointTest, RevertsOnlyTheNamedMachinesAndSetsTheirClocks) {
  ASSERT_TRUE(checkpoint.take(machines, base));
  for (const auto& name : machines) hypervisor.alter(name, [](auto& machine) { machine.guest["patch"] = "applied"; });
  clock.advance(1h);
  ASSERT_TRUE(checkpoint.revert({"dns", "db"}, base, 10s));
  EXPECT_EQ(hypervisor.machine("dns").guest.count("patch"), 0U);
  EXPECT_EQ(hypervisor.machine("db").guest.count("patch"), 0U);
  EXPECT_EQ(hypervisor.machine("mail").guest.count("patch"), 1U);
  EXPECT_THAT(guest.calls, Contains(testing::StartsWith("run date -u -s @17953308")).Times(2));
}

TEST_F(CellCheckpointTest, WaitsUntilTheAgentAnswers) {
  ASSERT_TRUE(checkpoint.take({"dns"}, base));
  guest.trouble("guest-ping", infrastructure_error("not connected"), 5);
  ASSERT_TRUE(checkpoint.revert({"dns"}, base, 10s));
  EXPECT_THAT(guest.calls, Contains("guest-ping").Times(6));
}

TEST_F(CellCheckpointTest, SaysWhichMachineStayedSilent) {
  ASSERT_TRUE(checkpoint.take({"dns"}, base));
  guest.trouble("guest-ping", infrastructure_error("not connected"), 1000);
  const auto reverted = checkpoint.revert({"dns"}, base, 5s);
  ASSERT_FALSE(reverted);
  EXPECT_EQ(reverted.error().error_class, ErrorClass::timeout);
  EXPECT_EQ(reverted.error().message,
            "reverting 'dns' to 'baseline': an answer of the guest agent of 'dns' did not happen within 5.0 s");
}

TEST_F(CellCheckpointTest, RevertsTheOthersWhenOneFails) {
  ASSERT_TRUE(checkpoint.take({"dns", "db"}, base));
  const auto reverted = checkpoint.revert({"dns", "mail", "db"}, base, 5s);
  ASSERT_FALSE(reverted);
  EXPECT_THAT(reverted.error().message, testing::HasSubstr("reverting 'mail' to 'baseline'"));
  EXPECT_THAT(hypervisor.calls(), Contains("revert db baseline"));
}

TEST_F(CellCheckpointTest, StartsNoRevertAfterCancellation) {
  ASSERT_TRUE(checkpoint.take(machines, base));
  std::stop_source source;
  source.request_stop();
  const auto reverted = checkpoint.revert(machines, base, 5s, source.get_token());
  ASSERT_FALSE(reverted);
  EXPECT_EQ(reverted.error().error_class, ErrorClass::cancelled);
  EXPECT_THAT(hypervisor.calls(), Not(Contains(testing::StartsWith("revert"))));
}

TEST_F(CellCheckpointTest, DropsEverywhereInSpiteOfAnError) {
  ASSERT_TRUE(checkpoint.take(machines, base));
  hypervisor.fail("delete_snapshot", 1);
  EXPECT_FALSE(checkpoint.drop(machines, base));
  std::size_t left = 0;
  for (const auto& name : machines) left += hypervisor.machine(name).snapshots.size();
  EXPECT_EQ(left, 1U);
}

}  // namespace
}  // namespace patchlab::snapshots
