// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Planning with a host that the test is: nothing is asked of the real one, and nothing is written outside a folder.
#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "runners/engine/definition.hpp"
#include "tests/support/facts.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;
using patches::testing::PackageBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// xorriso, as far as a plan knows it; whatever else is called would be a finding.
class OnlyXorriso final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token /*stop*/) override {
    calls.push_back(spec.program);
    std::ofstream(spec.arguments.at(4)) << "iso";
    return {Exited{0}, {}, {}, {}};
  }
  std::vector<std::string> calls;
};

class Planning : public ::testing::Test {
 protected:
  Planning() {
    scenario_.file = "nightly.json";
    scenario_.name = "nightly";
    add_department("finance", {"dns", "mail"});
    add_department("sales", {"dns"});
    scenario_.departments[0].machines[1].depends_on = {"dns"};
  }
  void add_department(const std::string& name, const std::vector<std::string>& machines) {
    DepartmentPlan department{name, {"10.20.0.0/24", "10.20.0.1", "10.20.0.250"}, {}, "/departments/" + name};
    for (const auto& machine : machines) {
      MachinePlan plan{.name = machine, .role = machine};
      plan.golden.domain = {.uri = "test:///default", .domain = "golden-" + machine};
      department.machines.push_back(std::move(plan));
    }
    scenario_.departments.push_back(std::move(department));
  }
  // A package of that version, as a candidate of the scenario.
  CandidateSource& add_candidate(const std::string& package, const std::string& version) {
    PackageBuilder builder;
    builder.package = package;
    builder.version = version;
    auto& source = scenario_.candidates.emplace_back();
    source.path = folder_.write(package + "_" + version + "_amd64.deb", builder.bytes());
    source.pointer = fmt::format("/candidates/{}", scenario_.candidates.size() - 1);
    return source;
  }
  [[nodiscard]] fs::path cache() const { return folder_.path() / "cache"; }
  // Each golden machine has hello 1.0, and is known without its libvirt.
  [[nodiscard]] HostTools tools() {
    return {processes_, clock_, cache(),
            [this](const Scenario& scenario, Progress&, std::stop_token) -> Result<Goldens> {
              Goldens goldens;
              for (const auto& department : scenario.departments) {
                for (const auto& machine : department.machines) {
                  auto& golden = goldens[key_of(machine.golden)];
                  golden.name = machine.golden.domain->domain;
                  golden.digest = std::string(64, 'd');
                  golden.packages = {{"hello:amd64", "1.0"}};
                  golden.dpkg_status = status_;
                  golden.domain = GoldenDomain{*machine.golden.domain, 256, {}, nullptr};
                }
              }
              return goldens;
            },
            [this](const Golden& golden) -> Result<patches::Solver> {
              asked_.push_back(golden.name);
              return infrastructure_error("there is no apt");
            }};
  }
  Result<Plan> plan(std::stop_token stop = {}) {
    Progress silent(Progress::Style::none);
    return make_plan(scenario_, options_, tools(), silent, std::move(stop));
  }

  const patches::testing::TestFolder folder_;
  test::FakeClock clock_;
  OnlyXorriso processes_;
  fs::path status_;  // empty: nobody asks apt
  std::vector<std::string> asked_;
  Scenario scenario_;
  RunOptions options_;
};

TEST_F(Planning, SaysWhatAPlannedScenarioLeftOutAndWhatIsGone) {
  add_candidate("hello", "2.0");
  const auto here = this->plan().value().candidates[0].id;
  const std::string left_out = "candidate 'late' is due and was not planned: does not fit";
  scenario_.planned = PlannedScenario{{here, "late", "apt-gone-1"}, {left_out}, {"print"}};
  const auto plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->not_tested,
              ElementsAre(left_out, "candidate 'apt-gone-1' was planned, and its source does not offer it any more"));
}

TEST_F(Planning, TakesNothingThatAPlannedScenarioLeavesOut) {
  add_candidate("hello", "2.0");
  const auto here = this->plan().value().candidates[0].id;
  add_candidate("other", "1.0");
  scenario_.planned = PlannedScenario{{}, {}, {}, {here}};
  const auto plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->candidates.size(), 1U);
  EXPECT_NE(plan->candidates[0].id, here);
}

