// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/refresh_image.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "runners/cell/refresher.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::runners {
namespace {

using patches::testing::PackageBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NoPrograms final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& /*spec*/, std::stop_token /*stop*/) override {
    return {NotStarted{"not here"}, {}, {}};
  }
};

// Finance has dns and mail, which needs dns, from images with hello 1.0; sales has one machine.
class PlanRefresh : public ::testing::Test {
 protected:
  PlanRefresh() {
    scenario_.file = "nightly.json";
    scenario_.name = "nightly";
    add_department("finance", {"dns", "mail"});
    scenario_.departments[0].machines[1].depends_on = {"dns"};
  }
  void add_department(const std::string& name, const std::vector<std::string>& machines) {
    DepartmentPlan department{name, {"10.20.0.0/24", "10.20.0.1", "10.20.0.250"}, {}, "/departments/" + name};
    for (const auto& machine : machines) {
      MachinePlan plan{.name = machine, .role = machine};
      plan.golden.recipe = "/recipes/" + machine;
      department.machines.push_back(std::move(plan));
    }
    scenario_.departments.push_back(std::move(department));
  }
  // In the store, as the stage's would be.
  patches::Candidate candidate(const std::string& version) {
    PackageBuilder builder;
    builder.package = "hello";
    builder.version = version;
    const auto bytes = builder.bytes();
    EXPECT_TRUE(patches::ContentStore(folder_.path() / "cache/store").add_bytes(bytes, "hello"));
    patches::Candidate made;
    made.id = "hello-" + version;
    made.digest = sha256(version);
    made.files = {
        {"hello_" + version + "_amd64.deb", sha256(bytes), bytes.size(), "hello", version, "amd64", "", "", {}, {}}};
    return made;
  }
  HostTools tools() {
    return {processes_, clock_, folder_.path() / "cache",
            [this](const Scenario& scenario, Progress&, std::stop_token) -> Result<Goldens> {
              Goldens goldens;
              for (const auto& department : scenario.departments) {
                for (const auto& machine : department.machines) {
                  auto& golden = goldens[key_of(machine.golden)];
                  golden.name = machine.name;
                  golden.digest = sha256(machine.name);
                  golden.packages = {{"hello:amd64", machine.name == "dns" ? has_ : "1.0"}};
                  golden.system = system_;
                  golden.image.emplace();
                  golden.image->packages = golden.packages;
                }
              }
              return goldens;
            },
            [](const Golden&) -> Result<patches::Solver> { return infrastructure_error("there is no apt"); }};
  }
  Result<RefreshPlan> planned(const RefreshOptions& options = {}) {
    Progress silent(Progress::Style::none);
    return plan_refresh(scenario_, candidates_, options, tools(), silent, {});
  }
  std::string trouble(const RefreshOptions& options = {}) {
    const auto plan = planned(options);
    return plan ? "" : plan.error().message;
  }

  const patches::testing::TestFolder folder_;
  test::FakeClock clock_;
  NoPrograms processes_;
  GuestSystem system_;
  std::string has_ = "1.0";
  Scenario scenario_;
  std::vector<patches::Candidate> candidates_{candidate("2.0")};
};

TEST_F(PlanRefresh, SaysWhatGoesIntoWhichImage) {
  const auto plan = planned();
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->machines.size(), 2U);
  EXPECT_EQ(plan->machines[0].machine, "dns");
  EXPECT_THAT(plan->machines[0].candidates, ElementsAre(0U));
  EXPECT_THAT(plan->machines[0].files, ElementsAre(candidates_[0].files[0].sha256));
  EXPECT_EQ(plan->plan.departments.front().candidates[0].installs.at("dns").expected,
            (InstalledSet{{"hello:amd64", "2.0"}}));
}

TEST_F(PlanRefresh, WhatIsThereAlreadyIsNotPutInOnceMore) {
  has_ = "2.0";
  const auto plan = planned();
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->machines[0].candidates, IsEmpty());
  EXPECT_THAT(plan->machines[0].files, IsEmpty());
  EXPECT_TRUE(plan->machines[0].skipped.contains("hello-2.0"));
  EXPECT_THAT(plan->machines[1].candidates, ElementsAre(0U));
}

TEST_F(PlanRefresh, BootsWhatTheMachineNeedsAndRefreshesItAlone) {
  const auto plan = planned({.machines = {"mail"}});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->machines.size(), 1U);
  EXPECT_EQ(plan->machines[0].machine, "mail");
  EXPECT_EQ(plan->plan.departments.front().cell.machines.size(), 2U);
}

TEST_F(PlanRefresh, NamesMustBeThere) {
  EXPECT_THAT(trouble({.department = "finanze"}), HasSubstr("'finanze' is not in the scenario"));
  EXPECT_THAT(trouble({.machines = {"dsn"}}), HasSubstr("'dsn' is not in department 'finance'"));
  add_department("sales", {"db"});
  EXPECT_THAT(trouble(), HasSubstr("2 departments, and images are refreshed in one at a time"));
  EXPECT_EQ(trouble({.department = "sales"}), "");
}

TEST_F(PlanRefresh, AGoldenDomainBelongsToSomebodyElse) {
  for (auto& machine : scenario_.departments[0].machines)
    machine.golden.domain = {.uri = "test:///default", .domain = "d"};
  EXPECT_THAT(trouble(), HasSubstr("'dns' starts from the golden domain 'd', which is not refreshed here"));
}

TEST_F(PlanRefresh, AGuestWithoutAListOfPackagesIsRefused) {
  system_ = {GuestFamily::windows, "10.0", "amd64"};
  EXPECT_THAT(trouble(), HasSubstr("of which no list of packages is kept"));
}

TEST(RefreshJob, GoesToTheCellAndBack) {
  cell::RefreshJob job{{.id = "finance/refresh", .purpose = reports::Purpose::final, .machines = {"dns"}},
                       "/evidence/x"};
  job.trial.installs["dns"] = {{"update", "digest", {{.file_name = "a.deb"}}, {{"a:amd64", "2"}}}};
  job.trial.media["dns"] = "/media/a.iso";
  EXPECT_EQ(Json(cell::refresh_job_from_json(Json(job))), Json(job));
  cell::Refreshed refreshed;
  refreshed.made.id = "finance/refresh";
  refreshed.made.error = guest_error("no room");
  const auto back = cell::refreshed_from_json(Json(refreshed));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(Json(*back), Json(refreshed));
}

TEST(RefreshJob, ADiskBecomesOneFile) {
  const auto spec = cell::flatten_process("/cell/dns.qcow2", "/kept/disk.qcow2");
  EXPECT_EQ(spec.program, "qemu-img");
  EXPECT_THAT(spec.arguments,
              ElementsAre("convert", "-q", "-f", "qcow2", "-O", "qcow2", "-W", "/cell/dns.qcow2", "/kept/disk.qcow2"));
}

}  // namespace
}  // namespace patchlab::runners
