// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/cell.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iostream>
#include <mutex>
#include <regex>
#include <thread>

#include "lab/guest/debian_scripts.hpp"
#include "reports/record/queries.hpp"
#include "runners/talk/reply.hpp"
#include "tests/support/debian_guest.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"
#include "tests/support/server_captures.hpp"
#include "tests/support/tcp_listener.hpp"

namespace patchlab::runners::cell {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// A department of one machine, whose guest restarts, logs and dies as told.
class CellTest : public ::testing::Test {
 protected:
  CellTest() {
    MachineJob machine;
    machine.plan.name = "dns";
    machine.plan.services = {"named"};
    job_.department = "finance";
    job_.machines = {machine};
    job_.policy = {.warm_reboots = 2, .cold_reboots = 0, .stability = std::chrono::seconds(20), .lab_retries = 0};
    job_.evidence = folder_ / "evidence";
    lab::MachineSpec spec;
    spec.name = "dns";
    (void)hypervisor_.define(spec);
    hypervisor_.on_agent([this](auto& machine, const auto& command) { return asked(machine, command); });
    guest_.jobs = [this](const std::string& command) { return installs(command, 1); };
    guest_.programs = [this](const auto& program, const auto& arguments, const auto&) {
      return answer(program, arguments);
    };
    test::let_idle(guest_, clock_);
    boot();
  }
  ~CellTest() override { std::filesystem::remove_all(folder_); }

  static std::filesystem::path new_folder() {
    std::string pattern = ::testing::TempDir() + "patchlab-cell-XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  void boot() {
    ++boots_;
    guest_.files["/proc/sys/kernel/random/boot_id"] = fmt::format("{:08}-3bd4-450d-8146-5cf4ba5f0909\n", boots_);
    guest_.files["/run/patchlab-boot-complete"] = "9.1";
  }

  Result<std::string> asked(test::FakeHypervisor::Machine& machine, const std::string& command) {
    if (deaf_) return timeout_error("the guest agent gives no answer");
    within_ = &machine.guest;
    return guest_.answer(command);
  }
  // What it installs it lists from then on, until it is reverted.
  test::FakeAgent::Job installs(const std::string& command, int looks) {
    static const std::regex package(R"(\b(update|canary|slow-[a-z])\b)");
    for (std::sregex_iterator it(command.begin(), command.end(), package), end; it != end; ++it)
      (*within_)[it->str() + ":amd64"] = "2";
    return {0, "Setting up ...\n", looks};
  }

  test::FakeAgent::Process answer(const std::string& program, const std::vector<std::string>& arguments) {
    test::FakeAgent::Process process;
    if (program == "/sbin/shutdown") {
      ++restarts_;
      guest_.restart();
      if (restarts_ != stuck_at_) boot();
      deaf_ = restarts_ == deaf_at_;
    } else if (program == "dpkg-query") {
      process.output = "bind9:amd64\t1\tok\tinstalled\n";
      for (const auto& [name, version] : *within_) {
        if (name.ends_with(":amd64")) process.output += name + "\t" + version + "\tok\tinstalled\n";
      }
    } else if (arguments.size() > 2) {
      const auto& mark = arguments[2];
      const bool alive = dies_after_ == Milliseconds(0) || clock_.now() < dies_after_;
      process.output = test::debian_answer(mark, {{"scripts", alive ? "0 named\n" : "3 named\n"}, {"log", logs_}});
    }
    return process;
  }

  TrialJob trial(reports::Purpose purpose) const {
    TrialJob job{.id = "finance/t1", .purpose = purpose, .candidates = {}, .set_digest = {}, .machines = {"dns"}};
    if (purpose == reports::Purpose::control)
      job.reboot_anyway = {"dns"};
    else
      job.installs["dns"] = {{"update", "digest-update", {{.file_name = "update.deb"}}, {{"update:amd64", "2"}}}},
      job.media["dns"] = "medium.iso";
    job.stop_at_first_failure = purpose == reports::Purpose::search;
    return job;
  }

  static std::vector<std::string> phases_of(const reports::TrialRecord& record) {
    std::vector<std::string> phases;
    for (const auto& phase : record.phases) phases.push_back(phase.phase + " " + to_string(phase.outcome));
    return phases;
  }

  Cell& prepared() {
    if (!cell_) {
      cell_ = std::make_unique<Cell>(
          context_, [this](const std::string& phase) { fence_.push_back(phase); },
          [this](const std::string& phase, const std::string& in, CellMachine& machine, const std::string& why_not) {
            const std::lock_guard lock(mutex_);
            inside_.push_back(phase + " " + in + " " + machine.name() + (why_not.empty() ? "" : ": " + why_not));
          });
      const auto baseline = cell_->prepare();
      EXPECT_EQ(baseline.outcome, Outcome::pass) << (baseline.error ? baseline.error->message : "");
    }
    return *cell_;
  }

  const std::filesystem::path folder_ = new_folder();
  test::FakeClock clock_;
  test::FakeHypervisor hypervisor_;
  test::FakeAgent guest_;
  std::map<std::string, std::string>* within_ = nullptr;  // the machine whose agent is asked
  CellJob job_;
  CellContext context_{hypervisor_,
                       host_processes(),
                       clock_,
                       job_,
                       Slots(folder_, 2, clock_),
                       [this](const Json& event) {
                         const std::lock_guard lock(mutex_);
                         events_.push_back(event);
                       },
                       {},
                       "br"};
  std::mutex mutex_;  // of what is told here: machines have threads of their own
  std::vector<Json> events_;
  std::unique_ptr<Cell> cell_;
  std::vector<std::string> fence_;
  std::vector<std::string> inside_;
  int boots_ = 0;
  int restarts_ = 0;
  int stuck_at_ = 0;  // this restart does not come to its end
  int deaf_at_ = 0;   // after this one the guest agent says nothing
  bool deaf_ = false;
  std::string logs_;
  std::string later_;
  Milliseconds dies_after_{0};  // the service stops at that time; 0: never
};

// What is put into a machine for good.
class PutInTest : public CellTest {
 protected:
  PutInTest() {
    guest_.programs = [this](const auto& program, const auto& arguments, const auto&) {
      if (program == "/sbin/shutdown") {
        asked_to_end_ = arguments;
        if (!hangs_) ends_ = true;
      }
      return program == "dpkg-query" ? listed() : answer_else(program, arguments);
    };
    guest_.jobs = [this](const auto&) {
      version_ = "2";
      return test::FakeAgent::Job{installer_code_, "said by dpkg", 1};
    };
    guest_.files["/var/lib/dpkg/status"] = "Package: bind9\n";
    // A guest that switches itself off is off when somebody looks.
    hypervisor_.on_agent([this](auto& machine, const auto& command) -> Result<std::string> {
      auto reply = guest_.answer(command);
      if (ends_) machine.state = lab::MachineState::off;
      return reply;
    });
  }
  [[nodiscard]] test::FakeAgent::Process listed() const {
    test::FakeAgent::Process process;
    process.output = "bind9:amd64\t" + version_ + "\tok\tinstalled\n";
    return process;
  }
  test::FakeAgent::Process answer_else(const std::string& program, const std::vector<std::string>& arguments) {
    return program == "/sbin/shutdown" ? test::FakeAgent::Process() : answer(program, arguments);
  }
  Cell::PutIn put_in() {
    auto job = trial(reports::Purpose::final);
    job.installs["dns"] = {{"update", "digest-update", {{.file_name = "bind9.deb"}}, {{"bind9:amd64", "2"}}}};
    cell_ = std::make_unique<Cell>(
        context_, [this](const std::string& phase) { fence_.push_back(phase); },
        [](const std::string&, const std::string&, CellMachine&, const std::string&) {});
    return cell_->put_in(job);
  }

