// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/guest/adapter.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class DebianAdapterTest : public testing::Test {
 protected:
  DebianAdapterTest() {
    MachineSpec spec;
    spec.name = "dns";
    (void)hypervisor.define(spec);
    (void)hypervisor.start("dns");
    hypervisor.on_agent([this](auto&, const auto& command) { return guest.answer(command); });
  }
  void script_prints(const std::string& output, int exit_code = 0) {
    guest.programs = [=](const auto&, const auto& arguments, const auto&) {
      // Sections are marked by what the adapter passes.
      auto text = output;
      const auto mark = arguments.size() > 2 ? arguments[2] : "";
      for (auto at = text.find("MARK"); at != std::string::npos; at = text.find("MARK")) text.replace(at, 4, mark);
      return test::FakeAgent::Process{exit_code, text, exit_code == 0 ? "" : "it went wrong\n", {}, 1, false};
    };
  }

  test::FakeClock clock;
  test::FakeHypervisor hypervisor;
  test::FakeAgent guest;
  std::unique_ptr<GuestAdapter> adapter = debian_adapter(GuestAgent(hypervisor, "dns", clock), clock);
};

TEST_F(DebianAdapterTest, ReadsTheBootIdWithoutStartingAProcess) {
  guest.files["/proc/sys/kernel/random/boot_id"] = "81355116-3bd4-450d-8146-5cf4ba5f0909\n";
  EXPECT_EQ(adapter->boot_id().value_or(""), "81355116-3bd4-450d-8146-5cf4ba5f0909");
  EXPECT_THAT(guest.calls, testing::Not(Contains("guest-exec")));
}

TEST_F(DebianAdapterTest, RefusesABootIdThatIsNone) {
  guest.files["/proc/sys/kernel/random/boot_id"] = "\n";
  const auto id = adapter->boot_id();
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().message, "the boot id of 'dns' is not a UUID: ''");
}

TEST_F(DebianAdapterTest, AStandInHasStartedWhenItsMarkerIsThere) {
  guest.files["/usr/lib/patchlab/boot-complete"] = "#!/bin/sh";
  EXPECT_FALSE(adapter->boot_complete().value_or(true));
  guest.files["/run/patchlab-boot-complete"] = "9.1";
  EXPECT_TRUE(adapter->boot_complete().value_or(false));
  EXPECT_THAT(guest.calls, testing::Not(Contains("guest-exec")));
}

TEST_F(DebianAdapterTest, ASystemdGuestHasStartedWhenSystemdSaysSo) {
  guest.files["/proc/1/comm"] = "systemd\n";
  script_prints("starting\n", 1);
  EXPECT_FALSE(adapter->boot_complete().value_or(true));
  script_prints("degraded\n", 1);
  EXPECT_TRUE(adapter->boot_complete().value_or(false));
  script_prints("running\n");
  EXPECT_TRUE(adapter->boot_complete().value_or(false));
}

TEST_F(DebianAdapterTest, AnySysvinitGuestHasStartedWhenItsScriptsAreThrough) {
  guest.files["/proc/1/comm"] = "init\n";
  script_prints("", 1);
  EXPECT_FALSE(adapter->boot_complete().value_or(true));
  script_prints("", 0);
  EXPECT_TRUE(adapter->boot_complete().value_or(false));
}

TEST_F(DebianAdapterTest, ListsWhatIsInstalled) {
  script_prints("bind9:amd64\t1:9.18\tok\tinstalled\n");
  const auto installed = adapter->installed();
  ASSERT_TRUE(installed);
  EXPECT_THAT(*installed, ElementsAre(Pair("bind9:amd64", "1:9.18")));
}

TEST_F(DebianAdapterTest, SaysWhyTheListCouldNotBeRead) {
  script_prints("", 2);
  const auto installed = adapter->installed();
  ASSERT_FALSE(installed);
  EXPECT_EQ(installed.error().message, "listing what is installed in 'dns': exit code 2: it went wrong");
}

