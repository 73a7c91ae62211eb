// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What every Hypervisor does, over the fake that unit tests use and over libvirt's own test driver, so that the fake
// cannot drift away from the truth. The test driver has no guest agent and no media changes; those are tested on real
// machines in tests/integration/libvirt.
#include <gmock/gmock.h>

#include <functional>
#include <memory>

#include "lab/libvirt/hypervisor.hpp"
#include "lab/libvirt/session.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::lab {
namespace {

struct Maker {
  std::string name;
  std::function<std::unique_ptr<Hypervisor>()> make;
};
void PrintTo(const Maker& maker, std::ostream* out) { *out << maker.name; }

std::unique_ptr<Hypervisor> libvirt_test_driver() {
  auto opened = libvirt::LibvirtHypervisor::open("test:///default");
  EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
  return opened ? std::move(*opened) : nullptr;
}

// As a cell on a system libvirt, which has other users' domains too.
std::unique_ptr<Hypervisor> shared_libvirt_test_driver() {
  auto session = libvirt::Session::open("test:///default");
  EXPECT_TRUE(session) << (session ? "" : session.error().message);
  return session ? libvirt::LibvirtHypervisor::on(std::move(*session), "patchlab-run-cell-") : nullptr;
}

class HypervisorContract : public ::testing::TestWithParam<Maker> {
 protected:
  void SetUp() override {
    hypervisor_ = GetParam().make();
    ASSERT_NE(hypervisor_, nullptr);
    spec_.name = "web";
    spec_.uuid = "9f1c7f0e-6d3c-4a55-8a57-2f2f3d7c1a01";
    spec_.disk = "/nowhere/web.qcow2";
    spec_.nics = {{"52:54:00:14:00:0a", "tap-0"}};
  }
  // libvirt's test driver lives as long as its connections do, but machines must not leak from one test into the next.
  void TearDown() override {
    static_cast<void>(hypervisor_->power_off("web"));
    static_cast<void>(hypervisor_->undefine("web"));
  }
  void define_and_start() {
    ASSERT_TRUE(hypervisor_->define(spec_));
    ASSERT_TRUE(hypervisor_->start("web"));
  }
  MachineState state() {
    auto state = hypervisor_->state("web");
    EXPECT_TRUE(state);
    return state.value_or(MachineState::crashed);
  }

  std::unique_ptr<Hypervisor> hypervisor_;
  MachineSpec spec_;
};

TEST_P(HypervisorContract, AMachineGoesThroughItsLife) {
  EXPECT_EQ(state(), MachineState::undefined);
  ASSERT_TRUE(hypervisor_->define(spec_));
  EXPECT_EQ(state(), MachineState::off);
  ASSERT_TRUE(hypervisor_->start("web"));
  EXPECT_EQ(state(), MachineState::running);
  ASSERT_TRUE(hypervisor_->pause("web"));
  EXPECT_EQ(state(), MachineState::paused);
  ASSERT_TRUE(hypervisor_->resume("web"));
  EXPECT_EQ(state(), MachineState::running);
  ASSERT_TRUE(hypervisor_->power_off("web"));
  EXPECT_EQ(state(), MachineState::off);
  ASSERT_TRUE(hypervisor_->undefine("web"));
  EXPECT_EQ(state(), MachineState::undefined);
}

TEST_P(HypervisorContract, PoweringOffTwiceIsFine) {
  define_and_start();
  EXPECT_TRUE(hypervisor_->power_off("web"));
  EXPECT_TRUE(hypervisor_->power_off("web"));
}

TEST_P(HypervisorContract, StartingTwiceIsAnError) {
  define_and_start();
  const auto again = hypervisor_->start("web");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().error_class, ErrorClass::infrastructure);
  EXPECT_EQ(state(), MachineState::running);
}

TEST_P(HypervisorContract, AnUnknownMachineIsAnErrorThatNamesIt) {
  for (const auto& result : {hypervisor_->start("web"), hypervisor_->power_off("web"), hypervisor_->undefine("web"),
                             hypervisor_->take_snapshot("web", "base"), hypervisor_->adopt_snapshot("web", "base"),
                             hypervisor_->revert("web", "base")}) {
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, ::testing::HasSubstr("'web'"));
  }
}

TEST_P(HypervisorContract, ASnapshotLeavesTheRunStateAlone) {
  define_and_start();
  ASSERT_TRUE(hypervisor_->take_snapshot("web", "running"));
  EXPECT_EQ(state(), MachineState::running);
  ASSERT_TRUE(hypervisor_->pause("web"));
  ASSERT_TRUE(hypervisor_->take_snapshot("web", "paused"));
  EXPECT_EQ(state(), MachineState::paused);
}