  std::vector<std::string> asked_to_end_;
  bool ends_ = false;
  bool hangs_ = false;
  int installer_code_ = 0;
  std::string version_ = "1";
};

TEST_F(PutInTest, InstallsShutsDownCleanlyAndAsksNoCheck) {
  const auto done = put_in();
  ASSERT_FALSE(done.record.error) << done.record.error->message;
  EXPECT_THAT(fence_, ElementsAre("before"));
  ASSERT_EQ(done.record.installs.size(), 1U);
  EXPECT_EQ(done.record.installs[0].outcome, Outcome::pass);
  EXPECT_EQ(done.packages.at("dns").text, "Package: bind9\n");
  EXPECT_EQ(done.packages.at("dns").installed, (lab::guest::InstalledSet{{"bind9:amd64", "2"}}));
  EXPECT_THAT(asked_to_end_, Contains("-P"));
  EXPECT_THAT(done.record.phases, IsEmpty());
  EXPECT_THAT(hypervisor_.calls(), Not(Contains(StartsWith("take_snapshot"))));
}

TEST_F(PutInTest, WhatIsNotInstalledLeavesNothingToKeep) {
  installer_code_ = 1;
  const auto done = put_in();
  ASSERT_TRUE(done.record.error);
  EXPECT_THAT(done.record.error->message, ::testing::HasSubstr("'update' is not installed: fail"));
  EXPECT_THAT(asked_to_end_, IsEmpty());
}

// A disk of a machine that was switched off as if the plug was pulled is no image.
TEST_F(PutInTest, AGuestThatDoesNotSwitchItselfOffIsAnError) {
  hangs_ = true;
  const auto done = put_in();
  ASSERT_TRUE(done.record.error);
  EXPECT_EQ(done.record.error->error_class, ErrorClass::guest);
  EXPECT_THAT(done.record.error->message, ::testing::HasSubstr("the clean power-off of 'dns'"));
}

TEST_F(CellTest, GoesThroughEveryPlannedPhase) {
  const auto record = prepared().run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(record.outcome, Outcome::pass) << (record.error ? record.error->message : "");
  EXPECT_THAT(phases_of(record),
              ElementsAre("after-install pass", "after-reboot-1 pass", "after-reboot-2 pass", "stability pass"));
  EXPECT_EQ(boots_, 3);
  EXPECT_THAT(fence_, ElementsAre("before", "during"));
  EXPECT_THAT(inside_, ElementsAre("before finance/baseline dns", "during finance/t1 dns"));
}

// Nothing of what it sees is of the earlier run but the machine.
TEST_F(CellTest, GoesOnFromABaselineThatAnEarlierRunSaved) {
  hypervisor_.alter("dns", [](auto& machine) { machine.on_disk["baseline"] = {}; });
  job_.kept_baseline = KeptBaseline{"r0", {{"dns", Milliseconds(4000)}}};
  Cell cell(
      context_, [this](const std::string& phase) { fence_.push_back(phase); },
      [this](const auto& phase, const auto&, auto&, const auto&) { inside_.push_back(phase); });
  const auto baseline = cell.prepare();
  EXPECT_EQ(baseline.outcome, Outcome::pass) << (baseline.error ? baseline.error->message : "");
  EXPECT_EQ(baseline.state_of_run, "r0");
  EXPECT_THAT(phases_of(baseline), ElementsAre("baseline pass"));
  EXPECT_THAT(fence_, ElementsAre("before"));
  EXPECT_THAT(inside_, ElementsAre("before"));
  auto calls = hypervisor_.calls();
  std::erase_if(calls, [](const auto& call) { return call.find("snapshot") == std::string::npos; });
  EXPECT_THAT(calls,
              ElementsAre("adopt_snapshot dns baseline", "delete_snapshot dns baseline", "take_snapshot dns baseline"))
      << "trials start from tonight's";
  EXPECT_THAT(hypervisor_.calls(), Not(Contains("start dns")));
  const auto told = std::ranges::find_if(events_, [](const auto& event) { return event["event"] == "baseline"; });
  ASSERT_NE(told, events_.end());
  EXPECT_EQ((*told)["usual_ready_ms"]["dns"], 4000) << "of a start, not of a revert";
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).outcome, Outcome::pass);
}

TEST_F(CellTest, AKeptBaselineThatIsNotThereIsAnErrorAndTheMachineCanStartAnew) {
  job_.kept_baseline = KeptBaseline{"r0", {{"dns", Milliseconds(4000)}}};
  Cell cell(
      context_, [](const auto&) {}, [](const auto&, const auto&, auto&, const auto&) {});
  const auto lost = cell.prepare();
  EXPECT_EQ(lost.outcome, Outcome::error);
  EXPECT_EQ(lost.state_of_run, "r0");
  ASSERT_TRUE(lost.error);
  EXPECT_THAT(lost.error->message, StartsWith("reverting 'dns' for the baseline"));
  job_.kept_baseline.reset();
  const auto again = cell.prepare();
  EXPECT_EQ(again.id, "finance/baseline-2");
  EXPECT_EQ(again.outcome, Outcome::pass);
  EXPECT_EQ(again.state_of_run, "");
}

// Two nights on one machine. What the first left in its disk is all that the second has.
class KeptInstallTest : public CellTest {
 protected:
  KeptInstallTest() {
    job_.policy.warm_reboots = 1;
    job_.policy.stability = Milliseconds(0);
    job_.keep_installs = true;
    guest_.jobs = [this](const std::string& command) {
      const auto at = command.find("slow");
      installed_.push_back(command.substr(at, 6));
      return installs(command, 100);
    };
  }
  static TrialJob trial_of(const std::string& id, const std::vector<std::string>& names) {
    TrialJob job{.id = id, .purpose = reports::Purpose::batch, .candidates = names, .set_digest = {}, .machines = {}};
    job.machines = {"dns"};
    job.media["dns"] = "medium.iso";
    for (const auto& name : names)
      job.installs["dns"].push_back({name, "digest-" + name, {{.file_name = name}}, {{name + ":amd64", "2"}}});
    return job;
  }
  static std::vector<std::string> digests(const std::vector<std::string>& names) {
    std::vector<std::string> all;
    for (const auto& name : names) all.push_back("digest-" + name);
    return all;
  }
  // As the parent does: it says whose they are.
  PatchedStates kept_of(Cell& cell, const std::vector<std::string>& names) {
    const auto later = cell.installs_for_later({{"dns", digests(names)}});
    EXPECT_TRUE(later);
    auto states = patched_states_from_json(later.value()).value();
    for (auto& state : states["dns"]) {
      for (auto& install : state.installs) {
        if (install.installed_run.empty()) install.installed_run = "r1";
      }
    }
    return states;
  }
  Cell& next_night(const PatchedStates& states) {
    hypervisor_.alter("dns", [](auto& machine) {
      machine.on_disk = std::exchange(machine.snapshots, {});
      machine.state = lab::MachineState::off;
    });
    boots_ = 0;
    boot();  // in the disk it is the same start
    installed_.clear();
    job_.kept_baseline = KeptBaseline{"r1", {{"dns", Milliseconds(4000)}}, states};
    cell_.reset();
    return prepared();
  }
  [[nodiscard]] std::vector<std::string> snapshots() const {
    std::vector<std::string> names;
    for (const auto& [name, state] : hypervisor_.machine("dns").snapshots) names.push_back(name);
    return names;
  }
  // Of each candidate: by which run, and in which trial.
  static std::vector<std::string> by(const reports::TrialRecord& record) {
    std::vector<std::string> all;
    for (const auto& install : record.installs) {
      EXPECT_EQ(install.outcome, Outcome::pass) << install.log;
      all.push_back(install.candidate + " " + install.installed_run + " " + install.installed_in);
    }
    return all;
  }

  std::vector<std::string> installed_;  // tonight
};

TEST_F(KeptInstallTest, IsGoneOnFromByALaterRunWhichDoesAllTheRest) {
  auto& first = prepared();
  EXPECT_EQ(first.run_trial(trial_of("finance/t1", {"slow-a", "slow-b"})).outcome, Outcome::pass);
  const auto states = kept_of(first, {"slow-a", "slow-b"});
  ASSERT_EQ(states.at("dns").size(), 2U);
  EXPECT_EQ(patched_states_from_json(Json(states)).value(), states);
  auto& second = next_night(states);
  EXPECT_THAT(snapshots(), ElementsAre("baseline", StartsWith("prefix-1"), StartsWith("prefix-2"), "tonight"));
  const auto record = second.run_trial(trial_of("finance/t2", {"slow-a", "slow-b", "slow-c"}));
  EXPECT_EQ(record.outcome, Outcome::pass) << (record.error ? record.error->message : "");
  EXPECT_THAT(by(record), ElementsAre("slow-a r1 finance/t1", "slow-b r1 finance/t1", "slow-c  "));
  EXPECT_EQ(record.installs[0].log, "Setting up ...\n") << "what was said then comes with it";
  EXPECT_THAT(installed_, ElementsAre("slow-c"));
  EXPECT_THAT(phases_of(record), ElementsAre("after-install pass", "after-reboot-1 pass"));
  EXPECT_EQ(boots_, 2) << "it was restarted";
  const auto without = second.run_trial(trial(reports::Purpose::control));
  EXPECT_EQ(without.outcome, Outcome::pass);
  EXPECT_THAT(hypervisor_.calls(), Contains("revert dns tonight"));
  const auto later = kept_of(second, {"slow-a", "slow-b", "slow-c"});
  EXPECT_THAT(snapshots(), ElementsAre("baseline", StartsWith("prefix-2"), StartsWith("prefix-3")))
      << "those that spare most, and the baseline that they were made from";
  EXPECT_EQ(later.at("dns")[0].since, states.at("dns")[0].since) << "as old as the oldest part of it";
  boot();
  EXPECT_THAT(by(next_night(later).run_trial(trial_of("finance/t3", {"slow-a", "slow-b", "slow-c"}))),
              ElementsAre("slow-a r1 finance/t1", "slow-b r1 finance/t1", "slow-c r1 finance/t2"));
  EXPECT_THAT(installed_, IsEmpty());
}

TEST_F(KeptInstallTest, IsOnlyOfTheSetThatPassed) {
  auto& cell = prepared();
  (void)cell.run_trial(trial_of("finance/t1", {"slow-a", "slow-x", "slow-b"}));
  (void)cell.run_trial(trial_of("finance/t2", {"slow-a", "slow-b"}));
  const auto states = kept_of(cell, {"slow-a", "slow-b"});
  ASSERT_EQ(states.at("dns").size(), 2U);
  EXPECT_EQ(states.at("dns")[0].digests, digests({"slow-a", "slow-b"}));
  EXPECT_EQ(states.at("dns")[1].digests, digests({"slow-a"}));
  EXPECT_EQ(snapshots().size(), 3U);
  EXPECT_THAT(kept_of(cell, {}), ::testing::Each(::testing::Field(&PatchedStates::value_type::second, IsEmpty())));
  EXPECT_THAT(snapshots(), ElementsAre("baseline"));
}