TEST_F(DebianAdapterTest, InstallsTheFilesInTheirOrderDetached) {
  std::string command;
  guest.jobs = [&](const auto& text) {
    command = text;
    return test::FakeAgent::Job{0, "Setting up b\nSetting up a\n", 1};
  };
  const auto outcome = adapter->apply({"b_1%3a2_amd64.deb", "a+x~1.deb"}, 60s, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(is_success(outcome->end));
  EXPECT_EQ(outcome->log, "Setting up b\nSetting up a\n");
  EXPECT_GT(outcome->duration, 0ms);
  EXPECT_THAT(command, HasSubstr("set -- 'a+x~1:amd64=2' 'b_1%3a2_amd64:amd64=2'\n"));
  EXPECT_THAT(command, HasSubstr("DEBIAN_FRONTEND=noninteractive"));
  EXPECT_THAT(command, HasSubstr("--no-remove install \"$@\""));
}

TEST_F(DebianAdapterTest, TouchesNothingWhenAptWouldDoSomethingElse) {
  guest.jobs = [](const auto&) -> test::FakeAgent::Job {
    ADD_FAILURE() << "something was installed";
    return {0, "", 1};
  };
  const std::string asked = "Inst a [1] (2 localhost [amd64])\n";
  const std::vector<std::pair<std::string, std::string>> widened{
      {asked + "Remv mail [1]\n", "apt would remove 'mail'"},
      {asked + "Inst b (3 localhost [all])\n", "apt would install 'b 3 all', which nobody asked for"},
      {"Inst a [1] (3 localhost [amd64])\n",
       "apt would install 'a 3 amd64', which nobody asked for; apt would not install 'a 2 amd64'"},
      {"", "apt would not install 'a 2 amd64'"}};
  for (const auto& [simulation, difference] : widened) {
    guest.simulation = [text = simulation](const auto&) { return text; };
    const auto outcome = adapter->apply({"a.deb"}, 60s, {});
    ASSERT_FALSE(outcome) << simulation;
    EXPECT_EQ(outcome.error().message, "set widened on 'dns', before anything was changed: " + difference);
    EXPECT_EQ(outcome.error().error_class, ErrorClass::guest);
  }
  guest.simulation = [](const auto&) { return std::string("Inst a nonsense\n"); };
  EXPECT_FALSE(adapter->apply({"a.deb"}, 60s, {})) << "what is not understood is not agreed to";
}

TEST_F(DebianAdapterTest, WhatAptRefusesHasFailedAndSaysWhy) {
  guest.jobs = [](const auto&) -> test::FakeAgent::Job {
    ADD_FAILURE() << "something was installed";
    return {0, "", 1};
  };
  guest.simulation_code = 100;
  guest.simulation = [](const auto&) { return std::string(" bind9 : Depends: bind9-libs (= 1)\n"); };
  const auto outcome = adapter->apply({"bind9-libs.deb"}, 60s, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->end, InstallEnd::failed);
  EXPECT_EQ(outcome->exit_code, 100U);
  EXPECT_EQ(outcome->log, "apt refuses, and nothing was changed:\n bind9 : Depends: bind9-libs (= 1)\n");
}

// dpkg takes a package out of service for a moment where apt's simulation calls it broken.
TEST_F(DebianAdapterTest, ASimulationThatOnlyComplainsOfItsOrderIsNoRefusal) {
  guest.simulation_code = 100;
  const std::string simulation = "Inst a [1] (2 localhost [amd64])\nE: Conf Broken a:amd64\n";
  guest.simulation = [&](const auto&) { return simulation; };
  EXPECT_EQ(adapter->apply({"a.deb"}, 60s, {}).value().end, InstallEnd::installed);
  guest.simulation = [&](const auto&) { return simulation + "E: Unable to correct problems\n"; };
  EXPECT_EQ(adapter->apply({"a.deb"}, 60s, {}).value().end, InstallEnd::failed);
  guest.simulation = [&](const auto&) { return simulation + "Inst b (1 localhost [amd64])\n"; };
  EXPECT_FALSE(adapter->apply({"a.deb"}, 60s, {})) << "widened";
}

TEST_F(DebianAdapterTest, NamesTheConfigurationFilesThatWereKept) {
  guest.jobs = [](const auto&) {
    return test::FakeAgent::Job{
        0, "Setting up a\n@@patchlab-kept /etc/b.ucf-dist\n@@patchlab-kept /etc/a.conf.dpkg-dist\n", 1};
  };
  const auto outcome = adapter->apply({"a.deb"}, 60s, {});
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->kept_files, ElementsAre("/etc/a.conf.dpkg-dist", "/etc/b.ucf-dist"));
  EXPECT_EQ(outcome->log, "Setting up a\n");
}

