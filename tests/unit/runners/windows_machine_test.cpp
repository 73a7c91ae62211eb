// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Trials on a Windows machine: what its installers and restarts mean for a candidate.
#include <gmock/gmock.h>

#include "runners/cell/cell.hpp"
#include "tests/support/fake_hypervisor.hpp"
#include "tests/support/fake_windows.hpp"

namespace patchlab::runners::cell {
namespace {
using namespace std::chrono_literals;

using reports::InstallRecord;
using reports::PhaseRecord;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WindowsMachineTest : public ::testing::Test {
 protected:
  WindowsMachineTest() {
    MachineJob machine;
    machine.plan.name = "srv";
    machine.plan.services = {"DNS"};
    machine.system = {GuestFamily::windows, "6.2.9200", "amd64"};
    machine.setups = {{"setup.exe", {.switches = "/q"}}};
    machine.replaces["new.msi"] = {{.upgrade_code = upgrade_code, .to = "20.0"}};
    job_.machines = {machine};
    job_.policy.boot_timeout = 3600s;
    job_.policy.install_timeout = 3600s;
    lab::MachineSpec spec;
    spec.name = "srv";
    (void)hypervisor_.define(spec);
    hypervisor_.on_agent([this](auto&, const auto& command) { return windows_.answer(command); });
    machine_ = std::make_unique<CellMachine>(context_, job_.machines[0]);
    EXPECT_TRUE(machine_->boot("baseline"));
    const auto baseline = machine_->observe_baseline();
    EXPECT_EQ(baseline.outcome, Outcome::pass) << (baseline.error ? baseline.error->message : "");
    (void)hypervisor_.take_snapshot("srv", "baseline");
    boots_ = windows_.boots;
  }
  ~WindowsMachineTest() override { std::filesystem::remove_all(slots_); }

  static constexpr const char* upgrade_code = "{23170F69-40C1-2702-0000-000004000000}";

  static std::filesystem::path new_folder() {
    std::string pattern = ::testing::TempDir() + "patchlab-slots-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  static std::string identity_of(const std::string& kb) {
    return "Package_for_" + kb + "~31bf3856ad364e35~amd64~~6.2.1.0";
  }

  // An update on the medium; how its installer behaves is for the caller to say.
  test::FakeWindows::Installer& update(const std::string& kb) {
    auto& installer = windows_.installers[kb + ".msu"];
    installer.identity = identity_of(kb);
    windows_.medium.insert("D:" + kb + ".msu");
    set_.push_back({kb, "digest-" + kb, {{.file_name = kb + ".msu", .kb = kb}}, {{identity_of(kb), "installed"}}});
    return installer;
  }

  std::vector<InstallRecord> install(CellMachine::Checkpoints checkpoints = CellMachine::Checkpoints::no) {
    EXPECT_TRUE(machine_->revert("t", set_, checkpoints));
    std::optional<Error> error;
    auto records = machine_->install("t", set_, "medium.iso", error);
    EXPECT_FALSE(error) << error->message;
    return records;
  }
  // pass, or what is different.
  static std::string in_short(const PhaseRecord& phase) {
    if (phase.error) return "error: " + phase.error->message;
    std::string text = to_string(phase.outcome);
    for (const auto& difference : phase.differences)
      text += fmt::format("; {} {}: {} -> {}", difference.kind, difference.item, difference.before, difference.after);
    return text;
  }
  std::string after_install() { return in_short(machine_->examine("t", "after-install")); }
  std::string after_reboot() {
    if (const auto trouble = machine_->reboot("t", "after-reboot-1", CellMachine::Reboot::warm))
      return in_short(*trouble);
    return in_short(machine_->examine("t", "after-reboot-1"));
  }

  const std::filesystem::path slots_ = new_folder();
  test::FakeClock clock_;
  test::FakeHypervisor hypervisor_;
  test::FakeWindows windows_{clock_};
  CellJob job_;
  CellContext context_{hypervisor_, host_processes(), clock_, job_, Slots(slots_, 2, clock_), [](const Json&) {}, {},
                       "br"};
  std::unique_ptr<CellMachine> machine_;
  std::vector<InstallJob> set_;
  int boots_ = 0;
};

TEST_F(WindowsMachineTest, AGoldenMachineThatWantsARestartIsNoBaseline) {
  windows_.servicing_keys.insert("RebootPending");
  EXPECT_EQ(in_short(machine_->observe_baseline()), "fail; restart pending: none is due -> one is due");
}

// Nothing that a check asks for is other than before.
TEST_F(WindowsMachineTest, FindsNewWaysInThatAnUpdateBrings) {
  update("KB1").changes = [](auto& windows) {
    windows.registry.set("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run", "updater", "REG_SZ",
                         "C:\\ProgramData\\u.exe");
    windows.registry.set(
        "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules", "{1}",
        "REG_SZ", "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=4444|Name=x|");
    auto& f = windows.registry.keys["HKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\Account\\Users\\000001F5"]["F"].data;
    f[0x38 * 2 + 1] = '4';  // the guest's account is enabled
  };
  install();
  EXPECT_EQ(
      after_install(),
      "fail; autostart run: updater:  -> C:\\ProgramData\\u.exe; firewall-rule {1}:  -> active; allow; in; "
      "LPort=4444 Protocol=6; local-account RID 501: disabled, no password needed -> enabled, no password needed");
}

TEST_F(WindowsMachineTest, SendsToAPersonWhatAnUpdateMayChange) {
  update("KB1").changes = [](auto& windows) {
    windows.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\DNS", "ImagePath", "REG_EXPAND_SZ",
                         "%systemroot%\\system32\\dns.exe -new");
  };
  install();
  EXPECT_EQ(after_install(),
            "pass; service-setup DNS: as LocalSystem; runs C:\\Windows\\system32\\dns.exe -> as "
            "LocalSystem; runs C:\\Windows\\system32\\dns.exe -new");
}

// A patch whose changes nobody could see has not passed.
TEST_F(WindowsMachineTest, WhatCannotBeLookedAtAnyMoreIsAnError) {
  update("KB1");
  install();
  windows_.exit_codes[test::FakeWindows::Command::tasks] = 1;
  EXPECT_THAT(after_install(), HasSubstr("what was there of kind 'task' cannot be read any more"));
  windows_.exit_codes.clear();
  EXPECT_EQ(after_install(), "pass");
}

TEST_F(WindowsMachineTest, AMachineThatWasPlannedWithAnotherSetIsNoBaseline) {
  job_.machines[0].planned_with = {
      {"Microsoft-Windows-Foundation-Package~31bf3856ad364e35~amd64~~6.2.9200.16384", "installed"},
      {"Package_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2", "installed"},
      {"product {23170F69-40C1-2702-1900-000001000000}", "19.00.00.0"},
      {"Package_for_KB9", "installed"}};
  job_.machines[0].golden_domain = "srv2012-dns";
  const auto record = machine_->observe_baseline();
  EXPECT_EQ(record.outcome, Outcome::error);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->error_class, ErrorClass::configuration);
  EXPECT_THAT(record.error->message, HasSubstr("Package_for_KB9, planned with installed, found not installed"));
  EXPECT_THAT(record.error->hint, HasSubstr("'dpkg_status'"));
  job_.machines[0].planned_with.erase("Package_for_KB9");
  const auto again = machine_->observe_baseline();
  EXPECT_EQ(again.outcome, Outcome::pass) << (again.error ? again.error->message : "");
}

