// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/machine.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/facts/facts.hpp"
#include "runners/cell/role_checks.hpp"
#include "tests/support/debian_guest.hpp"
#include "tests/support/facts.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::runners::cell {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Checkpoints = CellMachine::Checkpoints;
using Learning = CellMachine::Learning;

// A machine at its baseline. Installing a file whose name starts with "slow" takes long enough to be worth saving.
class CellMachineTest : public ::testing::Test {
 protected:
  CellMachineTest() {
    MachineJob machine;
    machine.plan.name = "db";
    job_.machines = {machine};
    lab::MachineSpec spec;
    spec.name = "db";
    (void)hypervisor_.define(spec);
    (void)hypervisor_.start("db");
    (void)hypervisor_.take_snapshot("db", "baseline");
    hypervisor_.on_agent([this](auto&, const auto& command) -> Result<std::string> {
      if (hypervisor_silent_) return timeout_error("the agent does not answer");
      return guest_.answer(command);
    });
    guest_.jobs = [this](const std::string& command) {
      installed_.push_back(command.find("slow") == std::string::npos ? "quick"
                                                                     : command.substr(command.find("slow"), 6));
      return test::FakeAgent::Job{0, "Setting up ...\n", command.find("slow") == std::string::npos ? 1 : 100};
    };
    machine_ = std::make_unique<CellMachine>(context_, job_.machines[0]);
  }
  ~CellMachineTest() override { std::filesystem::remove_all(slots_); }

  static std::filesystem::path new_folder() {
    std::string pattern = ::testing::TempDir() + "patchlab-slots-XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  static std::vector<InstallJob> jobs(const std::vector<std::string>& names) {
    std::vector<InstallJob> all;
    for (const auto& name : names) all.push_back({name, "digest-" + name, {{.file_name = name + ".deb"}}, {}});
    return all;
  }

  std::vector<reports::InstallRecord> trial(const std::string& id, const std::vector<std::string>& names,
                                            Checkpoints checkpoints) {
    installed_.clear();
    const auto set = jobs(names);
    EXPECT_TRUE(machine_->revert(id, set, checkpoints));
    std::optional<Error> error;
    auto records = machine_->install(id, set, "medium.iso", error);
    EXPECT_FALSE(error) << error->message;
    return records;
  }

  std::vector<std::string> reverts() const {
    std::vector<std::string> found;
    for (const auto& call : hypervisor_.calls()) {
      if (call.starts_with("revert ")) found.push_back(call.substr(10));
    }
    return found;
  }

  const std::filesystem::path slots_ = new_folder();
  test::FakeClock clock_;
  test::FakeHypervisor hypervisor_;
  test::FakeAgent guest_;
  CellJob job_;
  CellContext context_{hypervisor_, host_processes(), clock_, job_, Slots(slots_, 2, clock_), [](const Json&) {}, {},
                       "br"};
  std::unique_ptr<CellMachine> machine_;
  std::vector<std::string> installed_;  // in the latest trial
  bool hypervisor_silent_ = false;      // no agent command gets through
};

TEST_F(CellMachineTest, StartsFromTheStateInWhichAnotherTrialInstalledTheSame) {
  (void)trial("t1", {"slow-a", "slow-b", "slow-c"}, Checkpoints::yes);
  const auto records = trial("t2", {"slow-a", "slow-b", "slow-d"}, Checkpoints::yes);
  EXPECT_THAT(installed_, ElementsAre("slow-d"));
  EXPECT_THAT(reverts(), ElementsAre("baseline", StartsWith("prefix-2-")));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1].candidate, "slow-b");
  EXPECT_EQ(records[1].outcome, Outcome::pass);
  EXPECT_EQ(records[1].installed_in, "t1");
  EXPECT_EQ(records[1].log, "Setting up ...\n");
  EXPECT_EQ(records[1].duration_ms, 0);
  EXPECT_EQ(records[2].installed_in, "");
  EXPECT_GT(records[2].duration_ms, 5000);
}

TEST_F(CellMachineTest, NamesTheTrialThatReallyInstalledItHoweverOftenTheStateWasHandedOn) {
  (void)trial("t1", {"slow-a"}, Checkpoints::yes);
  (void)trial("t2", {"slow-a", "slow-b"}, Checkpoints::yes);
  const auto records = trial("t3", {"slow-a", "slow-b", "quick"}, Checkpoints::yes);
  EXPECT_EQ(records[0].installed_in, "t1");
  EXPECT_EQ(records[1].installed_in, "t2");
}

TEST_F(CellMachineTest, AnotherOrderIsAnotherState) {
  (void)trial("t1", {"slow-a", "slow-b"}, Checkpoints::yes);
  (void)trial("t2", {"slow-b", "slow-a"}, Checkpoints::yes);
  EXPECT_THAT(installed_, ElementsAre("slow-b", "slow-a"));
}

TEST_F(CellMachineTest, WithoutCheckpointsEverythingIsInstalledFromTheBaselineAndNothingIsSaved) {
  (void)trial("t1", {"slow-a"}, Checkpoints::yes);
  const auto records = trial("t2", {"slow-a", "slow-b"}, Checkpoints::no);
  EXPECT_THAT(reverts(), ElementsAre("baseline", "baseline"));
  EXPECT_THAT(installed_, ElementsAre("slow-a", "slow-b"));
  EXPECT_EQ(records[0].installed_in, "");
  EXPECT_EQ(hypervisor_.machine("db").snapshots.size(), 2U) << "the baseline and what t1 saved";
}

TEST_F(CellMachineTest, WhatIsQuicklyInstalledIsNotWorthSaving) {
  (void)trial("t1", {"quick"}, Checkpoints::yes);
  EXPECT_EQ(hypervisor_.machine("db").snapshots.size(), 1U);
}

TEST_F(CellMachineTest, AStateIsSavedWithAnEmptyDriveAndTheTrialGoesOnWithItsMedium) {
  (void)trial("t1", {"slow-a", "quick"}, Checkpoints::yes);
  for (const auto& [name, saved] : hypervisor_.machine("db").snapshots) EXPECT_TRUE(saved.medium.empty()) << name;
  const auto calls = hypervisor_.calls();
  const auto saved =
      std::ranges::find_if(calls, [](const auto& call) { return call.starts_with("take_snapshot db prefix-1-"); });
  ASSERT_NE(saved, calls.end());
  EXPECT_EQ(*(saved - 1), "change_medium db");
  EXPECT_EQ(*(saved + 1), "change_medium db medium.iso");
}

TEST_F(CellMachineTest, AGuestThatIsBusyIsNotSaved) {
  hypervisor_.alter("db", [](auto& machine) { machine.busy = Milliseconds(200); });
  (void)trial("t1", {"slow-a", "slow-b"}, Checkpoints::yes);
  EXPECT_THAT(installed_, ElementsAre("slow-a", "slow-b"));
  EXPECT_EQ(hypervisor_.machine("db").snapshots.size(), 1U);
}