TEST_F(DebianAdapterTest, ASimulationThatDoesNotEndIsTheLaboratorys) {
  guest.medium_trouble = test::FakeAgent::Process{0, "", "", {}, 100000, false};
  const auto outcome = adapter->apply({"a.deb"}, 30s, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error_class, ErrorClass::infrastructure);
}

TEST_F(DebianAdapterTest, AFailingInstallerIsAnOutcomeNotAnError) {
  guest.jobs = [](const auto&) { return test::FakeAgent::Job{1, "dpkg: error processing package \xff\n", 1}; };
  const auto outcome = adapter->apply({"a.deb"}, 60s, {});
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(is_success(outcome->end));
  EXPECT_EQ(outcome->exit_code, 1U);
  EXPECT_EQ(outcome->log, "dpkg: error processing package \xef\xbf\xbd\n");
}

TEST_F(DebianAdapterTest, SaysHowAnInstallerEnded) {
  guest.jobs = [](const auto&) { return test::FakeAgent::Job{0, "", 1}; };
  EXPECT_EQ(adapter->apply({"a.deb"}, 60s, {})->end, InstallEnd::installed);
  guest.jobs = [](const auto&) { return test::FakeAgent::Job{2, "", 1}; };
  EXPECT_EQ(adapter->apply({"a.deb"}, 60s, {})->end, InstallEnd::failed);
}