TEST_F(KeptInstallTest, IsNotGoneOnFromWhenAnythingIsAnother) {
  auto& first = prepared();
  (void)first.run_trial(trial_of("finance/t1", {"slow-a"}));
  const auto states = kept_of(first, {"slow-a"});
  const std::vector<std::pair<const char*, std::function<void(PatchedStates&, TrialJob&)>>> cases{
      {"another start of the machine", [](auto& kept, auto&) { kept["dns"][0].baseline.boot_id = "another"; }},
      {"other packages at the baseline", [](auto& kept, auto&) { kept["dns"][0].baseline.installed["x"] = "1"; }},
      {"installed in another way",
       [](auto&, auto& job) { job.installs["dns"][0].packages[0].file_name = "other-slow-a"; }},
      {"another content", [](auto&, auto& job) { job.installs["dns"][0].digest = "another"; }},
      {"it must begin with the baseline", [](auto&, auto& job) { job.from_baseline = true; }},
  };
  for (const auto& [what, change] : cases) {
    auto kept = states;
    auto job = trial_of("finance/t1", {"slow-a"});
    change(kept, job);
    const auto disk = hypervisor_.machine("dns").snapshots;
    const auto record = next_night(kept).run_trial(job);
    EXPECT_EQ(record.outcome, Outcome::pass) << what;
    EXPECT_EQ(record.installs.at(0).installed_run, "") << what;
    EXPECT_EQ(installed_.size(), 1U) << what;
    hypervisor_.alter("dns", [&](auto& machine) { machine.snapshots = disk; });
  }
}

TEST_F(KeptInstallTest, IsForgottenWithAllThatWasInstalledOnTopOfIt) {
  auto& first = prepared();
  (void)first.run_trial(trial_of("finance/t1", {"slow-a"}));
  auto& cell = next_night(kept_of(first, {"slow-a"}));
  (void)cell.run_trial(trial_of("finance/t2", {"slow-a", "slow-b"}));
  EXPECT_THAT(installed_, ElementsAre("slow-b"));
  const auto notes = [&] {
    return std::ranges::count_if(events_, [](const auto& event) { return event["event"] == "note"; });
  };
  EXPECT_EQ(notes(), 0);
  cell.forget_installs();
  EXPECT_EQ(notes(), 1);
  EXPECT_THAT(snapshots(), ElementsAre("baseline", "tonight"));
  cell.forget_installs();
  EXPECT_EQ(notes(), 1) << "there was nothing any more";
  const auto record = cell.run_trial(trial_of("finance/t3", {"slow-a", "slow-b"}));
  EXPECT_THAT(by(record), ElementsAre("slow-a  ", "slow-b  "));
  const auto again = cell.run_trial(trial_of("finance/t4", {"slow-a", "slow-b"}));
  EXPECT_THAT(by(again), ElementsAre("slow-a  finance/t3", "slow-b  finance/t3")) << "tonight's own are used";
}

// A state costs no trial, not even a try.
TEST_F(KeptInstallTest, ThatDoesNotComeBackIsInstalled) {
  auto& first = prepared();
  (void)first.run_trial(trial_of("finance/t1", {"slow-a"}));
  const auto states = kept_of(first, {"slow-a"});
  const auto name = states.at("dns")[0].snapshot().text();
  hypervisor_.alter("dns", [&](auto& machine) { machine.snapshots.erase(name); });
  auto& cell = next_night(states);
  const auto record = cell.run_trial(trial_of("finance/t2", {"slow-a"}));
  EXPECT_EQ(record.outcome, Outcome::pass) << (record.error ? record.error->message : "");
  EXPECT_THAT(by(record), ElementsAre("slow-a  "));
}

TEST_F(KeptInstallTest, WhoseAgentDoesNotAnswerIsInstalled) {
  auto& first = prepared();
  (void)first.run_trial(trial_of("finance/t1", {"slow-a"}));
  const auto states = kept_of(first, {"slow-a"});
  const auto name = states.at("dns")[0].snapshot().text();
  hypervisor_.alter("dns", [&](auto& machine) { machine.snapshots.at(name).guest["agent"] = "silent"; });
  auto& cell = next_night(states);
  hypervisor_.on_agent([this](auto& machine, const auto& command) -> Result<std::string> {
    if (machine.guest.contains("agent")) return timeout_error("the guest agent gives no answer");
    return asked(machine, command);
  });
  const auto record = cell.run_trial(trial_of("finance/t2", {"slow-a"}));
  EXPECT_EQ(record.outcome, Outcome::pass) << (record.error ? record.error->message : "");
  EXPECT_THAT(by(record), ElementsAre("slow-a  "));
}

// What nobody wants takes no room.
TEST_F(KeptInstallTest, ThatIsOfNoUseIsRemoved) {
  auto& first = prepared();
  (void)first.run_trial(trial_of("finance/t1", {"slow-a"}));
  const auto states = kept_of(first, {"slow-a"});
  job_.keep_installs = false;
  auto& cell = next_night({});
  EXPECT_EQ(snapshots(), std::vector<std::string>{"baseline"}) << "of tonight";
  (void)cell;
  hypervisor_.alter("dns", [&](auto& machine) { machine.snapshots = machine.on_disk; });
  (void)next_night(states);
  Cell other(
      context_, [](const auto&) {}, [](const auto&, const auto&, auto&, const auto&) {});
  hypervisor_.alter("dns", [](auto& machine) { machine.snapshots.clear(); });
  job_.kept_baseline->patched.clear();
  job_.kept_baseline->useless = {{"dns", {states.at("dns")[0].snapshot().text()}}};
  EXPECT_EQ(other.prepare().outcome, Outcome::pass);
  EXPECT_THAT(hypervisor_.calls(), Contains("delete_snapshot dns " + states.at("dns")[0].snapshot().text()));
  EXPECT_THAT(snapshots(), ElementsAre("baseline"));
}

constexpr const char* new_line = "Nov 22 06:00:00 dns1 named[163]: error: zone corp.example has no SOA\n";

// So that it can be accepted with everything that comes of it; a search only asks whether a set is good.
TEST_F(CellTest, AMachineOnWhichACheckFailedGoesOnInATrialOfTheWholeSet) {
  auto& cell = prepared();
  logs_ = new_line;
  for (const auto purpose : {reports::Purpose::batch, reports::Purpose::final}) {
    const auto record = cell.run_trial(trial(purpose));
    EXPECT_EQ(record.outcome, Outcome::fail);
    EXPECT_FALSE(record.error);
    EXPECT_THAT(phases_of(record),
                ElementsAre("after-install fail", "after-reboot-1 fail", "after-reboot-2 fail", "stability fail"));
  }
  for (const auto purpose : {reports::Purpose::search, reports::Purpose::confirm}) {
    auto job = trial(purpose);
    job.stop_at_first_failure = true;
    EXPECT_THAT(phases_of(cell.run_trial(job)), ElementsAre("after-install fail", "after-reboot-1 not-reached",
                                                            "after-reboot-2 not-reached", "stability not-reached"));
  }
  for (const auto purpose : {reports::Purpose::control, reports::Purpose::removal}) {
    auto job = trial(purpose);
    job.judged = true;
    EXPECT_THAT(phases_of(cell.run_trial(job)).front(), ::testing::EndsWith(" fail"));
    EXPECT_THAT(phases_of(cell.run_trial(job)),
                Not(Contains(::testing::MatchesRegex("(after-reboot-2|stability) [pf].*"))));
  }
}

// A check that fails and passes again behind it is no pass of the set, and what it broke later is on record as well.
TEST_F(CellTest, LaterFailuresAreOnRecordAndSoIsWhatWorksAgain) {
  job_.policy.warm_reboots = 1;
  auto& cell = prepared();
  hypervisor_.on_agent([this, seen = 0](auto& machine, const auto& command) mutable {
    if (std::string(command).find("/sbin/shutdown") != std::string::npos && ++seen == 1) logs_ = "";
    return asked(machine, command);
  });
  logs_ = new_line;
  dies_after_ = clock_.now() + std::chrono::seconds(14);
  const auto record = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_THAT(phases_of(record), ElementsAre("after-install fail", "after-reboot-1 pass", "stability fail"));
  EXPECT_THAT(record.signature, Contains(StartsWith("dns/state:error-log:")));
  EXPECT_THAT(record.signature, Contains("dns/state:service:named"));
}

// Nothing can be seen of a machine that does not start, is not there, or was not installed: that is said, and neither
// makes the trial trouble of the lab, which has its answer, nor a pass of what was not seen.
TEST_F(CellTest, WhatCannotBeSeenBehindAFailureWasNotReached) {
  auto& cell = prepared();
  logs_ = new_line;
  stuck_at_ = restarts_ + 1;
  const auto stuck = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(stuck.outcome, Outcome::fail);
  EXPECT_FALSE(stuck.error);
  EXPECT_THAT(phases_of(stuck), ElementsAre("after-install fail", "after-reboot-1 fail", "after-reboot-2 not-reached",
                                            "stability not-reached"));
  EXPECT_THAT(stuck.signature, Contains("dns/state:boot:start-up"));

  boot();
  deaf_at_ = restarts_ + 1;
  const auto deaf = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(deaf.outcome, Outcome::fail);
  EXPECT_FALSE(deaf.error);
  EXPECT_THAT(phases_of(deaf), ElementsAre("after-install fail", "after-reboot-1 not-reached",
                                           "after-reboot-2 not-reached", "stability not-reached"));
  deaf_ = false;
  boot();
  logs_.clear();
  deaf_at_ = restarts_ + 1;
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).outcome, Outcome::error) << "had not failed before";

  deaf_ = false;
  boot();
  guest_.jobs = [](const auto&) { return test::FakeAgent::Job{100, "", 1}; };
  const auto not_installed = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(not_installed.outcome, Outcome::fail);
  for (const auto& phase : not_installed.phases) EXPECT_EQ(phase.outcome, Outcome::not_reached) << phase.phase;
}