TEST_F(WindowsMachineTest, AnUpdateThatNeedsNoRestartIsThereAtOnce) {
  update("KB5000001");
  const auto records = install();
  EXPECT_EQ(records[0].outcome, Outcome::pass);
  EXPECT_EQ(records[0].end, "installed");
  EXPECT_EQ(after_install(), "pass");
  EXPECT_EQ(after_reboot(), "pass");
  EXPECT_EQ(windows_.boots, boots_ + 1);
}

// A major upgrade: the installer takes the predecessor away.
TEST_F(WindowsMachineTest, AProductThatIsReplacedIsExpectedToGo) {
  const std::string old_product = "{23170F69-40C1-2702-1900-000001000000}";
  const std::string new_product = "{23170F69-40C1-2702-2000-000001000000}";
  using lab::guest::windows::packed_guid;
  windows_.upgrade_codes[packed_guid(upgrade_code)] = {packed_guid(old_product)};
  windows_.medium.insert("D:new.msi");
  windows_.installers["new.msi"] = {.products = {{new_product, "20.0"}}, .removes_products = {old_product}};
  set_ = {
      {"new", "digest", {{.file_name = "new.msi", .product_code = new_product}}, {{"product " + new_product, "20.0"}}}};
  EXPECT_EQ(install()[0].outcome, Outcome::pass);
  EXPECT_EQ(after_install(), "pass");
  EXPECT_EQ(after_reboot(), "pass");
  windows_.products[old_product] = "19.00.00.0";  // came back: both are there
  EXPECT_THAT(after_install(), HasSubstr("came along and nobody asked for it"));
}