TEST_F(DebianAdapterTest, DoesNotOfferToUninstall) {
  const InstalledPackage package{.file_name = "a.deb"};
  EXPECT_EQ(adapter->why_no_uninstall(package), "uninstalling is not offered for this kind of guest");
  const auto outcome = adapter->uninstall(package, 60s, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(outcome.error().message, "'a.deb': uninstalling is not offered for this kind of guest");
  EXPECT_TRUE(guest.calls.empty());
}

TEST_F(DebianAdapterTest, AHungInstallerIsATimeoutThatQuotesIt) {
  guest.jobs = [](const auto&) { return test::FakeAgent::Job{std::nullopt, "Overwrite? ", 1}; };
  const auto outcome = adapter->apply({"a.deb"}, 30s, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error_class, ErrorClass::timeout);
  EXPECT_THAT(outcome.error().message, HasSubstr("installing a.deb in 'dns': "));
  EXPECT_THAT(outcome.error().message, HasSubstr("did not end within 30.0 s; last printed: 'Overwrite? '"));
}

TEST_F(DebianAdapterTest, TroubleWithTheMediumIsTheLaboratorys) {
  const auto trouble_with = [&](int code, const std::string& output) {
    guest.medium_trouble = test::FakeAgent::Process{code, output, "", {}, 1, false};
    const auto outcome = adapter->apply({"a.deb"}, 60s, {});
    EXPECT_FALSE(outcome);
    return outcome ? infrastructure_error("") : outcome.error();
  };
  auto error = trouble_with(240, "no medium found on /dev/sr0\n");
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_EQ(error.message, "installing a.deb in 'dns': the medium cannot be mounted: no medium found on /dev/sr0");
  error = trouble_with(241, "MARK asked\nit has no file 'a.deb'\n");
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_EQ(error.message, "installing a.deb in 'dns': wrong medium: it has no file 'a.deb'");
  error = trouble_with(242, "it has no apt-get\n");
  EXPECT_EQ(error.error_class, ErrorClass::configuration);
  EXPECT_EQ(error.message, "installing a.deb in 'dns': it has no apt-get");
  EXPECT_EQ(trouble_with(1, "sh: not found\n").error_class, ErrorClass::guest);
  EXPECT_EQ(trouble_with(0, "MARK asked\n").error_class, ErrorClass::guest);
}

TEST_F(DebianAdapterTest, RefusesFileNamesThatAShellWouldRead) {
  for (const auto* name : {"", "a'b.deb", "../a.deb", "-a.deb", "a b.deb", "a/b.deb", "$(x).deb", ".deb"}) {
    const auto outcome = adapter->apply({name}, 60s, {});
    ASSERT_FALSE(outcome) << name;
    EXPECT_EQ(outcome.error().error_class, ErrorClass::configuration) << name;
  }
  EXPECT_FALSE(adapter->apply({}, 60s, {}));
  EXPECT_THAT(guest.calls, testing::IsEmpty());
}

TEST_F(DebianAdapterTest, AsksWhetherARestartIsDue) {
  script_prints("", 0);
  EXPECT_TRUE(adapter->reboot_required().value_or(false));
  script_prints("", 1);
  EXPECT_FALSE(adapter->reboot_required().value_or(true));
  script_prints("", 127);
  EXPECT_FALSE(adapter->reboot_required());
}

TEST_F(DebianAdapterTest, AsksForARestartWithoutWaitingForIt) {
  ASSERT_TRUE(adapter->request_reboot());
  ASSERT_TRUE(adapter->request_power_off());
  EXPECT_THAT(guest.calls,
              ElementsAre("guest-exec", "run /sbin/shutdown -r now", "guest-exec", "run /sbin/shutdown -h -P now"));
}

constexpr const char* state_text =
    "MARK scripts\n0 named\nMARK children\n130 163\n"
    "MARK "
    "addresses\n[{\"address\":\"52:54:00:14:00:10\",\"addr_info\":[{\"local\":\"10.20.0.10\",\"prefixlen\":24}]}]\n"
    "MARK routes\nIface\tDestination\neth0\t00000000\t0100140A\t0003\t0\t0\t0\t00000000\t0\t0\t0\nMARK kernel\n<3>[ "
    "1.0] I/O error 7\n"
    "MARK disks\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 200 50 150 25% /\n"
    "MARK memory\nMemTotal: 200 kB\nMemAvailable: 150 kB\n"
    "MARK processes\nsocket tcp 0A00140A:0035 1\nowner 1 163\nexe /proc/163/exe /usr/sbin/named\n"
    "MARK packages\napt-get 0\ndpkg 0\n"
    "MARK log\nNov 22 06:00:00 dns1 named[163]: error: zone\nMARK end\n";

TEST_F(DebianAdapterTest, ReadsAWholeHostStateInOneCommand) {
  script_prints(state_text);
  const auto state = adapter->host_state({"named", "gone"});
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_THAT(state->services, ElementsAre(Pair("gone", "absent"), Pair("named", "running"),
                                           Pair("process /usr/sbin/named", "running")));
  EXPECT_THAT(state->listeners, ElementsAre("tcp 10.20.0.10:53 named"));
  EXPECT_THAT(state->addresses, ElementsAre("52:54:00:14:00:10 10.20.0.10/24", "default via 10.20.0.1 eth0"));
  EXPECT_THAT(state->error_kinds, ElementsAre("kernel: I/O error #", "named[#]: error: zone"));
  EXPECT_THAT(state->facts, Contains(Pair("package system", "works")));
  EXPECT_EQ(std::count(guest.calls.begin(), guest.calls.end(), "guest-exec"), 1);
}

TEST_F(DebianAdapterTest, APackageSystemThatCannotBeAskedIsAnError) {
  const auto replace = [&](const std::string& with) {
    auto changed = std::string(state_text);
    const std::string old = "apt-get 0\ndpkg 0\n";
    return changed.replace(changed.find(old), old.size(), with);
  };
  script_prints(replace("sh: apt-get: not found\napt-get 127\ndpkg 0\n"));
  auto state = adapter->host_state({"named"});
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("apt-get check: exit code 127: sh: apt-get: not found"));
  script_prints(replace(""));
  EXPECT_FALSE(adapter->host_state({"named"}));
}

TEST_F(DebianAdapterTest, AHostStateThatIsNotWholeIsAnError) {
  script_prints("MARK scripts\n0 named\n");
  auto state = adapter->host_state({"named"});
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message, "reading the host state in 'dns': the answer ends early");
  script_prints(std::string(state_text) + "MARK failed kernel\ndmesg ended with 1\n");
  state = adapter->host_state({"named"});
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message,
            "reading the host state in 'dns': the guest could not list its kernel: dmesg ended with 1 ");
}

TEST_F(DebianAdapterTest, RefusesServiceNamesThatAShellWouldRead) {
  const auto state = adapter->host_state({"named; reboot"});
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(state.error().message, "'named; reboot' is not the name of a service");
}

TEST_F(DebianAdapterTest, CollectsEvidenceByName) {
  script_prints("MARK processes\ninit\nMARK logs\n==> /var/log/syslog <==\nline \xff\n");
  const auto evidence = adapter->evidence();
  ASSERT_TRUE(evidence);
  EXPECT_THAT(*evidence, ElementsAre(Pair("/var/log/syslog", "line \xef\xbf\xbd\n"), Pair("processes", "init\n")));
}

}  // namespace
}  // namespace patchlab::lab::guest