// Others beside the checks, as two sets; what they say is in a file.
class BesideTest : public CellTest {
 protected:
  BesideTest() {
    const auto worker = folder_ / "worker";
    const auto script = fmt::format(
        "#!/bin/sh\ncat >/dev/null\n"
        "echo '{{\"observation\": {{\"end\": \"exit\", \"code\": '$(cat {})', "
        "\"output\": \"said\"}}, \"took_ms\": 1}}'\n",
        (folder_ / "code").string());
    (void)write_file_atomically(worker, script, 0755);
    job_.worker_program = worker;
    for (const char* id : {"plugins/check-dns", "ports/port-53"})
      job_.machines[0].plan.beside.push_back({.id = id, .kind = "command", .parameters = {{"program", "check"}}});
    they_say(0);
  }
  void they_say(int code) { (void)write_file_atomically(folder_ / "code", std::to_string(code)); }
  TrialJob alone() const {
    auto job = trial(reports::Purpose::final);
    job.stop_at_first_failure = true;
    return job;
  }
  // "after-install fail: pass pass"
  static std::vector<std::string> said_in(const reports::TrialRecord& record) {
    auto phases = phases_of(record);
    for (std::size_t i = 0; i < phases.size(); ++i) {
      for (const auto& result : record.phases[i].beside) phases[i] += std::string(" ") + to_string(result.outcome);
    }
    return phases;
  }
};

TEST_F(BesideTest, OthersAreAskedAfterTheInstallationAndAtTheEndAndDecideNothing) {
  auto& cell = prepared();
  they_say(2);
  const auto record = cell.run_trial(alone());
  EXPECT_EQ(record.outcome, Outcome::pass);
  EXPECT_THAT(record.signature, IsEmpty());
  EXPECT_THAT(said_in(record), ElementsAre("after-install pass fail fail", "after-reboot-1 pass", "after-reboot-2 pass",
                                           "stability pass fail fail"));
}

TEST_F(BesideTest, ABaselineAsksThemAndAnAlarmBeforeAnyPatchIsNoTroubleOfTheLab) {
  they_say(2);
  Cell cell(
      context_, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {});
  const auto baseline = cell.prepare();
  EXPECT_EQ(baseline.outcome, Outcome::pass);
  EXPECT_THAT(said_in(baseline), ElementsAre("baseline pass fail fail"));
}

TEST_F(BesideTest, ATrialThatHasItsVerdictGoesOnForThoseThatSawNothingYet) {
  auto& cell = prepared();
  logs_ = new_line;
  const auto before = restarts_;
  const auto record = cell.run_trial(alone());
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_FALSE(record.error);
  EXPECT_THAT(said_in(record), ElementsAre("after-install fail pass pass", "after-reboot-1 not-reached",
                                           "after-reboot-2 not-reached", "stability not-reached pass pass"));
  EXPECT_EQ(restarts_, before + 2);
  EXPECT_LT(record.duration_ms, 20'000) << "the wait at the end was for others";
}

// Nobody's alarm is to be that of a service that we stopped, or of a package of ours.
TEST_F(BesideTest, AreAskedWithoutStoppedServicesAndWithoutTheNextPackage) {
  job_.policy.warm_reboots = 1;
  job_.policy.service_cycles = 1;
  job_.policy.next_package = true;
  auto& cell = prepared();
  logs_ = new_line;
  const auto before = restarts_;
  const auto record = cell.run_trial(alone());
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_EQ(restarts_, before + 1);
  EXPECT_THAT(said_in(record), Contains("next-package not-reached pass pass"));
}

TEST_F(BesideTest, AndEndsWhenEachSetHasSeenIt) {
  auto& cell = prepared();
  logs_ = new_line;
  they_say(3);  // UNKNOWN, which monitoring tells, too
  const auto before = restarts_;
  const auto record = cell.run_trial(alone());
  EXPECT_THAT(said_in(record), ElementsAre("after-install fail error error", "after-reboot-1 not-reached",
                                           "after-reboot-2 not-reached", "stability not-reached"));
  EXPECT_EQ(restarts_, before);
}

TEST_F(BesideTest, WhatSaysNothingIsNoAlarm) {
  auto& cell = prepared();
  logs_ = new_line;
  they_say(77);
  EXPECT_THAT(said_in(cell.run_trial(alone())).back(), "stability not-reached skipped skipped");
}

TEST_F(BesideTest, OfAMachineThatDoesNotComeBackTheyAreAskedAtTheEnd) {
  job_.policy.stability = Milliseconds(0);
  job_.policy.warm_reboots = 1;
  auto& cell = prepared();
  stuck_at_ = restarts_ + 1;
  const auto record = cell.run_trial(alone());
  EXPECT_THAT(said_in(record), ElementsAre("after-install pass pass pass", "after-reboot-1 fail pass pass"));
}

TEST_F(BesideTest, OfWhatWasNotInstalledNobodyIsAsked) {
  auto& cell = prepared();
  guest_.jobs = [](const auto&) { return test::FakeAgent::Job{100, "", 1}; };
  for (const auto& phase : cell.run_trial(alone()).phases) EXPECT_THAT(phase.beside, IsEmpty()) << phase.phase;
}

TEST_F(BesideTest, ARestartThatTheLabLostEndsIt) {
  auto& cell = prepared();
  logs_ = new_line;
  deaf_at_ = restarts_ + 1;
  const auto record = cell.run_trial(alone());
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_FALSE(record.error);
  EXPECT_THAT(said_in(record).front(), "after-install fail pass pass");
  EXPECT_THAT(said_in(record).back(), "stability not-reached");
}

// What explains a failure may not survive a restart.
TEST_F(CellTest, EvidenceIsKeptBeforeTheMachineIsRestarted) {
  auto& cell = prepared();
  logs_ = new_line;
  std::vector<bool> kept;
  const auto usual = guest_.programs;
  guest_.programs = [&](const auto& program, const auto& arguments, const auto& script) {
    if (program == "/sbin/shutdown") kept.push_back(std::filesystem::exists(folder_ / "evidence/t1/dns"));
    return usual(program, arguments, script);
  };
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).evidence_folder, "evidence/finance/t1");
  EXPECT_THAT(kept, ElementsAre(true, true));
}

// What a patch has broken in a machine is no trouble of the proof, and that nothing was tried there is said.
TEST_F(CellTest, AMachineThatFailedIsNotAskedToTryToGetOut) {
  auto& cell = prepared();
  dies_after_ = clock_.now() + std::chrono::seconds(10);
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).outcome, Outcome::fail);
  EXPECT_THAT(inside_, ElementsAre("before finance/baseline dns", "during finance/t1 dns: it failed in this trial"));
}

// What a patch killed does not come back, and every probe of a search would wait for it.
TEST_F(CellTest, ADeadServiceIsWaitedForOnlyWhileTheGuestHasSomethingToDo) {
  std::optional<test::TcpListener> service(std::in_place);
  job_.machines[0].plan.address = "127.0.0.1";
  job_.machines[0].plan.ready_tcp = {service->port()};
  job_.policy.warm_reboots = 1;
  auto& cell = prepared();
  service.reset();
  const auto quiet = cell.run_trial(trial(reports::Purpose::search)).duration_ms;
  hypervisor_.alter("dns", [](auto& machine) { machine.busy = Milliseconds(200); });
  const auto busy = cell.run_trial(trial(reports::Purpose::search)).duration_ms;
  EXPECT_GE(busy - quiet, 9000);
  EXPECT_GE(quiet, 5000);
}

TEST_F(CellTest, ASearchThatNeedNotWaitHasNoStabilityPhase) {
  auto job = trial(reports::Purpose::search);
  job.stability = false;
  EXPECT_THAT(phases_of(prepared().run_trial(job)),
              ElementsAre("after-install pass", "after-reboot-1 pass", "after-reboot-2 pass"));
}

TEST_F(CellTest, DamageThatNeedsAWhileFailsTheStabilityPhaseAlone) {
  auto& cell = prepared();
  // In the middle of the twenty seconds: installing and restarting take the fake less than ten.
  dies_after_ = clock_.now() + std::chrono::seconds(10);
  EXPECT_THAT(phases_of(cell.run_trial(trial(reports::Purpose::batch))),
              ElementsAre("after-install pass", "after-reboot-1 pass", "after-reboot-2 pass", "stability fail"));
}

// The lines of the first restart are learnt, and the machine is looked at in every later phase all the same.
TEST_F(CellTest, AControlLearnsTheLinesOfARestartAndGoesOn) {
  auto& cell = prepared();
  logs_ = "Nov 22 06:00:00 dns1 named[163]: error: the network is not up yet\n";
  const auto control = cell.run_trial(trial(reports::Purpose::control));
  EXPECT_EQ(control.outcome, Outcome::pass);
  EXPECT_THAT(phases_of(control), ElementsAre("after-reboot-1 pass", "after-reboot-2 pass", "stability pass"));
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).outcome, Outcome::pass) << "the line is known from then on";
}

