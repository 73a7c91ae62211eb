// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "lab/core/files.hpp"
#include "program.hpp"
#include "reports/record/record.hpp"

// Run by tests/support/private-slurm: two departments of one small machine each, here and as jobs.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// What a record says of the patches and of the fence: without times, places, evidence, who asked first for a trial of a
// search that departments share, and what the lab could not tell and asked again (a host with much to do; never the
// job).
Json found_in(const reports::RunRecord& record) {
  Json departments = Json::array();
  for (const auto& department : record.departments) {
    Json trials = Json::array(), verdicts = Json::array();
    std::set<std::string> fence;
    for (const auto& trial : department.trials) {
      if (trial.purpose == reports::Purpose::search || trial.purpose == reports::Purpose::confirm) continue;
      if (trial.outcome == Outcome::error) {
        EXPECT_THAT(trial.error ? trial.error->message : "", Not(HasSubstr("Slurm")));
        continue;
      }
      Json phases = Json::array();
      for (const auto& phase : trial.phases) {
        std::map<std::string, std::string> checks;
        for (const auto& check : phase.checks) checks[check.id] = to_string(check.outcome);
        phases.push_back({{"phase", phase.phase}, {"machine", phase.machine}, {"checks", checks}});
      }
      trials.push_back({{"purpose", to_string(trial.purpose)},
                        {"candidates", trial.candidates},
                        {"set", trial.set_digest},
                        {"machines", trial.machines},
                        {"outcome", to_string(trial.outcome)},
                        {"signature", trial.signature},
                        {"phases", phases}});
    }
    for (const auto& verdict : department.verdicts)
      verdicts.push_back({{"candidate", verdict.candidate},
                          {"outcome", to_string(verdict.outcome)},
                          {"machines", verdict.machines},
                          {"failed", verdict.failed}});
    for (const auto& attempt : department.fence.attempts)
      fence.insert(fmt::format("{} {} {} {}", attempt.phase, attempt.probe, attempt.target, attempt.answered));
    departments.push_back({{"name", department.name},
                           {"outcome", to_string(department.outcome)},
                           {"phases", department.phases},
                           {"trials", trials},
                           {"verdicts", verdicts},
                           {"fence", fence}});
  }
  return departments;
}

class SlurmRun : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("PRIVATE_SLURM") == nullptr) GTEST_SKIP() << "tests/support/private-slurm runs it";
    if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
    auto scenario = small_scenario();
    scenario["departments"]["sales"] = scenario["departments"]["finance"];
    scenario["trial"]["stability_s"] = 5;
    scenario["trial"]["warm_reboots"] = 0;
    scenario["trial"]["lab_retries"] = 5;  // other tests run beside this one
    const auto recipes = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/candidates";
    // One that breaks something at once.
    scenario["candidates"] = {{{"recipe", (recipes / "harmless-hostname").string()}},
                              {{"recipe", (recipes / "bad-second-root").string()}}};
    // Few, as each waits for the server that a candidate breaks.
    scenario["roles"]["dns"]["checks"] = {
        {{"id", "names"},
         {"kind", "dns.records"},
         {"timeout_s", 5},
         {"with", {{"records", {"dns1.corp.example. A 10.20.0.10", "mail1.corp.example. A 10.20.0.14"}}}}}};
    folder_.write("two.json", scenario.dump());
    // The node takes its images by digest, though it is this host.
    folder_.write("slurm.json", Json{{"schema", "patchlab/executor/v1"},
                                     {"kind", "slurm"},
                                     {"partition", "lab"},
                                     {"cpus", 1},
                                     {"content", (folder_.path() / "content").string()},
                                     {"images", (folder_.path() / "node-images").string()}}
                                    .dump());
  }
  reports::RunRecord run(const std::string& runs, const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"run", "two.json", "--anew", "--no-promote", "--runs", runs};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto outcome = patchlab(arguments, folder_.path(), std::chrono::minutes(20));
    EXPECT_EQ(exit_code(outcome), 1) << outcome.errors;
    for (const auto& entry : fs::directory_iterator(folder_.path() / runs)) {
      if (!fs::exists(entry.path() / reports::run_file_name)) continue;
      events_ = read_file(entry.path() / "events.jsonl").value_or("");
      auto record = reports::read_run_record(entry.path() / reports::run_file_name);
      EXPECT_TRUE(record) << record.error().message;
      return std::move(record).value();
    }
    ADD_FAILURE() << "no record: " << outcome.errors;
    return {};
  }

  OwnCache cache_;
  TemporaryFolder folder_;
  std::string events_;
};

TEST_F(SlurmRun, FindsWhatALocalRunFinds) {
  auto here = run("here", {});
  const auto published = patchlab({"content", "publish", "content", "--scenario", "two.json"}, folder_.path());
  ASSERT_EQ(exit_code(published), 0) << published.errors;
  auto there = run("there", {"--executor", "slurm.json"});
  ASSERT_EQ(here.departments.size(), 2U);
  EXPECT_EQ(found_in(here), found_in(there));
  EXPECT_FALSE(here.host.contains("cell of finance"));
  for (const auto* department : {"finance", "sales"}) {
    EXPECT_THAT(there.host["cell of " + std::string(department)], StartsWith("on node "));
    EXPECT_THAT(there.host["cell of " + std::string(department)], HasSubstr(", Slurm job "));
    EXPECT_EQ(there.host["accelerator of " + std::string(department)], here.host["accelerator"]);
  }
  EXPECT_EQ(here.host["accelerator"], there.host["accelerator"]);
  EXPECT_THAT(events_, HasSubstr("were fetched"));
  std::size_t copies = 0;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "node-images"))
    copies += fs::is_regular_file(entry.path() / "disk.qcow2") ? 1 : 0;
  EXPECT_EQ(copies, 1U) << "two departments of one image each, the same";
  for (const auto& department : there.departments) {
    for (const auto& machine : department.machines) EXPECT_EQ(machine.golden_digest_after, machine.golden_digest);
  }
  // The node is this host, and so it is observed from here.
  EXPECT_EQ(events_.find("not observed: its machines were on node"), std::string::npos);
  EXPECT_THAT(lab_processes(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace patchlab::e2e