TEST_F(WindowsMachineTest, AnInstallerThatWantsARestartBeforeGetsOne) {
  update("KB5000001") = {.exit_code = 3010, .identity = identity_of("KB5000001"), .needs_restart = true};
  update("KB5000002").wants_restart_first = true;
  const auto records = install();
  EXPECT_EQ(records[1].outcome, Outcome::pass);
  EXPECT_THAT(records[1].log, HasSubstr("restarted, and tried again"));
  EXPECT_EQ(windows_.boots, boots_ + 1);
  EXPECT_EQ(after_install(), "pass");
  EXPECT_EQ(after_reboot(), "pass");
}

// What the machine lacks is no verdict on the candidate, and no reason to go on without it.
TEST_F(WindowsMachineTest, AMissingEntitlementOrServicingStackIsNoVerdict) {
  for (const std::int64_t code : {1633L, -2146498525L}) {  // 0x800F0823
    set_.clear();
    update("KB5000001").exit_code = code;
    EXPECT_TRUE(machine_->revert("t", set_, CellMachine::Checkpoints::no));
    std::optional<Error> error;
    const auto records = machine_->install("t", set_, "medium.iso", error);
    EXPECT_EQ(records[0].outcome, Outcome::error) << code;
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error_class, ErrorClass::configuration);
  }
}

TEST_F(WindowsMachineTest, WhatWaitsForARestartIsNoFailureUntilThen) {
  update("KB5000001") = {.exit_code = 3010, .identity = identity_of("KB5000001"), .needs_restart = true};
  const auto records = install();
  EXPECT_EQ(records[0].outcome, Outcome::pass);
  EXPECT_EQ(records[0].end, "installed, reboot needed");
  EXPECT_EQ(after_install(), "pass");
  windows_.boot_takes = 1000s;  // "configuring updates"
  windows_.self_restarts = 2;
  EXPECT_EQ(after_reboot(), "pass");
  EXPECT_EQ(windows_.boots, boots_ + 3);
}

TEST_F(WindowsMachineTest, AnUpdateThatIsUndoneAtTheRestartFailsWithItsReason) {
  update("KB5000001") = {
      .exit_code = 3010, .identity = identity_of("KB5000001"), .needs_restart = true, .rolls_back = 0x800F0922};
  (void)install();
  EXPECT_EQ(after_install(), "pass");
  const auto found = after_reboot();
  EXPECT_THAT(found, HasSubstr("fail; installed " + identity_of("KB5000001") + ": installed -> "));
  EXPECT_THAT(found, HasSubstr("rollback"));
  EXPECT_THAT(found, HasSubstr("0x800F0922 (CBS_E_INSTALLERS_FAILED"));
}