// Servers take a jump of their clock for time that went by.
TEST_F(CellMachineTest, OnlyARevertSetsTheGuestsClock) {
  (void)trial("t1", {"quick"}, Checkpoints::yes);
  (void)machine_->examine("t1", "after-install");
  EXPECT_THAT(hypervisor_.calls(), Contains("resume db")) << "it stood still between the two";
  EXPECT_EQ(std::ranges::count_if(guest_.calls, [](const auto& call) { return call.starts_with("run date "); }), 1);
}

TEST_F(CellMachineTest, AStateThatDoesNotComeBackIsNotTriedAgain) {
  (void)trial("t1", {"slow-a"}, Checkpoints::yes);
  hypervisor_.fail("revert", 1);
  const auto set = jobs({"slow-a"});
  EXPECT_FALSE(machine_->revert("t2", set, Checkpoints::yes));
  (void)trial("t3", {"slow-a"}, Checkpoints::yes);
  EXPECT_THAT(installed_, ElementsAre("slow-a"));
}

TEST_F(CellMachineTest, AStateThatCannotBeSavedIsTheLabsTrouble) {
  hypervisor_.fail("take_snapshot", 1, infrastructure_error("no space left"));
  const auto set = jobs({"slow-a", "slow-b"});
  ASSERT_TRUE(machine_->revert("t1", set, Checkpoints::yes));
  std::optional<Error> error;
  (void)machine_->install("t1", set, "medium.iso", error);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, "saving 'db' with 1 candidates installed: no space left");
  EXPECT_EQ(error->error_class, ErrorClass::infrastructure);
}

TEST_F(CellMachineTest, OnlyTheLatestStatesAreKept) {
  for (const std::string name : {"slow-1", "slow-2", "slow-3", "slow-4", "slow-5", "slow-6", "slow-7"})
    (void)trial("t", {name}, Checkpoints::yes);
  EXPECT_EQ(hypervisor_.machine("db").snapshots.size(), 7U) << "the baseline and six";
  (void)trial("t", {"slow-1"}, Checkpoints::yes);
  EXPECT_THAT(installed_, ElementsAre("slow-1"));
}

// An installer that does not end, on a machine whose agent does this meanwhile.
class HangingInstallerTest : public CellMachineTest {
 protected:
  HangingInstallerTest() {
    job_.policy.install_timeout = std::chrono::seconds(20);
    guest_.jobs = [](const auto&) { return test::FakeAgent::Job{{}, "", 1}; };
  }
  reports::InstallRecord install() {
    const auto set = jobs({"hangs"});
    EXPECT_TRUE(machine_->revert("t", set, Checkpoints::yes));
    error_.reset();
    return machine_->install("t", set, "medium.iso", error_).at(0);
  }
  std::optional<Error> error_;
};

TEST_F(HangingInstallerTest, FailsItsCandidateWhenItWasSeenNotToEnd) {
  const auto record = install();
  EXPECT_FALSE(error_);
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_THAT(record.log, HasSubstr("did not end within 20.0 s"));
}

TEST_F(HangingInstallerTest, SaysNothingWhenTheAgentFallsSilent) {
  guest_.jobs = [this](const auto&) {
    hypervisor_silent_ = true;
    return test::FakeAgent::Job{{}, "", 1};
  };
  const auto record = install();
  EXPECT_EQ(record.outcome, Outcome::error);
  EXPECT_EQ(record.end, "silent");
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->error_class, ErrorClass::silent);
}

TEST_F(HangingInstallerTest, SaysNothingWhenTheAgentAnswersAndWillNotTellWhetherItEnded) {
  guest_.trouble("guest-file-open", test::FakeAgent::refusal("Access is denied"), 100000);
  const auto record = install();
  EXPECT_EQ(record.outcome, Outcome::error);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error_->message, HasSubstr("Access is denied"));
}

// "crowd" wants to be alone. A worker that cannot be started is answer enough.
class LonelyCheckTest : public CellMachineTest {
 protected:
  LonelyCheckTest() {
    job_.worker_program = "/nowhere/patchlab";
    job_.machines[0].plan.checks = {
        {.id = "crowd",
         .kind = "database.connections",
         .parameters = {{"database", "d"}, {"user", "u"}, {"password", "p"}, {"sessions", 4}}},
        {.id = "plugin", .kind = "command", .parameters = {{"program", "check"}}}};
  }
  Guest its_machine_{context_, job_.machines[0]};
  RoleChecks checks_{its_machine_};
};

TEST_F(LonelyCheckTest, IsNotAskedWhileAnotherMachineOfItsCellIs) {
  std::shared_lock another(*context_.asked);
  std::atomic<bool> is_over{false};
  const std::jthread asking([&] {
    EXPECT_EQ(RoleChecks::Round(checks_, Learning::no).ask().size(), 2U);
    is_over = true;
  });
  std::this_thread::sleep_for(Milliseconds(100));
  EXPECT_FALSE(is_over);
  another.unlock();
}

TEST_F(LonelyCheckTest, IsNoLoad) {
  const auto load = checks_.as_load();
  for (const std::size_t number : {0U, 1U, 2U}) EXPECT_EQ(load(number).id, "plugin");
  job_.machines[0].plan.checks.pop_back();
  EXPECT_FALSE(checks_.as_load());
}

TEST_F(CellMachineTest, RunsOnForAsLongAsAsked) {
  job_.policy.stability_load = 0;
  const auto begin = clock_.now();
  EXPECT_TRUE(machine_->run_on("t", std::chrono::seconds(20)));
  EXPECT_EQ(clock_.now() - begin, std::chrono::seconds(20));
}

TEST_F(CellMachineTest, DoesNotWaitForAMachineThatHasStopped) {
  hypervisor_.alter("db", [](auto& machine) { machine.state = lab::MachineState::crashed; });
  const auto begin = clock_.now();
  EXPECT_TRUE(machine_->run_on("t", std::chrono::seconds(20)));
  EXPECT_LT(clock_.now() - begin, std::chrono::seconds(2));
}

// What a guest must hold after a trial: exactly what was asked for. "bind9" 1 is there before any patch.
class InstalledSetTest : public CellMachineTest {
 protected:
  InstalledSetTest() {
    guest_.programs = [this](const std::string& program, const std::vector<std::string>& arguments,
                             const std::string&) {
      test::FakeAgent::Process process;
      if (program == "dpkg-query") {
        for (const auto& [package, version] : holds_) process.output += package + "\t" + version + "\tok\tinstalled\n";
      } else if (arguments.size() > 2) {
        process.output = test::debian_answer(arguments[2], sections_);
      }
      return process;
    };
    EXPECT_EQ(machine_->observe_baseline().outcome, Outcome::pass);
  }

