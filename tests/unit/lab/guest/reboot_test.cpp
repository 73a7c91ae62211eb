// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/reboot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"
#include "tests/support/quiet_guest.hpp"

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

  // So many times the guest says that a restart is due.
  void wants_restarts(int times) {
    guest.programs = [usual = guest.programs, times](const auto& program, const auto& arguments,
                                                     const auto& script) mutable {
      if (script.find("reboot-required") == std::string::npos) return usual(program, arguments, script);
      return test::FakeAgent::Process{times-- > 0 ? 0 : 1, "", "", {}, 1, false};
    };
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

TEST_F(RebootTest, AGuestThatNeverAnswersAgainIsSilent) {
  life.up = 24h;
  const auto proof = reboot(30s);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().error_class, ErrorClass::silent);
  EXPECT_EQ(proof.error().message,
            "restarting 'dns': the start of 'dns' did not happen within 30.0 s (last seen: the agent did not answer)");
}

TEST_F(RebootTest, AGuestThatNeverGoesDownIsToldApart) {
  guest.programs = [](const auto&, const auto&, const auto&) { return test::FakeAgent::Process{}; };
  const auto proof = reboot(30s);
  ASSERT_FALSE(proof);
  EXPECT_THAT(proof.error().message, testing::HasSubstr("(last seen: it was still running as before)"));
  EXPECT_EQ(proof.error().error_class, ErrorClass::guest);
}

TEST_F(RebootTest, AStartThatNeverEndsIsToldApart) {
  life.complete = 24h;
  const auto proof = reboot(30s);
  ASSERT_FALSE(proof);
  EXPECT_THAT(proof.error().message, testing::HasSubstr("(last seen: it was running, its start-up was not over)"));
}

TEST_F(RebootTest, ARestartByItselfIsNoLoopWhereItIsExpected) {
  life.complete = 12s;
  life.again = 8s;
  const auto proof = reboot_and_prove(*adapter, agent, clock, 60s, {}, 1);
  ASSERT_TRUE(proof) << proof.error().message;
  EXPECT_EQ(proof->boot_id_after, "00000000-0000-0000-0000-000000000003");
}

// Says what it is told to, answer by answer; the last one stays.
class ScriptedAdapter final : public QuietGuest {
 public:
  std::deque<std::string> ids;
  std::deque<bool> complete;
  int looks = 0;

  Result<std::string> boot_id() override { return next(ids); }
  Result<bool> boot_complete() override {
    ++looks;
    return next(complete);
  }

 private:
  template <class Value>
  static Value next(std::deque<Value>& values) {
    const auto value = values.front();
    if (values.size() > 1) values.pop_front();
    return value;
  }
};

TEST_F(RebootTest, TheEndOfAStartCountsOnlyForThatStart) {
  ScriptedAdapter scripted;
  scripted.ids = {"2", "3"};
  scripted.complete = {true, false, true};
  const auto id = await_boot(scripted, agent, clock, "1", 60s, {}, 1);
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(*id, "3");
  EXPECT_EQ(scripted.looks, 3);
}

TEST_F(RebootTest, IsRepeatedUntilTheGuestWantsNoMore) {
  wants_restarts(1);
  const auto reboots = reboot_until_clear(*adapter, agent, clock, {.each = 60s});
  ASSERT_TRUE(reboots) << reboots.error().message;
  ASSERT_EQ(reboots->size(), 1U);
  EXPECT_EQ(reboots->front().boot_id_after, "00000000-0000-0000-0000-000000000002");
}

TEST_F(RebootTest, IsNotDoneForAGuestThatWantsNone) {
  wants_restarts(0);
  const auto reboots = reboot_until_clear(*adapter, agent, clock, {.each = 60s});
  ASSERT_TRUE(reboots);
  EXPECT_TRUE(reboots->empty());
  EXPECT_FALSE(shut_down);
}

TEST_F(RebootTest, IsNotRepeatedForEver) {
  wants_restarts(99);
  const auto reboots = reboot_until_clear(*adapter, agent, clock, {.most = 1, .each = 60s});
  ASSERT_FALSE(reboots);
  EXPECT_EQ(reboots.error().error_class, ErrorClass::guest);
  EXPECT_EQ(reboots.error().message, "'dns' still asks for a restart after 1");
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