TEST_F(WindowsMachineTest, AGuestThatGoesOnAskingIsRestartedAgain) {
  update("KB5000001") = {.exit_code = 3010, .identity = identity_of("KB5000001"), .needs_restart = true};
  windows_.registry_values["UpdateExeVolatile"] = "0x1";  // nothing clears it
  (void)install();
  EXPECT_EQ(after_install(), "pass");
  EXPECT_THAT(after_reboot(), HasSubstr("boot start-up: completes -> 'srv' still asks for a restart after 4"));
}

TEST_F(WindowsMachineTest, WhatTheGuestDoesNotTakeIsNoFailureAndTheOthersAreInstalled) {
  update("KB5000001");
  update("KB5000002") = {.exit_code = -2145124329, .identity = {}};
  update("KB5000003");
  update("KB5000004") = {.exit_code = 2359302, .identity = {}};
  const auto records = install();
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].outcome, Outcome::pass);
  EXPECT_EQ(records[1].outcome, Outcome::skipped);
  EXPECT_EQ(records[1].end, "not applicable");
  EXPECT_EQ(records[1].exit_code, 0x80240017U);
  EXPECT_EQ(records[2].outcome, Outcome::pass);
  EXPECT_EQ(records[3].outcome, Outcome::skipped);
  EXPECT_EQ(records[3].end, "already installed");
}

TEST_F(WindowsMachineTest, WithoutWhatWasNotTakenNothingIsInstalledAgain) {
  update("KB5000001").takes = 6s;
  update("KB5000002") = {.exit_code = -2145124329, .identity = {}};
  update("KB5000003").takes = 6s;
  (void)install(CellMachine::Checkpoints::yes);
  set_.erase(set_.begin() + 1);
  const auto records = install(CellMachine::Checkpoints::yes);
  ASSERT_EQ(records.size(), 2U);
  for (const auto& record : records) {
    EXPECT_EQ(record.outcome, Outcome::pass) << record.candidate;
    EXPECT_EQ(record.installed_in, "t") << record.candidate;
  }
  EXPECT_EQ(after_install(), "pass");
}

TEST_F(WindowsMachineTest, WhatIsThereAlreadyIsNotTestedByInstallingIt) {
  update("KB5000001") = {.exit_code = 2359302, .identity = {}};
  EXPECT_EQ(install()[0].outcome, Outcome::skipped);
}

TEST_F(WindowsMachineTest, AFailedInstallationFailsTheCandidate) {
  update("KB5000001") = {.exit_code = 2148469026, .identity = {}};
  const auto records = install();
  EXPECT_EQ(records[0].outcome, Outcome::fail);
  EXPECT_EQ(records[0].exit_code, 0x800F0922U);
  EXPECT_THAT(records[0].log, HasSubstr("CBS_E_INSTALLERS_FAILED"));
}

TEST_F(WindowsMachineTest, AnInstallerThatRestartsTheMachineIsWaitedFor) {
  update("KB5000001") = {.exit_code = 1641, .identity = identity_of("KB5000001")};
  auto& installer = windows_.installers["KB5000001.msu"];
  installer.takes = 2s;
  update("KB5000002");
  windows_.restart_after_job = true;
  const auto records = install();
  EXPECT_EQ(records[0].end, "reboot started");
  EXPECT_EQ(records[1].outcome, Outcome::pass) << records[1].log;
  EXPECT_EQ(windows_.boots, boots_ + 1);
  EXPECT_EQ(after_install(), "pass");
}

TEST_F(WindowsMachineTest, AnUpdateThatBringsAnotherOneWidensTheSet) {
  update("KB5000001");
  set_[0].expected.clear();
  (void)install();
  EXPECT_EQ(after_install(), "error: set widened on 'srv': '" + identity_of("KB5000001") +
                                 "' (installed) came along and nobody asked for it");
}