  // The phase after a trial that asked for bind9 2, when the guest then holds this.
  reports::PhaseRecord after_installing(const std::map<std::string, std::string>& holds) {
    const std::vector<InstallJob> set{
        {"update", "digest-update", {{.file_name = "bind9.deb"}}, {{"bind9:amd64", "2"}}}};
    EXPECT_TRUE(machine_->revert("t", set, Checkpoints::yes));
    std::optional<Error> error;
    (void)machine_->install("t", set, "medium.iso", error);
    EXPECT_FALSE(error);
    holds_ = holds;
    return machine_->examine("t", "after-install");
  }

  std::map<std::string, std::string> holds_{{"bind9:amd64", "1"}, {"libc6:amd64", "36"}};
  std::map<std::string, std::string> sections_;  // of the host state, that are not as usual
};

TEST_F(InstalledSetTest, WhatWasAskedForPasses) {
  const auto phase = after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "36"}});
  EXPECT_EQ(phase.outcome, Outcome::pass) << (phase.error ? phase.error->message : "");
}

// By the script that runs in production, too; what it does not say is in nobody's way.
TEST_F(InstalledSetTest, KeepsWhatTheMachineSaysOfItselfWhereItIsAsked) {
  const auto facts = slots_ / "evidence" / "facts";
  job_.evidence = slots_ / "evidence";
  int exit_code = 0;
  guest_.programs = [&, usual = guest_.programs](const auto& program, const auto& arguments, const auto& script) {
    if (script.find(lab::facts::debian_script) == std::string::npos) return usual(program, arguments, script);
    return test::FakeAgent::Process{.exit_code = exit_code, .output = tests::small_facts(), .errors = "no awk"};
  };
  EXPECT_EQ(machine_->observe_baseline().outcome, Outcome::pass);
  EXPECT_FALSE(std::filesystem::exists(facts)) << "nobody asked";
  job_.facts = true;
  EXPECT_EQ(machine_->observe_baseline().outcome, Outcome::pass);
  EXPECT_EQ(read_file(facts / "db.json").value(), tests::small_facts());
  exit_code = 127;
  EXPECT_EQ(machine_->observe_baseline().outcome, Outcome::pass);
  EXPECT_FALSE(std::filesystem::exists(facts / "db.json")) << "what another try said";
  EXPECT_THAT(read_file(facts / "db.txt").value(), HasSubstr("127: no awk"));
}

TEST_F(InstalledSetTest, ASetThatCannotBeReadIsAnErrorAndWhatTheGuestSaidIsKept) {
  guest_.programs = [usual = guest_.programs](const auto& program, const auto& arguments, const auto& script) {
    auto process = usual(program, arguments, script);
    if (program == "dpkg-query") process = {2, "", "dpkg-query: error: no database\n", {}, 1, false};
    return process;
  };
  const auto phase = after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "36"}});
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_EQ(phase.error->error_class, ErrorClass::infrastructure);
  EXPECT_THAT(phase.error->message, HasSubstr("listing what is installed in 'db': exit code 2"));
  machine_->save_evidence(slots_ / "evidence");
  const auto kept = read_file(slots_ / "evidence" / "guest-replies.txt");
  ASSERT_TRUE(kept);
  EXPECT_THAT(*kept, HasSubstr("==> dpkg-query -W"));
  EXPECT_THAT(*kept, HasSubstr("no database"));
}

TEST_F(InstalledSetTest, AReplyThatIsNotUnderstoodIsTheLabsTroubleAndKept) {
  sections_["kernel"] = "garbage in place of the kernel's log\n";
  const auto phase = after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "36"}});
  EXPECT_EQ(phase.outcome, Outcome::error);
  EXPECT_THAT(phase.differences, ElementsAre());
  machine_->save_evidence(slots_ / "evidence");
  EXPECT_THAT(read_file(slots_ / "evidence" / "guest-replies.txt").value_or(""), HasSubstr("garbage in place"));
}

TEST_F(InstalledSetTest, ASilentAgentIsAnErrorOfItsOwnClassAndNoFinding) {
  const std::vector<InstallJob> set{{"update", "d", {{.file_name = "bind9.deb"}}, {{"bind9:amd64", "2"}}}};
  ASSERT_TRUE(machine_->revert("t", set, Checkpoints::yes));
  hypervisor_silent_ = true;
  const auto phase = machine_->examine("t", "after-install");
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_EQ(phase.error->error_class, ErrorClass::silent);
  EXPECT_THAT(phase.differences, ElementsAre());
  EXPECT_THAT(phase.error->message,
              StartsWith("neither the guest agent nor the role answers: the guest agent of 'db' "));
}

TEST_F(InstalledSetTest, WhatTheGuestHasLostTheMeansToTellIsAFinding) {
  guest_.programs = [usual = guest_.programs](const auto& program, const auto& arguments, const auto& script) {
    auto process = usual(program, arguments, script);
    if (program == "/bin/sh" && arguments.size() > 2) {
      const auto at = process.output.find(arguments[2] + " kernel\n");
      process.output.insert(at + arguments[2].size() + 1, "absent ");
    }
    return process;
  };
  const auto phase = after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "36"}});
  EXPECT_EQ(phase.outcome, Outcome::fail);
  ASSERT_EQ(phase.differences.size(), 1U);
  EXPECT_EQ(phase.differences[0].item, "source kernel");
}

TEST_F(InstalledSetTest, WhatAMachineNeverHadToTellByIsSaidAtTheBaselineAndNotMissedLater) {
  guest_.programs = [usual = guest_.programs](const auto& program, const auto& arguments, const auto& script) {
    auto process = usual(program, arguments, script);
    if (program == "/bin/sh" && arguments.size() > 2) {
      const auto at = process.output.find(arguments[2] + " kernel\n");
      process.output.replace(at, process.output.find(arguments[2] + " disks") - at,
                             arguments[2] + " absent kernel\nthere is no dmesg\n");
    }
    return process;
  };
  const auto baseline = machine_->observe_baseline();
  EXPECT_EQ(baseline.outcome, Outcome::pass) << (baseline.error ? baseline.error->message : "");
  EXPECT_THAT(baseline.not_observed, Contains("kernel: there is no dmesg"));
  EXPECT_EQ(after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "36"}}).outcome, Outcome::pass);
}

// What is installed and never runs was not tested.
class EffectTest : public InstalledSetTest {
 protected:
  EffectTest() {
    job_.policy.warm_reboots = 1;
    job_.policy.cold_reboots = 0;
    boot();
    guest_.programs = [this, usual = guest_.programs](const auto& program, const auto& arguments, const auto& script) {
      if (program == "/sbin/shutdown") {
        guest_.restart();
        boot();
      }
      return usual(program, arguments, script);
    };
  }
  void boot() {
    guest_.files["/proc/sys/kernel/random/boot_id"] = fmt::format("{:08}-3bd4-450d-8146-5cf4ba5f0909\n", ++boots_);
    guest_.files["/run/patchlab-boot-complete"] = "9.1";
  }
  // The phase after the restart that follows an installation, when the guest then says this.
  reports::PhaseRecord after_restart(const std::map<std::string, std::string>& sections) {
    const auto installed = after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "36"}});
    EXPECT_EQ(installed.outcome, Outcome::pass) << "before the restart nothing has to be in effect";
    sections_ = sections;
    const auto trouble = machine_->reboot("t", "after-reboot-1", CellMachine::Reboot::warm);
    EXPECT_FALSE(trouble);
    return machine_->examine("t", "after-reboot-1");
  }
  int boots_ = 0;
};