// In a later run, in a cell of the same machines.
TEST_F(CellTest, WhatAControlTaughtCanBeToldToAnotherCell) {
  logs_ = "Nov 22 06:00:00 dns1 named[163]: error: the network is not up yet\n";
  Json knowledge;
  {
    logs_.swap(later_);
    auto& cell = prepared();
    logs_.swap(later_);
    EXPECT_EQ(cell.run_trial(trial(reports::Purpose::control)).outcome, Outcome::pass);
    knowledge = Json::parse(cell.control_knowledge().dump());
  }
  for (const bool told : {false, true}) {
    cell_.reset();
    lab::MachineSpec spec;
    spec.name = "dns";
    (void)hypervisor_.undefine("dns");
    (void)hypervisor_.define(spec);
    logs_.swap(later_);
    auto& cell = prepared();
    logs_.swap(later_);
    if (told) ASSERT_TRUE(cell.know(knowledge));
    EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).outcome, told ? Outcome::pass : Outcome::fail);
    logs_ += "Nov 22 06:00:01 dns1 named[163]: error: zone is broken\n";
    EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).outcome, Outcome::fail) << "and no other line";
    logs_ = logs_.substr(0, logs_.find('\n') + 1);
  }
}

TEST_F(CellTest, WhatIsOfOtherMachinesIsNotTaken) {
  auto& cell = prepared();
  const auto own = cell.control_knowledge();
  EXPECT_TRUE(cell.know(own));
  auto other = own;
  other["mail"] = own["dns"];
  EXPECT_FALSE(cell.know(other)) << "one more";
  EXPECT_FALSE(cell.know({{"mail", own["dns"]}})) << "another";
  EXPECT_FALSE(cell.know(Json::array()));
  for (const auto* part : {"log_kinds", "changes", "failures", "phases", "slower_ms", "growth"}) {
    auto changed = own;
    changed["dns"][part] = "x";
    EXPECT_FALSE(cell.know(changed)) << part;
    changed["dns"].erase(part);
    EXPECT_FALSE(cell.know(changed)) << part;
  }
}

TEST(ControlKnowledge, SurvivesBeingWrittenDown) {
  ControlKnowledge knowledge;
  knowledge.log_kinds = {"named: error: #"};
  knowledge.changes = {"file\n/var/x\nnew"};
  knowledge.failures["clock-+1d"] = {"lease"};
  knowledge.phases = {"service-cycles"};
  knowledge.slower["a-record"]["after-reboot-1"] = Milliseconds(12);
  checks::growth::Look look{Milliseconds(500), {}};
  look.usage.amounts[{Resource::memory, "named"}] = 12345.25;
  look.usage.room[{Resource::disk, "/"}] = 1e6;
  knowledge.growth = checks::growth::Watched{{look}, 3, 2, 1};
  const Json json = knowledge;
  const auto back = control_knowledge_from_json(Json::parse(json.dump()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(Json(*back), json);
  EXPECT_EQ(back->growth->looks[0].usage.amounts, look.usage.amounts);
  EXPECT_EQ(back->slower, knowledge.slower);
  EXPECT_EQ(back->phases, knowledge.phases);
  auto strange = json;
  strange["growth"]["looks"][0]["amounts"][0][0] = "patience";
  EXPECT_FALSE(control_knowledge_from_json(strange));
}

TEST_F(CellTest, AControlThatIsJudgedLearnsNothing) {
  auto& cell = prepared();
  logs_ = "Nov 22 06:00:00 dns1 named[163]: error: the network is not up yet\n";
  auto job = trial(reports::Purpose::control);
  job.judged = true;
  EXPECT_EQ(cell.run_trial(job).outcome, Outcome::fail);
  EXPECT_EQ(cell.run_trial(job).outcome, Outcome::fail) << "the line is new to it each time";
}

TEST_F(CellTest, AControlInWhichAServiceStopsFailsAndIsNotForgiven) {
  auto& cell = prepared();
  dies_after_ = clock_.now() + Milliseconds(1);
  const auto control = cell.run_trial(trial(reports::Purpose::control));
  EXPECT_EQ(control.outcome, Outcome::fail);
  EXPECT_THAT(phases_of(control),
              ElementsAre("after-reboot-1 fail", "after-reboot-2 not-reached", "stability not-reached"));
}

TEST_F(CellTest, ANewKindOfErrorLineFailsACandidate) {
  auto& cell = prepared();
  logs_ = "Nov 22 06:00:00 dns1 named[163]: error: zone corp.example has no SOA\n";
  const auto record = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_THAT(record.signature, Contains(StartsWith("dns/state:error-log:")));
}

// It may have met the other one half-patched when a state was saved.
TEST_F(CellTest, AMachineWhoseDependencyIsPatchedTooStartsFromTheBaseline) {
  MachineJob mail;
  mail.plan.name = "mail";
  mail.plan.services = {"named"};
  mail.plan.depends_on = {"dns"};
  job_.machines.push_back(mail);
  job_.policy.warm_reboots = 0;  // both have one guest here, which cannot restart for one of them
  lab::MachineSpec spec;
  spec.name = "mail";
  (void)hypervisor_.define(spec);
  guest_.jobs = [this](const auto& command) { return installs(command, 100); };
  const InstallJob update{"update", "digest-update", {{.file_name = "update.deb"}}, {{"update:amd64", "2"}}};
  auto& cell = prepared();
  auto job = trial(reports::Purpose::batch);
  job.machines = {"dns", "mail"};
  job.installs = {{"dns", {update}}, {"mail", {update}}};
  job.media = {{"dns", "medium.iso"}, {"mail", "medium.iso"}};
  EXPECT_EQ(cell.run_trial(job).outcome, Outcome::pass);
  EXPECT_EQ(hypervisor_.machine("dns").snapshots.size(), 2U);
  EXPECT_EQ(hypervisor_.machine("mail").snapshots.size(), 1U);
  job.installs.erase("dns");
  (void)cell.run_trial(job);
  EXPECT_EQ(hypervisor_.machine("mail").snapshots.size(), 2U) << "alone it may";
}

// What a candidate does not do on one machine is told of that one.
TEST_F(CellTest, ThatNothingChangedIsToldOfItsMachine) {
  MachineJob mail;
  mail.plan.name = "mail";
  mail.plan.services = {"named"};
  job_.machines.push_back(mail);
  job_.policy.warm_reboots = 0;
  lab::MachineSpec spec;
  spec.name = "mail";
  (void)hypervisor_.define(spec);
  auto& cell = prepared();
  auto job = trial(reports::Purpose::batch);
  job.machines = {"dns", "mail"};
  job.installs["mail"] = std::exchange(job.installs["dns"], {});
  job.installs["dns"] = {{"update", "digest-update", {{.file_name = "nothing.deb"}}, {{"bind9:amd64", "1"}}}};
  job.media["mail"] = "medium.iso";
  const auto record = cell.run_trial(job);
  EXPECT_EQ(record.outcome, Outcome::pass) << (record.error ? record.error->message : "");
  std::vector<std::string> told;
  for (const auto& phase : record.phases) {
    for (const auto& difference : phase.differences)
      told.push_back(phase.phase + " " + phase.machine + " " + difference.kind);
  }
  EXPECT_THAT(told, ElementsAre("stability dns brought"));
}

TEST_F(CellTest, AConfirmingTrialStartsFromTheBaseline) {
  guest_.jobs = [this](const auto& command) { return installs(command, 100); };
  auto& cell = prepared();
  (void)cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::search)).installs.at(0).installed_in, "finance/t1");
  auto confirm = trial(reports::Purpose::search);
  confirm.from_baseline = true;
  EXPECT_EQ(cell.run_trial(confirm).installs.at(0).installed_in, "");
}

TEST_F(CellTest, WithoutRebootsAndStabilityTheControlLooksOnce) {
  job_.policy.warm_reboots = 0;
  job_.policy.stability = Milliseconds(0);
  EXPECT_THAT(phases_of(prepared().run_trial(trial(reports::Purpose::control))), ElementsAre("after-install pass"));
  EXPECT_THAT(phases_of(prepared().run_trial(trial(reports::Purpose::batch))), ElementsAre("after-install pass"));
}

TEST_F(CellTest, ABaselineThatFailsIsAnErrorOfTheGuestAndNoVerdict) {
  dies_after_ = Milliseconds(1);
  clock_.advance(Milliseconds(2));
  Cell cell(
      context_, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {});
  const auto baseline = cell.prepare();
  EXPECT_EQ(baseline.outcome, Outcome::error);
  ASSERT_TRUE(baseline.error);
  EXPECT_EQ(baseline.error->error_class, ErrorClass::guest);
  EXPECT_THAT(baseline.error->message, StartsWith("broken baseline: "));
}

TEST_F(CellTest, ABaselineMayBeTakenOnceMore) {
  dies_after_ = Milliseconds(1);
  clock_.advance(Milliseconds(2));
  Cell cell(
      context_, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {});
  const auto lost = cell.prepare();
  EXPECT_EQ(lost.outcome, Outcome::error);
  dies_after_ = Milliseconds(0);
  const auto again = cell.prepare();
  EXPECT_EQ(again.outcome, Outcome::pass) << (again.error ? again.error->message : "");
  EXPECT_EQ(lost.id, "finance/baseline");
  EXPECT_EQ(again.id, "finance/baseline-2");
  EXPECT_EQ(lost.evidence_folder, "evidence/finance/baseline");
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::batch)).outcome, Outcome::pass);
}

