// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/record_guest.hpp"

#include <gmock/gmock.h>

#include "lab/guest/recording/understanding.hpp"
#include "runners/cell/cell.hpp"
#include "tests/support/fake_hypervisor.hpp"
#include "tests/support/fake_windows.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {
using ::testing::Contains;
using ::testing::HasSubstr;
namespace windows = lab::guest::windows;

// A clone in a cell that is to be recorded.
class RecordedInACell : public ::testing::Test {
 protected:
  RecordedInACell() {
    cell::MachineJob machine;
    machine.plan.name = "windows";
    machine.system = {GuestFamily::windows, "10.0", "amd64", {}};
    job_.machines = {machine};
    job_.policy.boot_timeout = std::chrono::seconds(600);
    job_.evidence = evidence_.path();
    lab::MachineSpec spec;
    spec.name = "windows";
    (void)hypervisor_.define(spec);
    hypervisor_.on_agent([this](auto&, const auto& command) { return windows_.answer(command); });
  }

  Result<cell::GuestReplies> record() {
    cell::Cell cell(
        context_, [this](const std::string& phase) { probed_.push_back(phase); },
        [this](const std::string&, const std::string&, cell::CellMachine&, const std::string&) {
          probed_.emplace_back("inside");
        });
    return cell.record();
  }

  test::TemporaryFolder slots_;
  test::TemporaryFolder evidence_;
  test::FakeClock clock_;
  test::FakeHypervisor hypervisor_;
  test::FakeWindows windows_{clock_};
  cell::CellJob job_;
  cell::CellContext context_{
      hypervisor_, host_processes(), clock_, job_, cell::Slots(slots_.path(), 2, clock_), [](const Json&) {}, {}, "br"};
  std::vector<std::string> probed_;
};

TEST_F(RecordedInACell, IsAskedBehindAFenceAndThenEnded) {
  const auto replies = record();
  ASSERT_TRUE(replies) << replies.error().message;
  EXPECT_EQ(probed_, std::vector<std::string>{"before"}) << "nothing is sent from inside of it";
  EXPECT_FALSE(replies->only_names.empty());
  for (const auto command : windows_.carried_out) {
    EXPECT_NE(windows::commands()[static_cast<std::size_t>(command)].effect, windows::Effect::acts)
        << windows::commands()[static_cast<std::size_t>(command)].line;
  }
  EXPECT_EQ(hypervisor_.state("windows").value(), lab::MachineState::off);
  // As it crosses to the run.
  const auto again = cell::guest_replies_from_json(Json(*replies));
  EXPECT_EQ(again.replies, replies->replies);
  EXPECT_EQ(again.only_names, replies->only_names);
  const auto understood =
      lab::guest::recording::understanding_of({"patchlab 0", "2026-11-30T01:00:00Z", {}, again.replies, {}, {}});
  EXPECT_TRUE(understood.is_whole());
}

TEST_F(RecordedInACell, IsNoMachineOfAnotherKind) {
  windows_.os_id = "debian";
  const auto before = clock_.now();
  const auto replies = record();
  ASSERT_FALSE(replies);
  EXPECT_EQ(replies.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(replies.error().message, HasSubstr("this is no Windows machine"));
  EXPECT_THAT(replies.error().hint, HasSubstr("only Windows machines are recorded"));
  EXPECT_LT(clock_.now() - before, std::chrono::seconds(60)) << "it is not waited for what Debian never says";
  EXPECT_EQ(hypervisor_.state("windows").value(), lab::MachineState::off);
  EXPECT_TRUE(std::filesystem::is_empty(evidence_.path()));
}

TEST_F(RecordedInACell, IsRecordedAgainWhenItRestartedMeanwhile) {
  windows_.replies[windows::Command::tasks] = "x";
  windows_.hanging.insert(windows::Command::quick_fixes);  // five minutes, in which it goes down and comes back
  std::size_t asked = 0;
  hypervisor_.on_agent([this, &asked](auto&, const auto& command) {
    if (++asked == 200) windows_.restart();
    return windows_.answer(command);
  });
  windows_.boot_takes = Milliseconds(100);
  const auto replies = record();
  ASSERT_FALSE(replies);
  EXPECT_THAT(replies.error().message, HasSubstr("restarted while it was asked"));
  // Why, its owner can look for: it stays where the error says, on the host of who asked.
  EXPECT_FALSE(std::filesystem::is_empty(evidence_.path() / "record/windows"));
}

TEST(RecordingScenario, IsOfOneMachineThatNothingIsTestedOn) {
  RecordGuestOptions options;
  options.domain.uri = "qemu+ssh://root@hv1/system";
  options.domain.domain = "srv2019";
  const auto usual = scenario_of(options);
  ASSERT_TRUE(usual) << usual.error().message;
  ASSERT_EQ(usual->departments.size(), 1U);
  const auto& machine = usual->departments[0].machines.at(0);
  EXPECT_EQ(machine.golden.domain->domain, "srv2019");
  EXPECT_EQ(machine.golden.domain->uri, "qemu+ssh://root@hv1/system");
  EXPECT_EQ(machine.golden.domain->system.family, GuestFamily::windows);
  EXPECT_TRUE(machine.checks.empty());
  EXPECT_TRUE(usual->candidates.empty());

  options.address = "10.20.0.250/24";
  const auto named = scenario_of(options);
  ASSERT_TRUE(named) << named.error().message;
  const auto& network = named->departments[0].network;
  EXPECT_EQ(network.subnet, "10.20.0.0/24");
  EXPECT_EQ(network.client, "10.20.0.249") << "not the machine's own";
  EXPECT_EQ(network.gateway, "10.20.0.2");
  for (const auto* wrong : {"10.20.0.10", "10.20.0.10/16", "10.20.0/24", "srv/24", "/24"}) {
    options.address = wrong;
    EXPECT_FALSE(scenario_of(options)) << wrong;
  }
}
}  // namespace
}  // namespace patchlab::runners