TEST_F(EffectTest, WhatRunsAfterTheRestartPasses) {
  const auto phase = after_restart({});
  EXPECT_EQ(phase.outcome, Outcome::pass) << (phase.error ? phase.error->message : "");
}

TEST_F(EffectTest, AKernelThatIsInstalledAndNotBootedIsNoPass) {
  sections_["kernels"] = "6.1.0-28-amd64\n";
  ASSERT_EQ(machine_->observe_baseline().outcome, Outcome::pass);
  const auto phase = after_restart({{"kernels", "6.1.0-28-amd64\n6.1.0-30-amd64\n"}});
  EXPECT_EQ(phase.outcome, Outcome::fail);
  ASSERT_EQ(phase.differences.size(), 1U);
  EXPECT_EQ(phase.differences[0].kind, "effect");
  EXPECT_EQ(phase.differences[0].after, "6.1.0-28-amd64 runs, 6.1.0-30-amd64 is installed");
}

TEST_F(EffectTest, AReplacedLibraryThatStillRunsIsNoPass) {
  const auto phase = after_restart({{"replaced", "file 163 /usr/lib/libdns.so.9 named\ngrep 0\n"}});
  EXPECT_EQ(phase.outcome, Outcome::fail);
  ASSERT_EQ(phase.differences.size(), 1U);
  EXPECT_EQ(phase.differences[0].item, "file /usr/lib/libdns.so.9");
}

TEST_F(EffectTest, AKernelFromOutsideSaysNothingOfOneThatIsInstalled) {
  EXPECT_THAT(machine_->observe_baseline().not_observed,
              Contains("kernel: it comes from outside the guest, which has none of its own"));
  const auto phase = after_restart({{"kernels", "6.1.0-30-amd64\n"}});
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_EQ(phase.error->error_class, ErrorClass::configuration);
}

TEST_F(EffectTest, AKernelPackageIsNotTakenWhereItWouldNeverRun) {
  const std::vector<InstallJob> set{
      {"kernel", "d", {{.file_name = "linux.deb"}}, {{"linux-image-6.1.0-30-amd64:amd64", "6.1.124-1"}}}};
  ASSERT_TRUE(machine_->revert("t", set, Checkpoints::no));
  std::optional<Error> error;
  const auto records = machine_->install("t", set, "medium.iso", error);
  EXPECT_FALSE(error);
  EXPECT_EQ(records.at(0).outcome, Outcome::skipped);
  EXPECT_THAT(records[0].end, HasSubstr("kernel comes from outside"));
}

TEST_F(EffectTest, WithoutAPlannedRestartWhatWaitsForOneIsNoPassEither) {
  job_.policy.warm_reboots = 0;
  const std::vector<InstallJob> set{{"update", "d", {{.file_name = "bind9.deb"}}, {{"bind9:amd64", "2"}}}};
  ASSERT_TRUE(machine_->revert("t", set, Checkpoints::no));
  std::optional<Error> error;
  (void)machine_->install("t", set, "medium.iso", error);
  holds_["bind9:amd64"] = "2";
  sections_["replaced"] = "file 163 /usr/lib/libdns.so.9 named\ngrep 0\n";
  const auto phase = machine_->examine("t", "after-install");
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_THAT(phase.error->hint, HasSubstr("warm_reboots"));
}

TEST_F(InstalledSetTest, AStateOfAnotherTrialHoldsWhatThatOneAskedFor) {
  const std::vector<InstallJob> set{{"update", "digest-update", {{.file_name = "slow-a.deb"}}, {{"bind9:amd64", "2"}}}};
  for (const char* id : {"t1", "t2"}) {
    ASSERT_TRUE(machine_->revert(id, set, Checkpoints::yes));
    std::optional<Error> error;
    (void)machine_->install(id, set, "medium.iso", error);
    holds_ = {{"bind9:amd64", "2"}, {"libc6:amd64", "36"}};
    const auto phase = machine_->examine(id, "after-install");
    EXPECT_EQ(phase.outcome, Outcome::pass) << id << ": " << (phase.error ? phase.error->message : "");
  }
  EXPECT_THAT(reverts(), ElementsAre("baseline", StartsWith("prefix-1-")));
}

TEST_F(InstalledSetTest, APackageThatCameAlongIsAnErrorOfTheSetAndNoVerdict) {
  const auto phase = after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "36"}, {"extra:amd64", "1"}});
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_EQ(phase.error->message, "set widened on 'db': 'extra:amd64' (1) came along and nobody asked for it");
}

TEST_F(InstalledSetTest, AnotherPackageThatChangedIsAnErrorOfTheSetAndNoVerdict) {
  const auto phase = after_installing({{"bind9:amd64", "2"}, {"libc6:amd64", "37"}});
  ASSERT_TRUE(phase.error);
  EXPECT_EQ(phase.error->message, "set widened on 'db': 'libc6:amd64' became 37 and nobody asked for it");
}

TEST_F(InstalledSetTest, APackageThatWasNotUpdatedOrIsGoneFailsTheCandidate) {
  EXPECT_EQ(after_installing({{"bind9:amd64", "1"}, {"libc6:amd64", "36"}}).outcome, Outcome::fail);
  EXPECT_EQ(after_installing({{"bind9:amd64", "2"}}).outcome, Outcome::fail);
}

// What its service has in memory grows as `memory` says; looks may fail.
class GrowthTest : public InstalledSetTest {
 protected:
  GrowthTest() {
    test::let_idle(guest_, clock_);
    auto others = guest_.programs;
    guest_.programs = [this, others](const auto& program, const auto& arguments, const auto& script) {
      if (script.find("usage") == std::string::npos || arguments.size() < 3) return others(program, arguments, script);
      ++looks_;
      if (is_lost && is_lost(looks_)) return test::FakeAgent::Process{.exit_code = 1};
      const auto taken = memory(static_cast<double>((clock_.now() - begin_).count()) / 1000);
      test::FakeAgent::Process process;
      process.output = test::debian_answer(
          arguments[2], {{"usage", fmt::format("service {:.0f} 4 20 1000 named\nmemory 50000 150000\ntasks 40 1500\n"
                                               "files 120\nconnections 2\n",
                                               taken)}});
      return process;
    };
  }
  reports::PhaseRecord ran_on(const std::function<double(double seconds)>& its_memory,
                              Learning learning = Learning::no) {
    memory = its_memory;
    begin_ = clock_.now();
    looks_ = 0;
    EXPECT_TRUE(machine_->run_on("t", job_.policy.stability));
    return machine_->examine("t", "stability", learning);
  }
  static double steady(double) { return 5000; }
  static double leaking(double seconds) { return 5000 + 100 * seconds; }