TEST_P(HypervisorContract, ARevertedMachineRunsWhateverItDidBefore) {
  define_and_start();
  ASSERT_TRUE(hypervisor_->pause("web"));
  ASSERT_TRUE(hypervisor_->take_snapshot("web", "base"));
  ASSERT_TRUE(hypervisor_->revert("web", "base"));
  EXPECT_EQ(state(), MachineState::running);
  ASSERT_TRUE(hypervisor_->power_off("web"));
  ASSERT_TRUE(hypervisor_->revert("web", "base"));
  EXPECT_EQ(state(), MachineState::running);
  ASSERT_TRUE(hypervisor_->revert("web", "base"));
  EXPECT_EQ(state(), MachineState::running);
}

TEST_P(HypervisorContract, AMachineThatIsOffHasNoMemoryToSnapshot) {
  ASSERT_TRUE(hypervisor_->define(spec_));
  EXPECT_FALSE(hypervisor_->take_snapshot("web", "base"));
}

TEST_P(HypervisorContract, ADeletedSnapshotIsGone) {
  define_and_start();
  ASSERT_TRUE(hypervisor_->take_snapshot("web", "base"));
  ASSERT_TRUE(hypervisor_->delete_snapshot("web", "base"));
  EXPECT_FALSE(hypervisor_->delete_snapshot("web", "base"));
  EXPECT_FALSE(hypervisor_->revert("web", "base"));
  EXPECT_TRUE(hypervisor_->take_snapshot("web", "base"));
}

TEST_P(HypervisorContract, ASecondSnapshotOfTheSameNameIsAnError) {
  define_and_start();
  ASSERT_TRUE(hypervisor_->take_snapshot("web", "base"));
  EXPECT_FALSE(hypervisor_->take_snapshot("web", "base"));
}

TEST_P(HypervisorContract, ASnapshotThatTheDiskCameWithIsAdoptedAndRevertedTo) {
  ASSERT_TRUE(hypervisor_->define(spec_));
  if (auto* fake = dynamic_cast<test::FakeHypervisor*>(hypervisor_.get()))
    fake->alter("web", [](auto& machine) { machine.on_disk["base"] = {}; });
  EXPECT_FALSE(hypervisor_->revert("web", "base")) << "nobody has said that it is there";
  const auto adopted = hypervisor_->adopt_snapshot("web", "base");
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_EQ(state(), MachineState::off);
  const auto reverted = hypervisor_->revert("web", "base");
  ASSERT_TRUE(reverted) << reverted.error().message;
  EXPECT_EQ(state(), MachineState::running);
  EXPECT_TRUE(hypervisor_->delete_snapshot("web", "base"));
  EXPECT_TRUE(hypervisor_->take_snapshot("web", "base")) << "its name is free again";
}

TEST_P(HypervisorContract, AMachineThatRunsAdoptsNothing) {
  define_and_start();
  EXPECT_FALSE(hypervisor_->adopt_snapshot("web", "base"));
}

TEST_P(HypervisorContract, UndefiningForgetsTheSnapshotsToo) {
  define_and_start();
  ASSERT_TRUE(hypervisor_->take_snapshot("web", "base"));
  ASSERT_TRUE(hypervisor_->power_off("web"));
  ASSERT_TRUE(hypervisor_->undefine("web"));
  define_and_start();
  EXPECT_FALSE(hypervisor_->revert("web", "base"));
}

TEST_P(HypervisorContract, ARunningMachineHasNoAgentToAnswerByDefault) {
  define_and_start();
  EXPECT_FALSE(hypervisor_->agent_command("web", R"({"execute":"guest-ping"})", std::chrono::seconds(1)));
}

INSTANTIATE_TEST_SUITE_P(All, HypervisorContract,
                         ::testing::Values(Maker{"Fake", [] { return std::make_unique<test::FakeHypervisor>(); }},
                                           Maker{"LibvirtTestDriver", libvirt_test_driver},
                                           Maker{"SharedLibvirtTestDriver", shared_libvirt_test_driver}),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(LibvirtHypervisor, OnASharedConnectionSeesItsOwnMachinesOnly) {
  const auto hypervisor = shared_libvirt_test_driver();
  EXPECT_EQ(*libvirt_test_driver()->state("test"), MachineState::running);
  EXPECT_EQ(*hypervisor->state("test"), MachineState::undefined);
  EXPECT_FALSE(hypervisor->power_off("test"));
}

TEST(LibvirtHypervisor, SaysWhichConnectionCouldNotBeOpened) {
  const auto opened = libvirt::LibvirtHypervisor::open("nonsense:///x");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, ::testing::HasSubstr("opening libvirt connection 'nonsense:///x': libvirt: "));
}

TEST(LibvirtHypervisor, RefusesNamesThatAreNotPlain) {
  const auto hypervisor = libvirt_test_driver();
  MachineSpec spec;
  spec.name = "../web";
  EXPECT_EQ(hypervisor->define(spec).error().error_class, ErrorClass::configuration);
  EXPECT_EQ(hypervisor->take_snapshot("test", "a b").error().error_class, ErrorClass::configuration);
}

}  // namespace
}  // namespace patchlab::lab