// In the evening, not in the morning.
TEST_F(Planning, ReadsFactsOfProductionAndRefusesWhatIsNone) {
  add_candidate("hello", "2.0");
  EXPECT_FALSE(this->plan().value().facts) << "nobody asked";
  options_.facts = folder_.path() / "facts";
  const auto facts = tests::facts_text(tests::facts_lines(), "dns1", "2000-01-01T00:00:00Z");
  ASSERT_TRUE(create_folders(options_.facts / "finance"));
  folder_.write("facts/finance/dns.json", facts);
  const auto good = this->plan();
  ASSERT_TRUE(good) << good.error().message;
  ASSERT_TRUE(good->facts);
  EXPECT_EQ(good->facts->size(), 1U);
  EXPECT_EQ(good->facts->at("finance/dns").text, facts);
  std::swap(options_.facts, scenario_.facts);
  EXPECT_EQ(this->plan().value().facts->size(), 1U) << "the scenario says where they are";
  std::swap(options_.facts, scenario_.facts);
  folder_.write("facts/finance/ntp.json", "of another scenario");
  EXPECT_EQ(this->plan().value().facts->size(), 1U);
  folder_.write("facts/finance/dns.json", "{}");
  EXPECT_THAT(this->plan().error().message, HasSubstr("facts/finance/dns.json:1"));
  options_.facts = folder_.path() / "nowhere";
  EXPECT_THAT(this->plan().error().message, HasSubstr("is no folder"));
}

TEST_F(Planning, SaysWhoGetsWhatAndMakesTheMediumOfIt) {
  const auto file = add_candidate("hello", "2.0").path;
  add_candidate("other", "1.0");
  const auto plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->departments.size(), 2U);
  const auto& job = plan->departments[0];
  ASSERT_EQ(job.candidates.size(), 2U);
  EXPECT_EQ(job.candidates[0].id, plan->candidates[0].id);
  EXPECT_EQ(job.candidates[0].installs.size(), 2U) << "dns and mail";
  EXPECT_EQ(job.candidates[0].installs.at("mail").expected, (InstalledSet{{"hello:amd64", "2.0"}}));
  EXPECT_THAT(job.candidates[1].installs, IsEmpty());
  EXPECT_THAT(job.candidates[1].skipped_because, HasSubstr("other"));
  EXPECT_EQ(plan->sources.at(plan->candidates[0].id), file);
  EXPECT_EQ(job.cell.libvirt->uri, "test:///default");

  EXPECT_THAT(processes_.calls, IsEmpty()) << "nothing is made before it is needed";
  const auto medium = job.medium("mail", {0});
  ASSERT_TRUE(medium) << medium.error().message;
  EXPECT_TRUE(is_there(*medium));
  EXPECT_TRUE(medium->string().starts_with((cache() / "media").string()));
  EXPECT_THAT(processes_.calls, ElementsAre("xorriso"));
}

TEST_F(Planning, CarriesOverOnlyBetweenDepartmentsOfTheRunOfWhichOneIsTested) {
  add_candidate("hello", "2.0");
  options_.carry = {"sales=finance"};
  const auto good = this->plan();
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_THAT(good->carry, ElementsAre("sales=finance"));
  EXPECT_THAT(describe(*good),
              HasSubstr("\nsales is tested itself: dns: its address differs from that of finance/dns"));
  EXPECT_THAT(good->departments, ::testing::Each(::testing::Field(&DepartmentJob::tested_in, "")));
  const auto refused = [&](std::vector<std::string> carry) {
    options_.carry = std::move(carry);
    const auto plan = this->plan();
    EXPECT_FALSE(plan);
    return plan ? std::string() : plan.error().message;
  };
  EXPECT_THAT(refused({"sales"}), HasSubstr("is not DEPARTMENT=TESTED"));
  EXPECT_THAT(refused({"=finance"}), HasSubstr("is not DEPARTMENT=TESTED"));
  EXPECT_THAT(refused({"sales=office"}), HasSubstr("the run has no department 'office'"));
  EXPECT_THAT(refused({"sales=finance", "sales=finance"}), HasSubstr("'sales' is named twice"));
  EXPECT_THAT(refused({"sales=sales"}), HasSubstr("to be tested for another department, and not to be tested itself"));
  EXPECT_THAT(refused({"sales=finance", "finance=sales"}), HasSubstr("and not to be tested itself"));
  options_.departments = {"sales"};
  EXPECT_THAT(refused({"sales=finance"}), HasSubstr("the run has no department 'finance'"));
  options_.departments.clear();
  options_.controls = 1;
  EXPECT_THAT(refused({"sales=finance"}), HasSubstr("without candidates there is no verdict"));
}