  std::function<double(double)> memory = steady;
  std::function<bool(int look)> is_lost;
  int looks_ = 0;
  Milliseconds begin_{0};
};

TEST_F(GrowthTest, BeyondTheControlIsAFindingThatAPersonLooksAt) {
  const auto control = ran_on(steady, Learning::yes);
  EXPECT_EQ(looks_, 11);
  ASSERT_TRUE(control.growth);
  EXPECT_EQ(control.growth->why_not, "");
  EXPECT_THAT(control.differences, ElementsAre());
  EXPECT_THAT(ran_on(steady).differences, ElementsAre());
  const auto phase = ran_on(leaking);
  ASSERT_EQ(phase.differences.size(), 1U);
  EXPECT_EQ(phase.differences[0].item, "memory of named");
  EXPECT_EQ(phase.differences[0].after, "grows by about 5.0 MiB a minute");
  EXPECT_EQ(phase.outcome, Outcome::pass);
  ASSERT_TRUE(phase.growth);
  EXPECT_EQ(phase.growth->looks, 11U);
  EXPECT_EQ(phase.growth->told.at(0).used.of, "named");
  EXPECT_FALSE(machine_->examine("t", "after-reboot-1").growth) << "of that phase alone";
}

TEST_F(GrowthTest, ThatTheControlHasIsUsual) {
  (void)ran_on(leaking, Learning::yes);
  EXPECT_THAT(ran_on(leaking).differences, ElementsAre());
}

TEST_F(GrowthTest, IsNotJudgedWhenTheControlDidNotWatch) {
  const auto phase = ran_on(leaking);
  ASSERT_TRUE(phase.growth);
  EXPECT_EQ(phase.growth->why_not, "it was not watched without a patch");
  EXPECT_THAT(phase.differences, ElementsAre());
}

TEST_F(GrowthTest, IsNotWatchedForWithoutALoadOrInAFewSeconds) {
  job_.policy.stability = std::chrono::seconds(5);
  const auto phase = ran_on(leaking);
  EXPECT_EQ(looks_, 0);
  ASSERT_TRUE(phase.growth);
  EXPECT_EQ(phase.growth->why_not, "5 s are too short to see growth in");
  job_.policy.stability_load = 0;
  EXPECT_FALSE(ran_on(leaking).growth);
  EXPECT_EQ(looks_, 0);
}

TEST_F(GrowthTest, WhoseLastLookFailedIsAnErrorAndOneThatIsMissedBetweenIsSaid) {
  (void)ran_on(steady, Learning::yes);
  is_lost = [](int look) { return look >= 11; };
  const auto phase = ran_on(steady);
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_THAT(phase.error->message, HasSubstr("watching what is used up"));
  is_lost = [](int look) { return look == 4; };
  const auto other = ran_on(leaking);
  EXPECT_EQ(other.outcome, Outcome::pass);
  EXPECT_EQ(other.growth->looks, 10U);
  EXPECT_EQ(other.growth->planned, 11U);
  EXPECT_EQ(other.differences.size(), 1U);
  is_lost = [](int look) { return look > 2 && look < 10; };
  const auto blind = ran_on(leaking);
  EXPECT_EQ(blind.growth->why_not, "4 of 11 looks happened in time, and 6 are needed");
  EXPECT_THAT(blind.differences, ElementsAre());
}

// A guest of two processors that works for a while in the stability phase: one of them is busy.
class RestTest : public InstalledSetTest {
 protected:
  std::vector<std::string> findings(Milliseconds work) {
    const auto begin = clock_.now();
    guest_.before_read = [this, begin, work] {
      const auto passed = clock_.now() - begin;
      const auto idle = 2 * passed - std::min(passed, work);
      guest_.files["/proc/stat"] =
          fmt::format("cpu 1 2 3 {} 0 0\ncpu0 1 2 3 4 0 0\ncpu1 1 2 3 4 0 0\n", 5000 + idle.count() / 10);
    };
    guest_.files["/proc/stat"] = "";
    EXPECT_TRUE(machine_->run_on("t", std::chrono::seconds(20)));
    took_ = clock_.now() - begin;
    guest_.before_read = {};
    std::vector<std::string> items;
    for (const auto& difference : machine_->examine("t", "stability").differences) items.push_back(difference.item);
    return items;
  }
  static constexpr Milliseconds for_ever{std::chrono::hours(1)};
  Milliseconds took_{0};
};

TEST_F(RestTest, AMachineThatNeverRestsIsAFinding) {
  EXPECT_THAT(findings(for_ever), ElementsAre("processor"));
  EXPECT_GE(took_, std::chrono::seconds(80));
  EXPECT_THAT(findings(std::chrono::seconds(0)), ElementsAre()) << "of that phase alone";
}

TEST_F(RestTest, AMachineThatComesToRestInTimeIsNotWaitedFor) {
  EXPECT_THAT(findings(std::chrono::seconds(15)), ElementsAre());
  EXPECT_LT(took_, std::chrono::seconds(21));
}

TEST_F(RestTest, WorkThatComesToAnEndIsNoFinding) {
  EXPECT_THAT(findings(std::chrono::seconds(40)), ElementsAre());
  EXPECT_LT(took_, std::chrono::seconds(50));
}

TEST_F(RestTest, ABusyBaselineSaysNothing) {
  hypervisor_.alter("db", [](auto& machine) { machine.busy = Milliseconds(500); });
  (void)machine_->observe_baseline();
  EXPECT_THAT(findings(for_ever), ElementsAre());
}

TEST_F(RestTest, AMachineThatRestartsByItselfIsAFinding) {
  auto looks = 0;
  guest_.files["/proc/stat"] = "";
  guest_.before_read = [&] {
    guest_.files["/proc/stat"] = fmt::format("cpu 1 2 3 {} 0 0\ncpu0 1 2 3 4 0 0\n", ++looks == 1 ? 50000 : 900);
  };
  EXPECT_TRUE(machine_->run_on("t", std::chrono::seconds(20)));
  const auto phase = machine_->examine("t", "stability");
  guest_.before_read = {};
  EXPECT_EQ(phase.outcome, Outcome::fail);
  ASSERT_EQ(phase.differences.size(), 1U);
  EXPECT_EQ(phase.differences[0].after, "restarted by itself");
}

TEST_F(RestTest, WhetherItRestsHasToBeSeen) {
  EXPECT_TRUE(machine_->run_on("t", std::chrono::seconds(20)));
  const auto phase = machine_->examine("t", "stability");
  EXPECT_EQ(phase.outcome, Outcome::error);
  ASSERT_TRUE(phase.error);
  EXPECT_THAT(phase.error->message, HasSubstr("/proc/stat"));
}

