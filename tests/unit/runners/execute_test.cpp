// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// A run over departments of golden domains, on a host whose cells are this test: which departments begin, and what the
// record has of one that is tested by another one. It looks at this host as every run does: its memory, its devices.
#include <gmock/gmock.h>

#include <mutex>

#include "lab/core/files.hpp"
#include "reports/record/carried.hpp"
#include "runners/engine/definition.hpp"
#include "runners/engine/run.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string golden_digest(64, 'd');

class SilentCell final : public cell::CellClient {
 public:
  Result<reports::TrialRecord> prepare(const cell::CellJob& /*job*/) override { return none(); }
  Result<reports::TrialRecord> run_trial(const cell::TrialJob& /*job*/) override { return none(); }
  Result<void> probe_fence(const std::string& /*phase*/) override { return {}; }
  void close() override {}

 private:
  static Error none() { return {ErrorClass::bug, "the test has no machines", {}}; }
};

class FakeHost final : public host::LibvirtHost {
 public:
  Result<host::DomainFacts> look(const std::string& /*domain*/) override {
    return host::DomainFacts{golden_digest, 256, {}};
  }
  Result<std::string> digest_of(const std::string& /*domain*/) override { return golden_digest; }
  Result<std::vector<std::string>> leftovers(const fs::path& /*storage*/) override {
    return std::vector<std::string>();
  }
  Result<std::unique_ptr<cell::CellClient>> start_cell(const std::string& /*run*/, cell::CellStart /*start*/,
                                                       cell::CellJob& job, cell::OnEvent /*on_event*/) override {
    const std::lock_guard lock(mutex_);
    started.push_back(job.department);
    if (is_away) return infrastructure_error("the libvirt is not there");
    return std::unique_ptr<cell::CellClient>(std::make_unique<SilentCell>());
  }
  [[nodiscard]] std::string name() const override { return {}; }

  std::vector<std::string> started;
  bool is_away = false;

 private:
  std::mutex mutex_;
};

class NoPrograms final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& /*spec*/, std::stop_token /*stop*/) override {
    return {Exited{127}, {}, {}, {}};
  }
};

class CarriedRun : public ::testing::Test {
 protected:
  CarriedRun() {
    if (const char* cache = std::getenv("PATCHLAB_CACHE")) cache_before_ = cache;
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    plan_.scenario.name = "nightly";
    plan_.candidates.push_back({.id = "tidy", .title = "Tidied", .digest = std::string(64, 'a')});
    for (const char* name : {"finance", "engineering"}) add_department(name);
    plan_.carry = {"engineering=finance"};
    carry_over(plan_);
    options_.runs = folder_.path() / "runs";
    options_.carry = plan_.carry;
    options_.instead = [](const DepartmentJob& job, cell::CellClient& /*lab*/, const std::stop_token& /*stop*/) {
      reports::DepartmentRecord seen{.name = job.cell.department, .outcome = Outcome::pass};
      seen.verdicts = {{.candidate = "tidy", .outcome = Outcome::pass, .reason = "passed as part of the exact set"}};
      return seen;
    };
  }
  ~CarriedRun() override {
    if (cache_before_)
      ::setenv("PATCHLAB_CACHE", cache_before_->c_str(), 1);
    else
      ::unsetenv("PATCHLAB_CACHE");
  }
  void add_department(const std::string& name) {
    DepartmentPlan department{name, {"10.20.0.0/24", "10.20.0.1", "10.20.0.250"}, {}, "/departments/" + name};
    MachinePlan machine{.name = "dns", .role = "dns"};
    machine.address = "10.20.0.10";
    machine.golden.domain = {.uri = "test:///default", .domain = "golden-dns"};
    auto& golden = plan_.goldens[key_of(machine.golden)];
    golden.name = "golden-dns";
    golden.digest = golden_digest;
    golden.packages = {{"hello:amd64", "1.0"}};
    golden.domain = GoldenDomain{*machine.golden.domain, 256, {}, host_};
    DepartmentJob job;
    job.cell.department = name;
    job.cell.network = department.network;
    job.cell.policy = plan_.scenario.trial;
    job.cell.machines.push_back(machine_job(machine, department, golden));
    department.machines.push_back(machine);
    job.cell.libvirt = libvirt_place(department);
    job.candidates.push_back({.id = "tidy", .digest = std::string(64, 'a')});
    plan_.departments.push_back(std::move(job));
    plan_.scenario.departments.push_back(std::move(department));
  }
  reports::RunRecord run() {
    const HostTools tools{
        processes_, clock_, folder_.path() / "cache",
        {},         {},     []() -> Result<host::HostMemory> { return host::HostMemory{65'536, 65'536}; }};
    Progress silent(Progress::Style::none);
    auto finished = execute(plan_, options_, tools, silent, {});
    EXPECT_TRUE(finished) << finished.error().message;
    events_ = read_file(finished->folder / "events.jsonl").value_or("");
    return std::move(finished->record);
  }