// Of accounts that no check uses as well: the recipe of the image names them.
TEST_F(CellTest, ThePasswordsOfAnImageAreHiddenAsThoseOfChecks) {
  const std::string password = "Copper-Kettle-63";
  EXPECT_EQ(redactor_for(job_).text("psql: " + password), "psql: " + password);
  job_.machines[0].passwords = {password};
  const auto there = cell_job_from_json(Json(job_));
  EXPECT_EQ(redactor_for(there).text("psql: " + password + "\n"), "psql: [redacted]\n");
}

// Of a whole trial that fails, with a guest that prints a password of its checks wherever it prints anything: neither
// what the cell says nor what it keeps holds it.
TEST_F(CellTest, NoPasswordOfACheckIsSaidOrKept) {
  const std::string password = "Rainy-Tuesday-41";
  job_.machines[0].plan.checks.push_back(
      {.id = "login", .kind = "unknown.kind", .parameters = {{"user", "alice"}, {"password", password}}});
  const auto base64 = patchlab::base64("alice" + password);
  auto usual = guest_.programs;
  guest_.programs = [&](const auto& program, const auto& arguments, const auto& script) {
    auto process = usual(program, arguments, script);
    const auto leak = fmt::format("smbclient -U alice%{} AUTH {} \n", password, base64);
    if (script.find("failed-units") != std::string::npos) {
      process.output = arguments[2] + " processes\n" + leak + arguments[2] + " logs\n==> /var/log/a.log <==\n" + leak;
      process.output += "password=" + password + "\n";
    }
    return process;
  };
  logs_ = "named[1]: error: login of alice with " + password + " failed\n";
  Cell cell(
      context_, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {});
  (void)cell.prepare();  // unknown kinds of checks are errors, so that evidence is kept
  auto record = cell.run_trial(trial(reports::Purpose::batch));
  record.installs.push_back({.machine = "dns", .candidate = "update", .log = "password " + password});

  std::string kept;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (entry.is_regular_file()) kept += entry.path().string() + "\n" + read_file(entry.path()).value();
  }
  EXPECT_THAT(kept, ::testing::HasSubstr("-U alice%[redacted]"));
  EXPECT_THAT(kept, ::testing::HasSubstr("password=[redacted]"));
  EXPECT_THAT(kept, Not(::testing::HasSubstr(password)));
  EXPECT_THAT(kept, Not(::testing::HasSubstr(base64.substr(8, 12))));

  // As it goes to the run: a reply on standard output.
  Json answer = {{"id", 2}, {"result", record}};
  ASSERT_THAT(answer.dump(), ::testing::HasSubstr(password));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const FileDescriptor out(::dup(STDOUT_FILENO));
  std::cout.flush();
  ::dup2(ends[1], STDOUT_FILENO);
  {
    talk::Reply reply;
    reply.hide(redactor_for(job_));
    reply.send(answer);
  }
  ::dup2(out.get(), STDOUT_FILENO);
  ::close(ends[1]);
  std::string said;
  for (std::array<char, 4096> block{};;) {
    const auto count = ::read(ends[0], block.data(), block.size());
    if (count <= 0) break;
    said.append(block.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  EXPECT_THAT(said, Not(::testing::HasSubstr(password)));
  EXPECT_THAT(said, ::testing::HasSubstr("[redacted]"));
}

// The guest is told the time; its service may end with it.
class ClockTest : public CellTest {
 protected:
  ClockTest() {
    job_.policy.warm_reboots = 0;
    job_.policy.stability = Milliseconds(0);
    job_.policy.clock = {"+1d", "+12h"};
    guest_.programs = [this](const auto& program, const auto& arguments, const auto&) {
      if (program == "date") {
        const auto said = std::chrono::duration<double>(std::stod(arguments.at(2).substr(1)));
        const auto late = said - std::chrono::duration<double>(clock_.wall().time_since_epoch());
        set_.push_back(std::chrono::round<std::chrono::hours>(late).count());
      }
      auto process = answer(program, arguments);
      if (!set_.empty() && set_.back() >= ends_after_h_ && arguments.size() > 2 && program == "/bin/sh")
        process.output = test::debian_answer(arguments[2], {{"scripts", "3 named\n"}});
      return process;
    };
  }
  std::vector<std::int64_t> set_;  // hours later than the host
  std::int64_t ends_after_h_ = 1000;
};

TEST_F(ClockTest, IsMovedOnAfterEverythingElseAndBackWithTheNextTrial) {
  auto& cell = prepared();
  const auto control = cell.run_trial(trial(reports::Purpose::control));
  EXPECT_THAT(phases_of(control), ElementsAre("clock+12h pass", "clock+1d pass")) << "by name";
  EXPECT_THAT(set_, ElementsAre(0, 24, 36));
  const auto batch = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_THAT(phases_of(batch), ElementsAre("after-install pass", "clock+12h pass", "clock+1d pass"));
  EXPECT_THAT(set_, ElementsAre(0, 24, 36, 0, 24, 36));
}

TEST_F(ClockTest, ShowsWhatEndsWithTimeOnlyWithThePatch) {
  auto& cell = prepared();
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::control)).outcome, Outcome::pass);
  ends_after_h_ = 30;
  const auto batch = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_THAT(phases_of(batch), ElementsAre("after-install pass", "clock+12h fail", "clock+1d pass"));
  EXPECT_THAT(batch.signature, ElementsAre("dns/state:service:named"));
}

TEST_F(ClockTest, BlamesNobodyForWhatEndsInTheControlAsWellAndSaysSo) {
  auto& cell = prepared();
  ends_after_h_ = 30;
  const auto control = cell.run_trial(trial(reports::Purpose::control));
  EXPECT_EQ(control.outcome, Outcome::pass);
  const auto batch = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(batch.outcome, Outcome::pass);
  for (const auto& record : {control, batch}) {
    const auto* phase = reports::find_phase(record, "clock+12h", "dns");
    ASSERT_NE(phase, nullptr);
    EXPECT_THAT(phase->differences, IsEmpty());
    EXPECT_EQ(phase->fails_without_patch,
              (std::map<std::string, std::string>{{"state:service:named", "running -> stopped"}}));
    EXPECT_TRUE(reports::find_phase(record, "clock+1d", "dns")->fails_without_patch.empty());
  }
  ends_after_h_ = 20;
  EXPECT_THAT(phases_of(cell.run_trial(trial(reports::Purpose::batch))),
              ElementsAre("after-install pass", "clock+12h pass", "clock+1d fail"))
      << "a step earlier than without a patch";
}

TEST_F(ClockTest, BlamesWhatEndsWithoutAControlAsWell) {
  auto& cell = prepared();
  ends_after_h_ = 30;
  const auto batch = cell.run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(batch.outcome, Outcome::fail) << "who had no control says so elsewhere";
}

TEST_F(ClockTest, IsLeftAloneByASearchThatDoesNotNeedIt) {
  auto& cell = prepared();
  auto job = trial(reports::Purpose::search);
  job.stability = false;
  EXPECT_THAT(phases_of(cell.run_trial(job)), ElementsAre("after-install pass"));
}

// Of a captured mail server whose certificate ends in 2046; the last phase lives a day later.
TEST_F(ClockTest, TellsWhatEndsInTheTimeThatTheGuestsLiveIn) {
  job_.policy.server_state = true;
  const auto others = guest_.programs;
  guest_.programs = [others](const auto& program, const auto& arguments, const auto& script) {
    auto process = others(program, arguments, script);
    if (script.find("patchlab-servers") == std::string::npos) return process;
    process.output = std::regex_replace(test::server_capture("mail"), std::regex("@@m"), arguments.at(2));
    return process;
  };
  const std::chrono::sys_days end = std::chrono::year(2046) / std::chrono::November / 24;
  const auto today = std::chrono::floor<std::chrono::days>(clock_.wall());
  for (const int later : {1, 2}) {
    job_.policy.certificate_days = end - today - std::chrono::days(later);
    auto& cell = prepared();
    for (const auto purpose : {reports::Purpose::control, reports::Purpose::batch}) {
      const auto record = cell.run_trial(trial(purpose));
      const auto* last = reports::find_phase(record, "clock+12h", "dns");
      ASSERT_NE(last, nullptr);
      const auto told = std::ranges::count(last->differences, "certificate-end", &checks::state::StateDifference::kind);
      EXPECT_EQ(told > 0, later == 1) << reports::to_string(purpose);
    }
  }
}

TEST_F(ClockTest, CannotBeMovedToTheEndOfALeaseThatNobodyGot) {
  job_.policy.clock = {"lease-t2"};
  const auto record = prepared().run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(record.outcome, Outcome::error);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->error_class, ErrorClass::configuration);
  EXPECT_EQ(record.error->message,
            "the clocks cannot be moved to 'clock+lease-t2': no check of kind dhcp.lease got a lease at the baseline");
}

TEST_F(CellTest, WhatIsLoggedForTheFirstTimeMeansWhatThePolicySays) {
  job_.policy.warm_reboots = 0;
  job_.policy.stability = Milliseconds(0);
  auto& cell = prepared();
  EXPECT_EQ(cell.run_trial(trial(reports::Purpose::control)).outcome, Outcome::pass);
  using checks::state::FindingClass;
  for (const auto& [means, outcome] : {std::pair{FindingClass::breach, Outcome::fail},
                                       {FindingClass::review, Outcome::pass},
                                       {FindingClass::notice, Outcome::pass}}) {
    job_.policy.new_errors = means;
    logs_ = "named[163]: error: no zone\n";
    const auto record = cell.run_trial(trial(reports::Purpose::batch));
    EXPECT_EQ(record.outcome, outcome);
    ASSERT_EQ(record.phases.at(0).differences.size(), 1U) << "it is never silent";
    EXPECT_EQ(record.phases[0].differences[0].finding, means);
  }
}