TEST_F(RestTest, CanBeAccepted) {
  std::vector<JsonProblem> problems;
  job_.machines[0].plan.allowances = checks::state::read_allowances({{"facts", {"processor"}}}, "", problems);
  EXPECT_THAT(findings(for_ever), ElementsAre());
}

// A mail server that refuses to relay, and tells how long its answer took.
class SlowerTest : public InstalledSetTest {
 protected:
  SlowerTest() {
    job_.worker_program = slots_ / "worker";
    std::ofstream(job_.worker_program) << "#!/bin/sh\ncat " << (slots_ / "answer").string() << "\n";
    std::filesystem::permissions(job_.worker_program, std::filesystem::perms::owner_all);
    job_.machines[0].plan.checks = {
        {"relay", "mail.relay-refused", Json::object(), Milliseconds(5000), Milliseconds(100)}};
    takes(Milliseconds(50));
  }
  void takes(Milliseconds duration) {
    const auto stage = [](const char* name, const char* answer) { return Json{{"stage", name}, {"answer", answer}}; };
    const Json stages{stage("connect", ""), stage("banner", "220"), stage("ehlo", "250"), stage("rcpt", "554")};
    std::ofstream(slots_ / "answer") << Json{{"observation", {{"smtp", {{"stages", stages}}}}},
                                             {"took_ms", duration.count()}};
  }
};

TEST_F(SlowerTest, ACheckThatTakesLongerThanBeforeThePatchFails) {
  const auto before = machine_->observe_baseline().checks.at(0);
  ASSERT_EQ(before.outcome, Outcome::pass) << before.observed;
  takes(Milliseconds(150));
  EXPECT_EQ(machine_->examine("t", "after-install").checks.at(0).outcome, Outcome::pass);
  takes(Milliseconds(151));
  const auto record = machine_->examine("t", "after-install");
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_EQ(record.checks.at(0).reason, "slower");
  EXPECT_EQ(record.checks.at(0).expected, "within 150 ms: 50 ms without any patch, and 100 ms more");
}

TEST_F(SlowerTest, IsHeldAgainstTheControlOfTheSamePhase) {
  (void)machine_->observe_baseline();
  takes(Milliseconds(140));
  EXPECT_EQ(machine_->examine("t1", "after-reboot-1", Learning::yes).outcome, Outcome::pass);
  takes(Milliseconds(240));
  EXPECT_EQ(machine_->examine("t2", "after-reboot-1").outcome, Outcome::pass);
  takes(Milliseconds(241));
  EXPECT_EQ(machine_->examine("t2", "after-reboot-1").outcome, Outcome::fail);
}

TEST_F(SlowerTest, AControlThatIsOnlySlowerPassesAndNothingIsJudgedThen) {
  (void)machine_->observe_baseline();
  takes(Milliseconds(200));
  const auto control = machine_->examine("t1", "after-reboot-1", Learning::yes);
  EXPECT_EQ(control.outcome, Outcome::pass);
  ASSERT_TRUE(control.checks.at(0).slowness);
  EXPECT_FALSE(control.checks.at(0).slowness->judged);
  takes(Milliseconds(5000));
  const auto record = machine_->examine("t2", "after-reboot-1");
  EXPECT_EQ(record.outcome, Outcome::pass);
  ASSERT_TRUE(record.checks.at(0).slowness);
  EXPECT_FALSE(record.checks.at(0).slowness->judged);
}

// The other slot is taken, and the check gets its answer only when somebody gives this one back.
class WaitingCheckTest : public SlowerTest {
 protected:
  WaitingCheckTest() { context_.idle_look = Milliseconds(10); }
  void patience(const std::string& seconds) const {
    std::ofstream(job_.worker_program) << "#!/bin/sh\ncd " << slots_.string() << "\nexec flock -w " << seconds << " "
                                       << slot_name(0) << " cat answer\n";
  }
  const Result<FileLock> other_ = FileLock::take(slots_ / slot_name(1), FileLock::Mode::exclusive, FileLock::at_once());
};

TEST_F(WaitingCheckTest, HoldsNoProcessorSlotWhileTheGuestHasNothingToDo) {
  (void)machine_->observe_baseline();
  patience("20");
  hypervisor_.alter("db", [](auto& machine) { machine.busy = Milliseconds(0); });
  const auto record = machine_->examine("t", "after-install");
  EXPECT_EQ(record.checks.at(0).outcome, Outcome::pass) << record.checks.at(0).observed;
  EXPECT_EQ(record.outcome, Outcome::pass);
}

// Four clients wait for what only the fifth brings about.
TEST_F(WaitingCheckTest, KeepsNoOtherCheckWaitingWhileTheGuestHasNothingToDo) {
  (void)machine_->observe_baseline();
  const auto one = job_.machines[0].plan.checks.at(0);
  for (const char* id : {"second", "third", "fourth", "fifth"}) {
    job_.machines[0].plan.checks.push_back(one);
    job_.machines[0].plan.checks.back().id = id;
  }
  const auto waited_in_vain =
      [&](int patience) {
        std::filesystem::remove(slots_ / "asked");
        std::ofstream(job_.worker_program)
            << "#!/bin/sh\ncd " << slots_.string() << "\necho >> asked\nfor i in $(seq " << patience
            << "); do\n  [ $(wc -l < asked) -lt 5 ] || exec cat answer\n  sleep 0.05\ndone\n";
        return !machine_->examine("t", "after-install").checks.at(0).tries.empty();
      };
  hypervisor_.alter("db", [](auto& machine) { machine.busy = Milliseconds(0); });
  hypervisor_.alter("db", [](auto& machine) { machine.waits = Milliseconds(0); });
  EXPECT_FALSE(waited_in_vain(400));
  hypervisor_.alter("db", [](auto& machine) { machine.waits = Milliseconds(10); });
  EXPECT_TRUE(waited_in_vain(6)) << "a guest that starves is not idle";
  hypervisor_.alter("db", [](auto& machine) { machine.waits = std::nullopt; });
  EXPECT_TRUE(waited_in_vain(6)) << "whether it starves is not known";
  hypervisor_.alter("db", [](auto& machine) { machine.waits = Milliseconds(0); });
  hypervisor_.alter("db", [](auto& machine) { machine.busy = Milliseconds(10); });
  EXPECT_TRUE(waited_in_vain(6)) << "it was let in beside a busy guest";
}

TEST_F(WaitingCheckTest, HoldsItsProcessorSlotWhileTheGuestWorks) {
  (void)machine_->observe_baseline();
  patience("0.3");
  hypervisor_.alter("db", [](auto& machine) { machine.busy = Milliseconds(10); });
  EXPECT_EQ(machine_->examine("t", "after-install").checks.at(0).outcome, Outcome::error) << "it got the slot";
}

