// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/reboot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;

// A guest whose life after a shutdown command is a timetable: silent until `up`, then booted with its marker after
// `complete`.
class RebootTest : public testing::Test {
 protected:
  struct Life {
    Milliseconds up{5s};
    Milliseconds complete{9s};
    Milliseconds again = 24h;  // a second restart by itself
  };

  RebootTest() {
    MachineSpec spec;
    spec.name = "dns";
    (void)hypervisor.define(spec);
    (void)hypervisor.start("dns");
    guest.files["/usr/lib/patchlab/boot-complete"] = "";
    set_boot(1);
    guest.programs = [this](const auto& program, const auto& arguments, const auto&) {
      if (program == "/sbin/shutdown") shut_down = clock.now();
      if (program == "/sbin/shutdown" && arguments.front() == "-h") powers_off = true;
      return test::FakeAgent::Process{};
    };
    hypervisor.on_agent([this](auto&, const auto& command) {
      clock.advance(1ms);
      return answer(command);
    });
  }

  void set_boot(int number) {
    guest.files["/proc/sys/kernel/random/boot_id"] = fmt::format("00000000-0000-0000-0000-{:012}\n", number);
    guest.files["/run/patchlab-boot-complete"] = "";
  }

  Result<std::string> answer(const std::string& command) {
    if (!shut_down) return guest.answer(command);
    const auto since = clock.now() - *shut_down;
    if (since < 1s && !powers_off) return guest.answer(command);  // shutting down: still the old system
    if (since < life.up) return infrastructure_error("the agent is not connected");
    set_boot(since >= life.again ? 3 : 2);
    if (since < life.complete) guest.files.erase("/run/patchlab-boot-complete");
    return guest.answer(command);
  }

  Result<RebootProof> reboot(Milliseconds deadline, std::stop_token stop = {}) {
    return reboot_and_prove(*adapter, agent, clock, deadline, stop);
  }

  test::FakeClock clock;
  test::FakeHypervisor hypervisor;
  test::FakeAgent guest;
  std::optional<Milliseconds> shut_down;
  bool powers_off = false;
  Life life;
  GuestAgent agent{hypervisor, "dns", clock};
  std::unique_ptr<GuestAdapter> adapter = debian_adapter(agent, clock);
};

TEST_F(RebootTest, IsProvenByANewBootIdAndTheEndOfTheStart) {
  const auto proof = reboot(60s);
  ASSERT_TRUE(proof) << proof.error().message;
  EXPECT_EQ(proof->boot_id_before, "00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(proof->boot_id_after, "00000000-0000-0000-0000-000000000002");
  EXPECT_GE(proof->duration, 9s);
  EXPECT_LT(proof->duration, 10s);
}

TEST_F(RebootTest, AGuestThatNeverComesBackIsAGuestError) {
  life.up = 24h;
  const auto proof = reboot(30s);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().error_class, ErrorClass::guest);
  EXPECT_EQ(proof.error().message,
            "restarting 'dns': the start of 'dns' did not happen within 30.0 s (last seen: the agent did not answer)");
}

TEST_F(RebootTest, AGuestThatNeverGoesDownIsToldApart) {
  guest.programs = [](const auto&, const auto&, const auto&) { return test::FakeAgent::Process{}; };
  const auto proof = reboot(30s);
  ASSERT_FALSE(proof);
  EXPECT_THAT(proof.error().message, testing::HasSubstr("(last seen: it was still running as before)"));
}

TEST_F(RebootTest, AStartThatNeverEndsIsToldApart) {
  life.complete = 24h;
  const auto proof = reboot(30s);
  ASSERT_FALSE(proof);
  EXPECT_THAT(proof.error().message, testing::HasSubstr("(last seen: it was running, its start-up was not over)"));
}

TEST_F(RebootTest, ARestartLoopIsNotAProof) {
  life.complete = 24h;
  life.again = 8s;
  const auto proof = reboot(60s);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().error_class, ErrorClass::guest);
  EXPECT_EQ(proof.error().message,
            "restarting 'dns': 'dns' restarted once more by itself while it was expected to come up");
}

TEST_F(RebootTest, CanBeCancelled) {
  life.up = 24h;
  std::stop_source source;
  source.request_stop();
  const auto proof = reboot(600s, source.get_token());
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().error_class, ErrorClass::cancelled);
  EXPECT_LT(clock.now(), 5s);
}

TEST_F(RebootTest, AFirstStartNeedsNoEarlierBootId) {
  EXPECT_EQ(await_boot(*adapter, agent, clock, "", 10s).value_or(""), "00000000-0000-0000-0000-000000000001");
}

class ColdRestartTest : public RebootTest {
 protected:
  // The hypervisor sees the machine off some time after the guest shut down.
  void goes_off_after(Milliseconds delay) {
    hypervisor.on_agent([this, delay](auto& machine, const auto& command) -> Result<std::string> {
      clock.advance(1ms);
      auto reply = answer(command);
      if (powers_off && shut_down && clock.now() - *shut_down >= delay && machine.guest["off"].empty()) {
        machine.state = MachineState::off;
        machine.guest["off"] = "yes";
      }
      return reply;
    });
  }
};

TEST_F(ColdRestartTest, PowersOffCleanlyAndStartsAgain) {
  goes_off_after(0ms);
  const auto proof = cold_restart_and_prove(*adapter, agent, hypervisor, clock, 60s);
  ASSERT_TRUE(proof) << proof.error().message;
  EXPECT_NE(proof->boot_id_before, proof->boot_id_after);
  const auto calls = hypervisor.calls();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "start dns"), 2);
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "power_off dns"), 0);
}

TEST_F(ColdRestartTest, AGuestThatDoesNotPowerOffIsAGuestError) {
  const auto proof = cold_restart_and_prove(*adapter, agent, hypervisor, clock, 20s);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().error_class, ErrorClass::guest);
  EXPECT_EQ(proof.error().message, "restarting 'dns' cold: the clean power-off of 'dns' did not happen within 20.0 s");
}

TEST_F(ColdRestartTest, ReportsAMachineThatCannotBeStarted) {
  goes_off_after(0ms);
  hypervisor.fail("start", 1, infrastructure_error("no memory"));
  const auto proof = cold_restart_and_prove(*adapter, agent, hypervisor, clock, 60s);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().message, "restarting 'dns' cold: no memory");
}

}  // namespace
}  // namespace patchlab::lab::guest