TEST_F(WindowsMachineTest, WhatAProgramDoesNotSayIsTakenFromWhatItDid) {
  windows_.medium.insert("D:setup.exe");
  windows_.installers["setup.exe"].identity = identity_of("KB5000009");
  set_.push_back({"setup", "digest", {{.file_name = "setup.exe"}}, {}, false});
  EXPECT_EQ(install()[0].outcome, Outcome::pass);
  EXPECT_THAT(windows_.lines, Contains(HasSubstr("setup.exe /q")));
  EXPECT_EQ(after_install(), "pass");
  windows_.packages.erase(identity_of("KB5000009"));
  EXPECT_THAT(after_install(), HasSubstr("fail; installed " + identity_of("KB5000009")));
}

// The fake machine does not go back with a revert: it is in the state that was saved, as a checkpoint's would be.
TEST_F(WindowsMachineTest, AStateOfAnotherTrialKnowsThatARestartIsOutstanding) {
  update("KB5000001") = {.exit_code = 3010, .identity = identity_of("KB5000001"), .needs_restart = true, .takes = 20s};
  (void)install(CellMachine::Checkpoints::yes);
  EXPECT_EQ(install(CellMachine::Checkpoints::yes)[0].installed_in, "t");
  EXPECT_EQ(after_install(), "pass");
}

TEST_F(WindowsMachineTest, AStateOfAnotherTrialKnowsWhichStartItRunsOn) {
  update("KB5000001") = {.exit_code = 1641, .identity = identity_of("KB5000001"), .takes = 20s};
  windows_.restart_after_job = true;
  (void)install(CellMachine::Checkpoints::yes);
  EXPECT_EQ(windows_.boots, boots_ + 1);
  update("KB5000002") = {.exit_code = 1641, .identity = identity_of("KB5000002")};
  windows_.restart_after_job = true;
  const auto records = install(CellMachine::Checkpoints::yes);
  EXPECT_EQ(records[0].installed_in, "t");
  EXPECT_EQ(records[1].end, "reboot started");
  EXPECT_EQ(windows_.boots, boots_ + 2) << "the second restart was waited for, not taken for the first";
}

class RemovalTest : public WindowsMachineTest {
 protected:
  std::vector<InstallRecord> remove() {
    std::optional<Error> error;
    auto records = machine_->remove("t", set_, error);
    EXPECT_FALSE(error) << error->message;
    return records;
  }
  std::string after_removal() {
    if (const auto trouble = machine_->reboot("t", "after-removal", CellMachine::Reboot::if_due))
      return in_short(*trouble);
    return in_short(machine_->examine("t", "after-removal"));
  }
};

TEST_F(RemovalTest, WhatWasInstalledLastIsRemovedFirstAndTheBaselineIsExpected) {
  update("KB5000001");
  update("KB5000002");
  (void)install();
  const auto records = remove();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].candidate, "KB5000002");
  EXPECT_EQ(records[1].candidate, "KB5000001");
  EXPECT_EQ(records[1].outcome, Outcome::pass);
  EXPECT_EQ(after_removal(), "pass");
  EXPECT_FALSE(windows_.packages.contains(identity_of("KB5000001")));
  EXPECT_EQ(windows_.boots, boots_) << "no restart was due";
}

TEST_F(RemovalTest, WhatIsStillThereAfterItsRemovalIsNamed) {
  update("KB5000001");
  (void)install();
  (void)remove();
  windows_.packages[identity_of("KB5000001")] = {};
  EXPECT_EQ(after_removal(), "error: set widened on 'srv': '" + identity_of("KB5000001") +
                                 "' (installed) came along and nobody asked for it");
}

TEST_F(RemovalTest, WhatCannotBeRemovedStays) {
  update("KB5000001");
  set_[0].packages[0].permanent = true;
  (void)install();
  const auto records = remove();
  EXPECT_EQ(records[0].outcome, Outcome::skipped);
  EXPECT_THAT(records[0].log, HasSubstr("cannot be removed"));
  EXPECT_EQ(after_removal(), "pass");
}