// A mail server that relays now and then: answers in a row, 'y' is right, 'n' wrong, 'e' none of the worker; the last
// is repeated.
class FlakyTest : public InstalledSetTest {
 protected:
  FlakyTest() {
    job_.worker_program = slots_ / "worker";
    const auto stage = [](const char* name, const char* answer) { return Json{{"stage", name}, {"answer", answer}}; };
    for (const char* answer : {"554", "250"}) {
      const Json stages{stage("connect", ""), stage("banner", "220"), stage("ehlo", "250"), stage("rcpt", answer)};
      std::ofstream(slots_ / answer) << Json{{"observation", {{"smtp", {{"stages", stages}}}}}, {"took_ms", 5}};
    }
    std::ofstream(job_.worker_program)
        << "#!/bin/sh\ncd " << slots_.string()
        << "\nread script < script\nnow=${script%${script#?}}\nrest=${script#?}\n"
           "echo ${rest:-$now} > script\ncase $now in y) cat 554;; n) cat 250;; *) exit 70;; esac\n";
    std::filesystem::permissions(job_.worker_program, std::filesystem::perms::owner_all);
    job_.machines[0].plan.checks = {{"relay", "mail.relay-refused", Json::object(), Milliseconds(5000), {}}};
  }
  void answers(const std::string& script) const { std::ofstream(slots_ / "script") << script << "\n"; }
  static std::string tries(const reports::PhaseRecord& record) {
    std::string text;
    for (const auto& one : record.checks.at(0).tries) text += to_string(one.outcome)[0];
    return text;
  }
};

TEST_F(FlakyTest, ABaselineThatFailsOnceIsGoneOnWithAndOneThatFailsTwiceIsBroken) {
  answers("ny");
  const auto flaky = machine_->observe_baseline();
  EXPECT_EQ(flaky.outcome, Outcome::pass);
  EXPECT_EQ(tries(flaky), "fp");
  answers("n");
  const auto broken = machine_->observe_baseline();
  EXPECT_EQ(broken.outcome, Outcome::fail);
  EXPECT_EQ(tries(broken), "ff");
}

// A worker that answers well, leaves a token, and writes down what it was told.
class RememberingTest : public FlakyTest {
 protected:
  RememberingTest() {
    auto answer = Json::parse(std::ifstream(slots_ / "554"));
    answer["observation"]["memory"] = "a token";
    std::ofstream(slots_ / "554") << answer;
    std::ofstream(job_.worker_program) << "#!/bin/sh\ncd " << slots_.string() << "\ncat > told\ncat 554\n";
  }
  // What the check was told in that phase.
  [[nodiscard]] Json told(const char* phase) {
    const auto record = machine_->examine("t", phase);
    EXPECT_EQ(record.checks.at(0).outcome, Outcome::pass);
    return Json::parse(std::ifstream(slots_ / "told")).at("target").value("memory", Json());
  }
};

TEST_F(RememberingTest, ACheckIsToldInLaterPhasesOfATrialWhatItLeft) {
  (void)machine_->observe_baseline();
  ASSERT_TRUE(machine_->revert("t", {}, CellMachine::Checkpoints::no));
  EXPECT_EQ(told("after-install"), Json()) << "what was left at the baseline is of no trial";
  EXPECT_EQ(told("after-reboot-1"), "a token");
  ASSERT_TRUE(machine_->move_clock("t", "clock+1d", std::chrono::hours(24)));
  EXPECT_EQ(told("clock+1d"), Json()) << "what it counts on may be over";
  EXPECT_EQ(told("after-reboot-2"), "a token");
  ASSERT_TRUE(machine_->revert("t", {}, CellMachine::Checkpoints::no));
  EXPECT_EQ(told("after-install"), Json());
}

TEST_F(FlakyTest, TroubleOfTheWorkerDoesNotCostATrial) {
  answers("y");
  (void)machine_->observe_baseline();
  answers("ey");
  const auto record = machine_->examine("t", "after-install");
  EXPECT_EQ(record.outcome, Outcome::pass);
  EXPECT_EQ(tries(record), "ep");
}

// What a patch breaks for the first request after each restart, or now and then.
TEST_F(FlakyTest, ACheckThatWasSteadyWithoutAPatchHasOneSecondChanceInANight) {
  answers("y");
  (void)machine_->observe_baseline();
  EXPECT_EQ(machine_->examine("t1", "after-reboot-1", Learning::yes).outcome, Outcome::pass);
  answers("ny");
  const auto once = machine_->examine("t2", "after-install");
  EXPECT_EQ(once.outcome, Outcome::pass);
  EXPECT_EQ(tries(once), "fp") << "on record";
  answers("ny");
  const auto again = machine_->examine("t2", "after-reboot-1");
  EXPECT_EQ(again.outcome, Outcome::fail);
  EXPECT_EQ(tries(again), "") << "it failed on two occasions now";
}

// A statement that took too long on a busy host: the server says so, too.
TEST_F(FlakyTest, WhatIsLoggedBesideAFailedTryIsToldWithItAndDecidesNothingInThisTrial) {
  answers("y");
  (void)machine_->observe_baseline();
  ASSERT_TRUE(machine_->revert("t1", {}, Checkpoints::no));
  sections_["log"] = "Nov 22 06:00:00 db1 postgres[163]: error: canceling statement due to statement timeout\n";
  answers("ny");
  const auto flaky = machine_->examine("t1", "after-install");
  EXPECT_EQ(flaky.outcome, Outcome::pass);
  EXPECT_THAT(flaky.checks.at(0).tries.at(0).evidence["logged_in_this_phase"].dump(), HasSubstr("canceling statement"));
  EXPECT_FALSE(flaky.checks.at(0).tries.at(0).evidence["observed"].is_null());
  EXPECT_EQ(machine_->examine("t1", "after-reboot-1").outcome, Outcome::pass) << "it is the same line";
  sections_["log"] += "Nov 22 06:00:00 db1 postgres[163]: error: the disk is full\n";
  EXPECT_EQ(machine_->examine("t1", "stability").outcome, Outcome::fail) << "it is another line";

  ASSERT_TRUE(machine_->revert("t2", {}, Checkpoints::no));
  EXPECT_EQ(machine_->examine("t2", "after-install").differences.size(), 2U) << "and now without a failed try";
}

TEST(MachineOutcome, IsAFailureByABreachAlone) {
  using checks::state::FindingClass;
  reports::PhaseRecord phase;
  phase.differences = {{"file", "/etc/named.conf", "a", "b", FindingClass::review},
                       {"file", "/usr/share/doc/a", "a", "b", FindingClass::notice}};
  EXPECT_EQ(machine_outcome(phase), Outcome::pass);
  phase.differences.push_back({"service", "named", "running", ""});
  EXPECT_EQ(machine_outcome(phase), Outcome::fail);
  phase.differences.back().finding = FindingClass::review;
  phase.checks.push_back({.id = "a-record", .outcome = Outcome::fail});
  EXPECT_EQ(machine_outcome(phase), Outcome::fail) << "it hides nothing else";
  phase.error = guest_error("silent");
  EXPECT_EQ(machine_outcome(phase), Outcome::error);
}