  const test::TemporaryFolder folder_;
  std::optional<std::string> cache_before_;
  test::FakeClock clock_;
  NoPrograms processes_;
  std::shared_ptr<FakeHost> host_ = std::make_shared<FakeHost>();
  Plan plan_;
  RunOptions options_;
  std::string events_;
};

TEST_F(CarriedRun, BeginsNoCellForADepartmentThatAnotherOneIsTestedFor) {
  const auto record = run();
  EXPECT_THAT(host_->started, ElementsAre("finance"));
  EXPECT_THAT(record.asked.carry, ElementsAre("engineering=finance"));
  ASSERT_EQ(record.departments.size(), 2U);
  const auto& tested = record.departments[0];
  EXPECT_EQ(tested.tested_in, "");
  EXPECT_EQ(tested.verdicts.at(0).outcome, Outcome::pass);
  EXPECT_THAT(tested.fence.attempts, ::testing::SizeIs(1)) << "what was heard outside";

  const auto& carried = record.departments[1];
  EXPECT_EQ(carried.tested_in, "finance");
  EXPECT_EQ(carried.outcome, Outcome::not_reached);
  EXPECT_FALSE(carried.error);
  ASSERT_EQ(carried.verdicts.size(), 1U);
  EXPECT_EQ(carried.verdicts[0].outcome, Outcome::not_reached) << "what was not seen here is no pass of its own";
  EXPECT_EQ(carried.verdicts[0].reason, "not tried here: 'finance' was tested, and its machines are alike");
  EXPECT_THAT(carried.trials, IsEmpty());
  EXPECT_THAT(carried.fence.attempts, IsEmpty()) << "nothing of it was there to be heard";
  ASSERT_EQ(carried.machines.size(), 1U);
  EXPECT_EQ(carried.machines[0].golden_digest_after, golden_digest) << "what it is alike by was looked at again";

  EXPECT_TRUE(reports::carrying_of(record, "engineering").is_carried());
  EXPECT_EQ(reports::find_as_tested(record, "engineering")->verdicts.at(0).outcome, Outcome::pass);
  EXPECT_THAT(events_, HasSubstr("engineering: tested in 'finance'"));
}

// Its trouble is not that of the other one, and no pass carries over from it.
TEST_F(CarriedRun, CarriesNoPassOverFromADepartmentThatCouldNotBeTested) {
  host_->is_away = true;
  const auto record = run();
  EXPECT_THAT(host_->started, ElementsAre("finance"));
  ASSERT_TRUE(record.departments[0].error);
  EXPECT_EQ(record.departments[0].error->message, "the libvirt is not there");
  EXPECT_FALSE(record.departments[1].error);
  EXPECT_EQ(record.departments[1].verdicts.at(0).outcome, Outcome::not_reached);
  EXPECT_EQ(reports::find_as_tested(record, "engineering")->verdicts.at(0).outcome, Outcome::error);
}

TEST_F(CarriedRun, BeginsBothWhereNothingIsCarriedOver) {
  plan_.departments[1].tested_in.clear();
  const auto record = run();
  EXPECT_THAT(host_->started, ::testing::UnorderedElementsAre("finance", "engineering"));
  EXPECT_EQ(record.departments[1].tested_in, "");
  EXPECT_EQ(record.departments[1].verdicts.at(0).outcome, Outcome::pass);
}

}  // namespace
}  // namespace patchlab::runners