TEST_F(RemovalTest, WhatTheGuestDoesNotKnowAnyMoreFailsTheRemoval) {
  update("KB5000001");
  (void)install();
  windows_.packages.erase(identity_of("KB5000001"));
  EXPECT_EQ(remove()[0].outcome, Outcome::fail);
}

TEST_F(RemovalTest, AGuestThatRefusesFailsTheRemoval) {
  update("KB5000001");
  (void)install();
  windows_.exit_codes[test::FakeWindows::Command::remove_kb] = 0x800F0825;
  const auto records = remove();
  EXPECT_EQ(records[0].outcome, Outcome::fail);
  EXPECT_EQ(records[0].exit_code, 0x800F0825U);
}

TEST_F(WindowsMachineTest, WhatWaitsForARestartIsStillExpectedAfterAProgramThatDoesNotSayWhatItDoes) {
  update("KB5000001") = {.exit_code = 3010, .identity = identity_of("KB5000001"), .needs_restart = true};
  windows_.medium.insert("D:setup.exe");
  set_.push_back({"setup", "digest", {{.file_name = "setup.exe"}}, {}, false});
  (void)install();
  EXPECT_EQ(after_install(), "pass");
  EXPECT_EQ(after_reboot(), "pass");
}

TEST_F(WindowsMachineTest, AnAgentThatDiesIsAnErrorUntilAnotherTrialShowsItAgain) {
  update("KB5000001");
  (void)install();
  windows_.agent_dies_at_restart = true;
  windows_.restart();
  const auto phase = machine_->examine("t", "after-install");
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_EQ(phase.error->error_class, ErrorClass::silent);
  EXPECT_THAT(phase.error->message, HasSubstr("neither the guest agent nor the role answers"));
}

TEST_F(WindowsMachineTest, AnInventoryThatCannotBeReadIsNoPassAndNoVerdict) {
  update("KB5000001");
  (void)install();
  windows_.exit_codes[test::FakeWindows::Command::packages] = 0x800F0831;  // the component store is damaged
  const auto phase = machine_->examine("t", "after-install");
  EXPECT_EQ(phase.outcome, Outcome::error);
  EXPECT_TRUE(phase.differences.empty());
}

TEST_F(WindowsMachineTest, AReplyThatNobodyUnderstandsIsNotThePatchsGuestAgent) {
  update("KB5000001");
  (void)install();
  windows_.replies[test::FakeWindows::Command::service_states] = "SERVICE_NAME: DNS\r\nnonsense\r\n";
  const auto phase = machine_->examine("t", "after-install");
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_EQ(phase.error->error_class, ErrorClass::infrastructure);
  EXPECT_TRUE(phase.differences.empty());
}

TEST_F(WindowsMachineTest, AGuestWhoseStartCannotBeReadIsNotOneThatDoesNotStart) {
  update("KB5000001");
  (void)install();
  windows_.replies[test::FakeWindows::Command::service_states] = "SERVICE_NAME: DNS\r\nnonsense\r\n";
  const auto trouble = machine_->reboot("t", "after-reboot-1", CellMachine::Reboot::warm);
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->outcome, Outcome::error);
  EXPECT_TRUE(trouble->differences.empty());
}