// Its services ended each other because they got no processor. What is broken is logged again on a host with room.
TEST_F(FlakyTest, WhatAStarvedGuestLogsIsTheLabsTroubleAndWhatItsChecksFindIsNot) {
  const auto starve = [this](std::optional<Milliseconds> waits, Milliseconds busy) {
    hypervisor_.alter("db", [&](auto& machine) {
      machine.waits = waits;
      machine.busy = busy;
    });
  };
  answers("y");
  starve(Milliseconds(0), Milliseconds(0));
  (void)machine_->observe_baseline();
  const auto examined = [&](std::optional<Milliseconds> waits, Milliseconds busy) {
    EXPECT_TRUE(machine_->revert("t1", {}, Checkpoints::no));
    sections_["log"] = "Nov 22 06:00:00 db1 postgres[163]: error: no answer of a child in 30 seconds\n";
    starve(waits, busy);
    auto record = machine_->examine("t1", "after-install");
    EXPECT_EQ(record.differences.size(), 1U) << "it stays on record";
    return record;
  };
  const auto starved = examined(std::chrono::seconds(12), std::chrono::seconds(2));
  EXPECT_EQ(starved.outcome, Outcome::error);
  EXPECT_EQ(starved.error->error_class, ErrorClass::infrastructure);
  EXPECT_THAT(starved.error->message, HasSubstr("the host was too busy for what 'db' logged to mean anything"));
  EXPECT_EQ(examined(Milliseconds(100), Milliseconds(10)).outcome, Outcome::fail) << "not for long";
  EXPECT_EQ(examined(std::chrono::seconds(12), std::chrono::minutes(2)).outcome, Outcome::fail)
      << "it had more than that";
  answers("n");
  EXPECT_EQ(examined(std::chrono::seconds(12), std::chrono::seconds(2)).outcome, Outcome::fail) << "a check failed";
  answers("y");
  EXPECT_EQ(examined(std::nullopt, std::chrono::seconds(2)).outcome, Outcome::fail) << "nobody knows";
  EXPECT_EQ(examined(std::chrono::seconds(12), std::chrono::seconds(2)).outcome, Outcome::fail) << "nor since when";
}

// Of a trial that goes on: a client of a broken server gives up now and then.
TEST_F(FlakyTest, WhatIsFlakyBehindAFailureCostsNoSecondChanceOfAnotherTrial) {
  answers("y");
  (void)machine_->observe_baseline();
  ASSERT_TRUE(machine_->revert("t1", {}, Checkpoints::no));
  sections_["log"] = "Nov 22 06:00:00 db1 postgres[163]: error: the disk is full\n";
  EXPECT_EQ(machine_->examine("t1", "after-install").outcome, Outcome::fail);
  answers("ny");
  const auto behind = machine_->examine("t1", "after-reboot-1");
  EXPECT_EQ(tries(behind), "fp") << "is asked again as any check that had passed";

  sections_["log"].clear();
  ASSERT_TRUE(machine_->revert("t2", {}, Checkpoints::no));
  answers("ny");
  EXPECT_EQ(machine_->examine("t2", "after-install").outcome, Outcome::pass) << "its first failure in a night";
}

TEST_F(FlakyTest, ACheckThatFailedIsNotWaitedForTwiceInTheSameTrial) {
  answers("y");
  (void)machine_->observe_baseline();
  ASSERT_TRUE(machine_->revert("t1", {}, Checkpoints::no));
  answers("n");
  EXPECT_EQ(tries(machine_->examine("t1", "after-install")), "ff");
  const auto behind = machine_->examine("t1", "after-reboot-1");
  EXPECT_EQ(behind.outcome, Outcome::fail);
  EXPECT_EQ(tries(behind), "") << "asked once";
  ASSERT_TRUE(machine_->revert("t2", {}, Checkpoints::no));
  EXPECT_EQ(tries(machine_->examine("t2", "after-install")), "ff");
}

TEST_F(FlakyTest, ACheckThatIsFlakyWithoutAPatchIsAskedAgainEachTime) {
  answers("y");
  (void)machine_->observe_baseline();
  answers("ny");
  EXPECT_EQ(machine_->examine("t1", "after-reboot-1", Learning::yes).outcome, Outcome::pass);
  for (const char* phase : {"after-install", "after-reboot-1", "stability"}) {
    answers("ny");
    EXPECT_EQ(machine_->examine("t2", phase).outcome, Outcome::pass) << phase;
  }
  answers("n");
  EXPECT_EQ(machine_->examine("t2", "after-install").outcome, Outcome::fail) << "two in a row";
}

// A program that looks ('y'), or says that it did not ('n').
class SkippedTest : public FlakyTest {
 protected:
  SkippedTest() {
    for (const auto& [file, code] : {std::pair{"554", 0}, std::pair{"250", 77}}) {
      const Json observation{{"program", "look"},           {"end", "exit"}, {"code", code},
                             {"output", "no network here"}, {"errors", ""},  {"performance", Json::array()}};
      std::ofstream(slots_ / file) << Json{{"observation", observation}, {"took_ms", 5}};
    }
    const std::string bytes = "#!/bin/sh\n";
    job_.machines[0].plan.checks = {{"look",
                                     "command",
                                     Json{{"program", "look"}},
                                     Milliseconds(5000),
                                     {},
                                     checks::CheckProgram{"look", sha256(bytes), bytes}}};
  }
};

// Nobody looked: no machine passes by that, with a patch or without one, and nobody is convicted.
TEST_F(SkippedTest, ACheckThatWasSkippedIsNoPassAndNoVerdict) {
  answers("y");
  EXPECT_EQ(machine_->observe_baseline().outcome, Outcome::pass);
  answers("n");
  const auto record = machine_->examine("t", "after-install");
  EXPECT_EQ(record.outcome, Outcome::error);
  EXPECT_EQ(record.checks.at(0).outcome, Outcome::skipped);
  EXPECT_EQ(record.checks.at(0).reason, "skipped");
  EXPECT_EQ(record.checks.at(0).observed, "exit code 77 (skipped): no network here");
  EXPECT_EQ(tries(record), "") << "it is not asked until it says something else";
  EXPECT_EQ(machine_->observe_baseline().outcome, Outcome::error);
}

TEST_F(CellMachineTest, AMachineThatIsGoneSaysNothingAboutACandidate) {
  job_.policy.install_timeout = std::chrono::seconds(20);
  guest_.jobs = [](const auto&) { return test::FakeAgent::Job{{}, "", 1}; };
  const auto set = jobs({"hangs"});
  ASSERT_TRUE(machine_->revert("t", set, Checkpoints::yes));
  hypervisor_.fail("state", 1, infrastructure_error("the connection is lost"));
  std::optional<Error> error;
  const auto records = machine_->install("t", set, "medium.iso", error);
  EXPECT_TRUE(error);
  EXPECT_EQ(records.at(0).outcome, Outcome::error);
}

}  // namespace
}  // namespace patchlab::runners::cell