// A service that is stopped and started as its guest is told, while somebody asks for it.
class ServiceCyclesTest : public CellTest {
 protected:
  ServiceCyclesTest() {
    job_.policy.warm_reboots = 0;
    job_.policy.stability = Milliseconds(0);
    job_.policy.service_cycles = 3;
    guest_.programs = [this](const auto& program, const auto& arguments, const auto& script) {
      if (script.find(lab::guest::scripts::before_cycling) != std::string::npos)
        return says((why_not_.empty() ? "" : "why " + why_not_ + "\n") + with_ + "end\n");
      if (script.find(lab::guest::scripts::change_service) != std::string::npos)
        return change(arguments.at(2), arguments.at(3));
      auto process = answer(program, arguments);
      if (program == "/bin/sh" && arguments.size() > 2)
        process.output =
            test::debian_answer(arguments[2], {{"scripts", runs_ ? "0 named\n" : "3 named\n"}, {"log", logs_}});
      return process;
    };
  }
  static test::FakeAgent::Process says(const std::string& output) {
    test::FakeAgent::Process process;
    process.output = output;
    return process;
  }
  test::FakeAgent::Process change(const std::string& service, const std::string& action) {
    changes_.push_back(action + " " + service);
    const bool works = ++changed_ != sticks_at_;
    if (works) runs_ = action == "start";
    if (changed_ == restarts_at_) boot();
    if (on_change_) on_change_(action);
    logs_ = changed_ % 2 == 1 ? logs_of_clients_ : logs_;
    return says(fmt::format("begin 10.00\ncode 0\nstatus {}\nend 11.50\nsaid\n{}", runs_ ? 0 : 3,
                            works ? "" : "no room for another thread\n"));
  }
  reports::TrialRecord run(reports::Purpose purpose) {
    changed_ = 0;
    runs_ = true;
    logs_.clear();
    changes_.clear();
    return prepared().run_trial(trial(purpose));
  }
  static const reports::PhaseRecord& its_phase(const reports::TrialRecord& record) {
    const auto* phase = reports::find_phase(record, reports::services_phase, "dns");
    static const reports::PhaseRecord none;
    EXPECT_NE(phase, nullptr);
    return phase == nullptr ? none : *phase;
  }

  std::vector<std::string> changes_;
  std::function<void(const std::string&)> on_change_;
  std::string why_not_;
  std::string with_;  // "with mail\n": runs and needs it
  std::string logs_of_clients_;
  int changed_ = 0;      // in the latest trial
  int sticks_at_ = 0;    // this change does not happen
  int restarts_at_ = 0;  // the guest does by itself
  bool runs_ = true;
};

TEST_F(ServiceCyclesTest, AreMadeAsOftenAsAskedAndTheRecordSaysHowLongEachTook) {
  const auto control = run(reports::Purpose::control);
  EXPECT_THAT(phases_of(control), ElementsAre("service-cycles pass"));
  const auto batch = run(reports::Purpose::batch);
  EXPECT_THAT(phases_of(batch), ElementsAre("after-install pass", "service-cycles pass"));
  EXPECT_THAT(changes_,
              ElementsAre("stop named", "start named", "stop named", "start named", "stop named", "start named"));
  for (const auto& record : {control, batch}) {
    const auto& phase = its_phase(record);
    ASSERT_TRUE(phase.service_cycles);
    EXPECT_EQ(phase.service_cycles->planned, 3U);
    ASSERT_EQ(phase.service_cycles->services.size(), 1U);
    const auto& service = phase.service_cycles->services[0];
    EXPECT_EQ(service.name, "named");
    EXPECT_EQ(service.done, 3U);
    EXPECT_THAT(service.stop_ms, ElementsAre(1500, 1500, 1500));
    EXPECT_THAT(service.start_ms, ElementsAre(1500, 1500, 1500));
  }
}

TEST_F(ServiceCyclesTest, ThatOnlyFailWithThePatchFailIt) {
  (void)run(reports::Purpose::control);
  sticks_at_ = 4;  // the second start
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::fail);
  EXPECT_THAT(batch.signature, ElementsAre("dns/state:service-cycle:named", "dns/state:service:named"));
  const auto& phase = its_phase(batch);
  EXPECT_EQ(phase.service_cycles->services.at(0).done, 1U);
  const auto finding =
      std::ranges::find(phase.differences, checks::state::service_cycle_kind, &checks::state::StateDifference::kind);
  ASSERT_NE(finding, phase.differences.end());
  EXPECT_EQ(finding->before, "starts within 120 s");
  EXPECT_EQ(finding->after, "stopped after 1.5 s, start 2 of 3: no room for another thread\n");
}

TEST_F(ServiceCyclesTest, ThatFailWithoutThePatchBlameNobodyAndThatIsSaid) {
  sticks_at_ = 4;
  const auto control = run(reports::Purpose::control);
  EXPECT_EQ(control.outcome, Outcome::pass);
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::pass);
  EXPECT_THAT(its_phase(batch).differences, IsEmpty());
  EXPECT_TRUE(its_phase(batch).fails_without_patch.contains("state:service-cycle:named"));
  EXPECT_TRUE(its_phase(batch).fails_without_patch.contains("state:service:named"));
}

TEST_F(ServiceCyclesTest, ThatAreKnownToFailAreNoFinding) {
  (void)run(reports::Purpose::control);
  sticks_at_ = 3;  // the second stop
  job_.machines[0].plan.allowances.findings = {{"service-cycle", "other", "known"}};
  EXPECT_THAT(run(reports::Purpose::batch).signature, ElementsAre("dns/state:service-cycle:named"));
  job_.machines[0].plan.allowances.findings = {{"service-cycle", "named", "known"}};
  EXPECT_EQ(run(reports::Purpose::batch).outcome, Outcome::pass);
}

TEST_F(ServiceCyclesTest, AreOfThoseThatNeedTheServiceAsWell) {
  job_.policy.service_cycles = 2;
  with_ = "with mail\n";
  const auto control = its_phase(run(reports::Purpose::control));
  const std::vector<std::string> once{"stop mail", "stop named", "start named", "start mail"};
  auto twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(changes_, twice);
  ASSERT_EQ(control.service_cycles->services.size(), 1U);
  EXPECT_THAT(control.service_cycles->services[0].with, ElementsAre("mail"));
  EXPECT_EQ(control.service_cycles->services[0].stop_ms.size(), 2U) << "its own";
  EXPECT_EQ(control.service_cycles->services[0].start_ms.size(), 2U);
  // What does not stop because of another one is told of that; and all are started again.
  for (const auto& [at, said] : {std::pair(1, "'mail', which needs it: running after 1.5 s, stop 1 of 2"),
                                 {4, "'mail', which needs it: running after 1.5 s, start 1 of 2"}}) {
    sticks_at_ = at;
    if (at == 4) on_change_ = [this](const auto&) { runs_ = runs_ && changed_ != 4; };
    const auto batch = its_phase(run(reports::Purpose::batch));
    EXPECT_EQ(changes_, once);
    EXPECT_EQ(batch.service_cycles->services.at(0).done, 0U);
    EXPECT_EQ(batch.service_cycles->services.at(0).stop_ms.size(), at == 1 ? 0U : 1U);
    ASSERT_FALSE(batch.differences.empty());
    const auto finding =
        std::ranges::find(batch.differences, checks::state::service_cycle_kind, &checks::state::StateDifference::kind);
    ASSERT_NE(finding, batch.differences.end());
    EXPECT_EQ(finding->item, "named");
    if (at == 1) EXPECT_THAT(finding->after, StartsWith(said));
  }
}

// What is logged while services are stopped is forgotten with the trial.
TEST_F(ServiceCyclesTest, ExcuseNoLineOfALaterTrial) {
  (void)run(reports::Purpose::control);
  logs_of_clients_ = "named[163]: error: client went away\n";
  EXPECT_EQ(run(reports::Purpose::batch).outcome, Outcome::pass);
  logs_ = std::exchange(logs_of_clients_, "");
  runs_ = true;
  const auto later = prepared().run_trial(trial(reports::Purpose::batch));
  EXPECT_EQ(later.outcome, Outcome::fail);
  EXPECT_EQ(phases_of(later).front(), "after-install fail");
}

// Each is stopped, whatever became of the one before it.
TEST_F(ServiceCyclesTest, GoOnBehindAServiceThatIsNotToBeHad) {
  job_.machines[0].plan.services = {"named", "named"};
  job_.policy.service_cycles = 1;
  (void)run(reports::Purpose::control);
  EXPECT_THAT(changes_, ElementsAre("stop named", "start named", "stop named", "start named"));
  sticks_at_ = 1;
  const auto batch = run(reports::Purpose::batch);
  EXPECT_THAT(changes_, ElementsAre("stop named", "start named", "stop named", "start named"))
      << "and it is started again";
  EXPECT_EQ(its_phase(batch).service_cycles->services.at(0).done, 0U);
  EXPECT_EQ(its_phase(batch).service_cycles->services.at(1).done, 1U);
}

TEST_F(ServiceCyclesTest, AreNotJudgedWhenNoControlMadeThem) {
  sticks_at_ = 4;
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::error);
  ASSERT_TRUE(batch.error);
  EXPECT_EQ(batch.error->error_class, ErrorClass::infrastructure);
  EXPECT_THAT(batch.error->message, ::testing::HasSubstr("no control was put to the same"));
}