// Which they are is known before anything runs.
TEST_F(Planning, LeavesOutADepartmentOfWhichEachMachineIsLikeThatOfAnotherOne) {
  add_department("support", {"dns"});
  for (auto& department : scenario_.departments) {
    for (auto& machine : department.machines) machine.address = "10.20.0.10";
  }
  add_candidate("hello", "2.0");
  options_.carry = {"support=sales"};
  const auto plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->departments[1].tested_in, "");
  EXPECT_EQ(plan->departments[2].tested_in, "sales");
  EXPECT_THAT(describe(*plan), HasSubstr("\nsupport: tested in 'sales', and not here; alike there and here: dns ("));
  EXPECT_EQ(plan_json(*plan)["departments"][2]["tested_in"], "sales");
  EXPECT_FALSE(plan_json(*plan)["departments"][1].contains("tested_in"));
  const auto record = planned_department(*plan, plan->departments[2]);
  EXPECT_EQ(record.tested_in, "sales");
  EXPECT_EQ(record.verdicts.at(0).reason, "not tried here: 'sales' was tested, and its machines are alike");
  EXPECT_EQ(record.verdicts[0].outcome, Outcome::not_reached);
  // As soon as one machine is another one, it is tested.
  scenario_.departments[2].machines[0].address = "10.20.0.11";
  const auto unlike = this->plan();
  ASSERT_TRUE(unlike) << unlike.error().message;
  EXPECT_EQ(unlike->departments[2].tested_in, "");
  EXPECT_THAT(unlike->carried, ElementsAre(HasSubstr("support is tested itself: dns: its address differs")));
}

TEST_F(Planning, NarrowsToWhatIsAskedForAndSaysWhatIsLeftOut) {
  options_.departments = {"finance"};
  options_.roles = {"dns"};
  const auto plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->departments.size(), 1U);
  EXPECT_EQ(plan->departments[0].cell.machines.size(), 1U);
  EXPECT_THAT(plan->not_tested, ElementsAre("department 'sales' was left out by --department",
                                            "machine 'finance/mail' was left out by --role"));
  EXPECT_EQ(plan->goldens.size(), 1U) << "nobody asks what is not tested";
  for (auto* filter : {&options_.departments, &options_.roles, &options_.candidates}) {
    options_ = {};
    *filter = {"dsn"};
    const auto unknown = this->plan();
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().error_class, ErrorClass::usage);
    EXPECT_THAT(unknown.error().message, HasSubstr("'dsn' is not in the scenario"));
  }
}

TEST_F(Planning, TellsTheTroubleOfEveryCandidateAtOnce) {
  add_candidate("hello", "2.0").sha256 = std::string(64, '0');
  scenario_.candidates.push_back({.path = folder_.path() / "nowhere.deb", .pointer = "/candidates/1"});
  const auto plan = this->plan();
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("nightly.json: /candidates/0: "));
  EXPECT_THAT(plan.error().message, HasSubstr("the scenario expects 0000"));
  EXPECT_THAT(plan.error().message, HasSubstr("nightly.json: /candidates/1: "));
}

TEST_F(Planning, TakesWhatTheCommandLineNames) {
  options_.with = {add_candidate("hello", "2.0").path};
  scenario_.candidates.clear();
  const auto plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->with, ElementsAre(plan->candidates.at(0).id));
  options_.with = {folder_.path() / "nowhere.deb"};
  EXPECT_EQ(this->plan().error().error_class, ErrorClass::usage);
}

TEST_F(Planning, LeavesCandidatesOutThatNobodyChose) {
  add_candidate("hello", "2.0");
  add_candidate("other", "1.0");
  options_.controls = 3;
  const auto controls = this->plan();
  ASSERT_TRUE(controls) << controls.error().message;
  EXPECT_THAT(controls->candidates, IsEmpty());
  EXPECT_THAT(controls->not_tested, ElementsAre("the candidates were left out by --controls"));
  EXPECT_EQ(controls->departments[0].controls, 3U);
  options_ = {};
  const auto all = this->plan();
  ASSERT_TRUE(all);
  options_.candidates = {all->candidates[0].id};
  const auto chosen = this->plan();
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->candidates.size(), 1U);
  EXPECT_THAT(chosen->not_tested,
              ElementsAre(fmt::format("candidate '{}' was left out by --candidate", all->candidates[1].id)));
}

