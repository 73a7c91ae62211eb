// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_hypervisor.hpp"

#include <gmock/gmock.h>

namespace patchlab::test {
namespace {
using ::testing::ElementsAre;

FakeHypervisor& with_running(FakeHypervisor& fake, const std::string& name) {
  lab::MachineSpec spec;
  spec.name = name;
  EXPECT_TRUE(fake.define(spec));
  EXPECT_TRUE(fake.start(name));
  return fake;
}

TEST(FakeHypervisor, RecordsItsCalls) {
  FakeHypervisor fake;
  with_running(fake, "dns");
  EXPECT_TRUE(fake.take_snapshot("dns", "base"));
  EXPECT_THAT(fake.calls(), ElementsAre("define dns", "start dns", "take_snapshot dns base"));
}

TEST(FakeHypervisor, FailsTheThirdRevertOnly) {
  FakeHypervisor fake;
  with_running(fake, "dns");
  ASSERT_TRUE(fake.take_snapshot("dns", "base"));
  fake.fail("revert", 3, infrastructure_error("disk full"));
  EXPECT_TRUE(fake.revert("dns", "base"));
  EXPECT_TRUE(fake.revert("dns", "base"));
  EXPECT_EQ(fake.revert("dns", "base").error().message, "disk full");
  EXPECT_TRUE(fake.revert("dns", "base"));
}

TEST(FakeHypervisor, ARevertBringsBackWhatWasInsideTheMachine) {
  FakeHypervisor fake;
  with_running(fake, "dns");
  fake.alter("dns", [](auto& machine) { machine.guest["version"] = "1"; });
  ASSERT_TRUE(fake.take_snapshot("dns", "base"));
  fake.alter("dns", [](auto& machine) { machine.guest["version"] = "2"; });
  ASSERT_TRUE(fake.change_medium("dns", "/patches.iso"));
  ASSERT_TRUE(fake.revert("dns", "base"));
  EXPECT_EQ(fake.machine("dns").guest.at("version"), "1");
  EXPECT_EQ(fake.machine("dns").medium, "");
}

TEST(FakeHypervisor, AnAgentHandlerAnswersWhileTheMachineRuns) {
  FakeHypervisor fake;
  with_running(fake, "dns");
  fake.on_agent([](auto& machine, const std::string& command) -> Result<std::string> {
    machine.guest["asked"] = command;
    return std::string(R"({"return":{}})");
  });
  EXPECT_EQ(*fake.agent_command("dns", "ping", std::chrono::seconds(1)), R"({"return":{}})");
  EXPECT_EQ(fake.machine("dns").guest.at("asked"), "ping");
  ASSERT_TRUE(fake.pause("dns"));
  EXPECT_FALSE(fake.agent_command("dns", "ping", std::chrono::seconds(1)));
}

}  // namespace
}  // namespace patchlab::test