// A department of two, of which one is patched.
class WindowsCellTest : public WindowsMachineTest {
 protected:
  WindowsCellTest() {
    job_.evidence = slots_ / "evidence";
    job_.policy.warm_reboots = 1;
    job_.policy.stability = 0s;
    lab::MachineSpec spec;
    spec.name = "other";
    (void)hypervisor_.define(spec);
    (void)hypervisor_.delete_snapshot("srv", "baseline");
    (void)hypervisor_.power_off("srv");
    hypervisor_.on_agent([this](auto& machine, const auto& command) {
      return (machine.spec.name == "srv" ? windows_ : other_).answer(command);
    });
    job_.machines.push_back(job_.machines[0]);
    job_.machines[1].plan.name = "other";
    cell_ = std::make_unique<Cell>(
        context_, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {});
    const auto baseline = cell_->prepare();
    EXPECT_EQ(baseline.outcome, Outcome::pass) << (baseline.error ? baseline.error->message : "");
  }
  reports::TrialRecord run(reports::Purpose purpose) {
    TrialJob trial{
        .id = "finance/t1", .purpose = purpose, .candidates = {}, .set_digest = {}, .machines = {"other", "srv"}};
    trial.installs["srv"] = set_;
    trial.media["srv"] = "medium.iso";
    return cell_->run_trial(trial);
  }
  test::FakeWindows other_{clock_};
  std::unique_ptr<Cell> cell_;
};

TEST_F(WindowsCellTest, ATrialEndsWhereAGuestDoesNotTakeACandidate) {
  update("KB5000001") = {.exit_code = -2145124329, .identity = {}};
  const auto record = run(reports::Purpose::batch);
  EXPECT_FALSE(record.error);
  EXPECT_EQ(record.outcome, Outcome::not_reached);
  EXPECT_THAT(record.signature, IsEmpty());
  for (const auto& phase : record.phases) EXPECT_EQ(phase.outcome, Outcome::not_reached) << phase.machine;
}

TEST_F(WindowsCellTest, ARemovalTrialRestartsRemovesAndLooksAtTheWholeDepartment) {
  update("KB5000001") = {.exit_code = 3010, .identity = identity_of("KB5000001"), .needs_restart = true};
  const auto boots = windows_.boots;
  const auto record = run(reports::Purpose::removal);
  EXPECT_EQ(record.outcome, Outcome::pass) << (record.error ? record.error->message : "");
  EXPECT_EQ(windows_.boots, boots + 1) << "the restart that was due came before the removal";
  ASSERT_EQ(record.removals.size(), 1U);
  EXPECT_EQ(record.removals[0].outcome, Outcome::pass);
  EXPECT_FALSE(windows_.packages.contains(identity_of("KB5000001")));
  ASSERT_EQ(record.phases.size(), 2U);
  for (const auto& phase : record.phases) EXPECT_EQ(phase.phase, reports::after_removal_phase);
}

// An update behind which Windows Installer refuses to work, and a small package that shows it.
TEST_F(WindowsMachineTest, APackageBehindTheSetShowsThatLaterOnesCannotBeInstalled) {
  windows_.medium.insert("D:canary.msi");
  windows_.installers["canary.msi"].products = {{"{CANARY}", "1.0"}};
  job_.machines[0].next_package = InstallJob{
      .candidate = "canary", .packages = {{.file_name = "canary.msi"}}, .expected = {{"product {CANARY}", "1.0"}}};
  job_.policy.next_package = true;
  using Learning = CellMachine::Learning;
  const auto behind = [&](Learning learning) {
    windows_.products.erase("{CANARY}");
    EXPECT_TRUE(machine_->install_next("t", "medium.iso"));
    return machine_->examine("t", reports::next_package_phase, learning);
  };
  EXPECT_TRUE(machine_->revert("control", {}, CellMachine::Checkpoints::no));
  EXPECT_EQ(in_short(behind(Learning::yes)), "pass");
  update("KB4487025");
  (void)install();
  EXPECT_EQ(in_short(behind(Learning::no)), "pass");
  (void)install();
  windows_.installers["canary.msi"].exit_code = 1603;
  windows_.installers["canary.msi"].products.clear();
  const auto phase = behind(Learning::no);
  EXPECT_EQ(phase.outcome, Outcome::fail);
  EXPECT_THAT(in_short(phase), HasSubstr("next-package canary: installed -> failed, exit code 1603"));
}

}  // namespace
}  // namespace patchlab::runners::cell