TEST_F(Planning, PlansEachAloneSoThatSeveralMayBringTheSamePackage) {
  add_candidate("hello", "2.0");
  add_candidate("hello", "3.0");
  EXPECT_FALSE(plan()) << "as one set";
  options_.each_alone = true;
  options_.controls = 2;
  const auto alone = plan();
  ASSERT_TRUE(alone) << alone.error().message;
  EXPECT_EQ(alone->candidates.size(), 2U);
  const auto& job = alone->departments[0];
  EXPECT_TRUE(job.each_alone);
  EXPECT_EQ(job.controls, 2U);
  ASSERT_EQ(job.candidates.size(), 2U);
  EXPECT_EQ(job.candidates[0].installs.at("dns").expected, (InstalledSet{{"hello:amd64", "2.0"}}));
  EXPECT_EQ(job.candidates[1].installs.at("dns").expected, (InstalledSet{{"hello:amd64", "3.0"}}));
  const auto first = job.medium("dns", {0});
  const auto second = job.medium("dns", {1});
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(job.medium("dns", {0, 1}).error().error_class, ErrorClass::bug);
  EXPECT_THAT(alone->not_tested, ElementsAre(HasSubstr("tested alone")));
}

TEST_F(Planning, PutsTheNextPackageOnEveryMediumAndSaysWhereThereIsNone) {
  add_candidate("other", "1.0");  // no machine has it
  add_candidate("hello", "3.0");
  scenario_.next_packages = {scenario_.candidates[1]};
  scenario_.candidates.pop_back();
  scenario_.trial.next_package = true;
  auto plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  const auto& machine = plan->departments.at(0).cell.machines.at(0);
  ASSERT_TRUE(machine.next_package);
  EXPECT_EQ(machine.next_package->expected, (InstalledSet{{"hello:amd64", "3.0"}}));
  EXPECT_THAT(plan->candidates, ::testing::SizeIs(1)) << "it is none";
  processes_.calls.clear();
  EXPECT_TRUE(plan->departments[0].medium("dns", {})) << "of the control";
  EXPECT_EQ(processes_.calls.size(), 1U);
  EXPECT_THAT(describe(*plan), HasSubstr("and with another package behind the set"));

  scenario_.next_packages = {scenario_.candidates[0]};
  scenario_.candidates = {};
  add_candidate("hello", "2.0");
  plan = this->plan();
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_FALSE(plan->departments[0].cell.machines[0].next_package);
  EXPECT_THAT(plan->departments[0].cell.machines[0].why_no_next_package, HasSubstr("other"));

  scenario_.next_packages = scenario_.candidates;
  plan = this->plan();
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("is a candidate: it cannot come behind itself"));
}

TEST_F(Planning, AsksAptWhereSomethingWouldBeInstalled) {
  status_ = folder_.write("status", "");
  add_candidate("other", "1.0");
  ASSERT_TRUE(plan());
  EXPECT_THAT(asked_, IsEmpty()) << "it goes nowhere";
  add_candidate("hello", "2.0");
  const auto plan = this->plan();
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("there is no apt"));
  EXPECT_THAT(asked_, ElementsAre("golden-dns"));
}

TEST(BeginOrder, IsLongestExpectedFirst) {
  std::vector<DepartmentJob> departments(4);
  departments[1].expected = Milliseconds(5);
  departments[2].expected = Milliseconds(9);
  departments[3].expected = Milliseconds(5);
  EXPECT_THAT(begin_order(departments), ElementsAre(2, 1, 3, 0));
  EXPECT_THAT(begin_order(std::vector<DepartmentJob>(3)), ElementsAre(0, 1, 2)) << "where nothing is known, as named";
}

TEST_F(Planning, StopsWhereItIs) {
  add_candidate("hello", "2.0");
  std::stop_source source;
  source.request_stop();
  const auto plan = this->plan(source.get_token());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().error_class, ErrorClass::cancelled);
  EXPECT_FALSE(is_there(cache() / "store"));
}

}  // namespace
}  // namespace patchlab::runners