TEST_F(ServiceCyclesTest, ThatTheAgentDoesNotTellOfAreNoVerdict) {
  (void)run(reports::Purpose::control);
  on_change_ = [this](const auto& action) { deaf_ = action == "start"; };
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::error);
  ASSERT_TRUE(batch.error);
  EXPECT_THAT(batch.signature, IsEmpty());
}

TEST_F(ServiceCyclesTest, ThatMakeTheGuestRestartAreAFinding) {
  (void)run(reports::Purpose::control);
  restarts_at_ = 3;
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::fail);
  EXPECT_THAT(batch.signature, Contains("dns/state:boot:service-cycles"));
}

TEST_F(ServiceCyclesTest, AreNotAskedOfAServiceThatIsNotToBeHadNorOfARoleThatNamesNone) {
  why_not_ = "there is no /etc/init.d/named";
  auto phase = its_phase(run(reports::Purpose::control));
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(phase.outcome, Outcome::pass);
  EXPECT_EQ(phase.service_cycles->services.at(0).why_not, why_not_);
  job_.machines[0].plan.services.clear();
  phase = its_phase(run(reports::Purpose::control));
  ASSERT_TRUE(phase.service_cycles);
  EXPECT_THAT(phase.service_cycles->services, IsEmpty());
}

TEST_F(ServiceCyclesTest, AreLeftOutByASearchThatDoesNotNeedThem) {
  (void)run(reports::Purpose::control);
  auto job = trial(reports::Purpose::search);
  job.stability = false;
  changes_.clear();
  EXPECT_THAT(phases_of(prepared().run_trial(job)), ElementsAre("after-install pass"));
  EXPECT_THAT(changes_, IsEmpty());
}

// What clients that were cut off leave in the logs differs from night to night.
TEST_F(ServiceCyclesTest, WhatIsLoggedMeanwhileIsToldAndFailsNobodyLaterEither) {
  job_.policy.clock = {"+1d"};
  (void)run(reports::Purpose::control);
  logs_of_clients_ = "named[163]: error: client went away\n";
  const auto batch = run(reports::Purpose::batch);
  EXPECT_THAT(phases_of(batch), ElementsAre("after-install pass", "clock+1d pass", "service-cycles pass"));
  ASSERT_EQ(its_phase(batch).differences.size(), 1U);
  EXPECT_EQ(its_phase(batch).differences[0].kind, checks::state::log_kind);
  EXPECT_EQ(its_phase(batch).differences[0].finding, checks::state::FindingClass::notice);
  EXPECT_THAT(reports::find_phase(batch, "clock+1d", "dns")->differences, IsEmpty());
}

// A mail server that refuses to relay as long as its service runs.
TEST_F(ServiceCyclesTest, MeetClientsThatMayFailMeanwhile) {
  job_.policy.service_cycles = 1;
  std::filesystem::create_directories(folder_);
  const auto stage = [](const char* name, const char* answer) { return Json{{"stage", name}, {"answer", answer}}; };
  for (const char* answer : {"554", "250"}) {
    const Json stages{stage("connect", ""), stage("banner", "220"), stage("ehlo", "250"), stage("rcpt", answer)};
    std::ofstream(folder_ / answer) << Json{{"observation", {{"smtp", {{"stages", stages}}}}}, {"took_ms", 5}};
  }
  job_.worker_program = folder_ / "worker";
  // The first that is asked once services are cycled waits until one is down, and meets that; those behind it do not.
  std::ofstream(job_.worker_program) << "#!/bin/sh\ncd " << folder_.string()
                                     << "\n[ -e cycled ] && [ ! -e met ] || exec cat 554\n: >met\n"
                                        "for i in $(seq 2000); do [ ! -e down ] || exec cat 250; sleep 0.01; done\n";
  std::filesystem::permissions(job_.worker_program, std::filesystem::perms::owner_all);
  job_.machines[0].plan.checks = {{"relay", "mail.relay-refused", Json::object(), Milliseconds(30'000), {}}};
  (void)prepared();
  std::ofstream(folder_ / "cycled") << "";
  on_change_ = [this](const std::string& /*action*/) { std::ofstream(folder_ / "down") << ""; };
  const auto control = run(reports::Purpose::control);
  EXPECT_EQ(control.outcome, Outcome::pass);
  const auto& phase = its_phase(control);
  EXPECT_GE(phase.service_cycles->failed, 1U);
  EXPECT_GE(phase.service_cycles->asked, phase.service_cycles->failed);
  EXPECT_EQ(phase.checks.at(0).outcome, Outcome::pass) << "behind it";
}

// A package that is installed behind every set, and behind none in the control.
class NextPackageTest : public CellTest {
 protected:
  NextPackageTest() {
    job_.policy.warm_reboots = 0;
    job_.policy.stability = Milliseconds(0);
    job_.policy.next_package = true;
    job_.machines[0].next_package = InstallJob{.candidate = "canary",
                                               .digest = "digest-canary",
                                               .packages = {{.file_name = "canary.deb"}},
                                               .expected = {{"canary:amd64", "2"}}};
    guest_.jobs = [this](const std::string& command) {
      const bool is_it = command.find("canary") != std::string::npos;
      if (is_it && hangs_) return test::FakeAgent::Job{{}, "", 1};
      if (is_it && code_ != 0) return test::FakeAgent::Job{code_, "dpkg: error 1309\n", 1};
      return installs(command, 1);
    };
  }
  reports::TrialRecord run(reports::Purpose purpose) {
    auto job = trial(purpose);
    job.media["dns"] = "medium.iso";
    return prepared().run_trial(job);
  }
  static const reports::PhaseRecord& its_phase(const reports::TrialRecord& record) {
    const auto* phase = reports::find_phase(record, reports::next_package_phase, "dns");
    static const reports::PhaseRecord none;
    EXPECT_NE(phase, nullptr);
    return phase == nullptr ? none : *phase;
  }
  bool hangs_ = false;
  int code_ = 0;
};

TEST_F(NextPackageTest, IsInstalledBehindEachSetAndInTheControl) {
  const auto control = run(reports::Purpose::control);
  EXPECT_THAT(phases_of(control), ElementsAre("next-package pass"));
  const auto batch = run(reports::Purpose::batch);
  EXPECT_THAT(phases_of(batch), ElementsAre("after-install pass", "next-package pass"));
  const auto calls = hypervisor_.calls();
  EXPECT_EQ(std::ranges::count(calls, "change_medium dns medium.iso"), 3) << "and once for the update";
  for (const auto& record : {control, batch}) {
    ASSERT_TRUE(its_phase(record).next_package);
    ASSERT_TRUE(its_phase(record).next_package->install);
    EXPECT_EQ(its_phase(record).next_package->install->candidate, "canary");
    EXPECT_EQ(its_phase(record).next_package->install->outcome, Outcome::pass);
  }
}

TEST_F(NextPackageTest, ThatCannotBeInstalledFailsTheSet) {
  (void)run(reports::Purpose::control);
  code_ = 100;
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::fail);
  EXPECT_THAT(batch.signature, ElementsAre("dns/state:next-package:canary"));
  ASSERT_EQ(its_phase(batch).differences.size(), 1U);
  EXPECT_EQ(its_phase(batch).differences[0].after, "failed, exit code 100: dpkg: error 1309\n");
}

TEST_F(NextPackageTest, ThatComesToNoEndFailsTheSet) {
  (void)run(reports::Purpose::control);
  hangs_ = true;
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::fail);
  EXPECT_THAT(batch.signature, ElementsAre("dns/state:next-package:canary"));
}

TEST_F(NextPackageTest, MayBeKnownNotToWork) {
  (void)run(reports::Purpose::control);
  code_ = 100;
  job_.machines[0].plan.allowances.findings = {{"next-package", "canary", "known"}};
  EXPECT_EQ(run(reports::Purpose::batch).outcome, Outcome::pass);
}

TEST_F(NextPackageTest, ThatCannotBeInstalledInTheControlEitherBlamesNobody) {
  code_ = 100;
  EXPECT_EQ(run(reports::Purpose::control).outcome, Outcome::pass);
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::pass);
  EXPECT_TRUE(its_phase(batch).fails_without_patch.contains("state:next-package:canary"));
}

TEST_F(NextPackageTest, IsNotJudgedWithoutAControlNorWhenTheAgentDoesNotTell) {
  code_ = 100;
  EXPECT_EQ(run(reports::Purpose::batch).outcome, Outcome::error);
  code_ = 0;
  (void)run(reports::Purpose::control);
  guest_.jobs = [this](const std::string& command) {
    deaf_ = command.find("canary") != std::string::npos;
    return installs(command, 1);
  };
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::error);
  EXPECT_THAT(batch.signature, IsEmpty());
}

TEST_F(NextPackageTest, ThatTheMachineDoesNotTakeIsSaid) {
  job_.machines[0].next_package.reset();
  job_.machines[0].why_no_next_package = "'canary': is for other machines";
  const auto batch = run(reports::Purpose::batch);
  EXPECT_EQ(batch.outcome, Outcome::pass);
  ASSERT_TRUE(its_phase(batch).next_package);
  EXPECT_FALSE(its_phase(batch).next_package->install);
  EXPECT_EQ(its_phase(batch).next_package->why_not, "'canary': is for other machines");
}

}  // namespace
}  // namespace patchlab::runners::cell
