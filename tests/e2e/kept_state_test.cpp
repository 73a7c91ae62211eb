// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "program.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

// One real machine, no candidate, run after run in one cache.
class KeptState : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
    auto scenario = small_scenario();
    scenario["trial"] = {{"warm_reboots", 0}, {"stability_s", 0}, {"reuse_states_h", 24}};
    folder_.write("scenario.json", scenario.dump());
  }

  struct Run {
    reports::RunRecord record;
    std::string events;
    [[nodiscard]] const reports::TrialRecord& baseline() const {
      return *reports::trial_with_purpose(record.departments.at(0), reports::Purpose::baseline);
    }
  };
  Run run(const std::string& name) {
    const auto outcome = patchlab({"run", "scenario.json", "--controls", "1", "--runs", name}, folder_.path());
    EXPECT_EQ(exit_code(outcome), 3) << outcome.describe() << "\n" << outcome.output << outcome.errors;
    EXPECT_THAT(lab_processes(), IsEmpty());
    EXPECT_THAT(scratch_folders(), IsEmpty());
    for (const auto& entry : fs::directory_iterator(folder_.path() / name)) {
      if (!entry.is_directory()) continue;
      return {reports::read_run_record(entry.path() / reports::run_file_name).value(),
              read_file(entry.path() / "events.jsonl").value()};
    }
    throw std::runtime_error("there is no record");
  }
  // Whatever the machine began with, this was done tonight.
  static void expect_made_anew(const Run& run) {
    const auto& department = run.record.departments.at(0);
    EXPECT_FALSE(department.error) << department.error->message;
    EXPECT_EQ(run.baseline().outcome, Outcome::pass);
    ASSERT_THAT(run.baseline().phases, SizeIs(1));
    EXPECT_THAT(run.baseline().phases[0].checks, SizeIs(department.machines.at(0).checks.size()));
    for (const auto& trial : department.trials) EXPECT_EQ(trial.outcome, Outcome::pass) << trial.id;
    EXPECT_THAT(department.fence.troubles, IsEmpty());
    EXPECT_EQ(department.fence.answers(), 0U);
    const auto from_inside = [](const auto& attempt) { return attempt.phase == "before" && attempt.device == "dns"; };
    EXPECT_GT(std::ranges::count_if(department.fence.attempts, from_inside), 0);
  }
  [[nodiscard]] Json states() {
    return Json::parse(patchlab({"lab", "cache", "--json"}, folder_.path()).output).at("states");
  }

  OwnCache cache_;
  TemporaryFolder folder_;
};

TEST_F(KeptState, IsGoneOnFromByTheNextRunUnlessItIsDamaged) {
  const auto first = run("first");
  expect_made_anew(first);
  EXPECT_EQ(first.baseline().state_of_run, "");
  ASSERT_THAT(states(), SizeIs(1));
  EXPECT_EQ(states()[0]["run"], first.record.id);

  const auto second = run("second");
  expect_made_anew(second);
  EXPECT_EQ(second.baseline().state_of_run, first.record.id);
  EXPECT_EQ(states()[0]["run"], first.record.id) << "what went on from it is not kept again";
  const auto timed = [](const Run& run, const std::string& phase) {
    return std::ranges::count(run.record.timings, phase, &reports::TimingRecord::phase);
  };
  EXPECT_EQ(timed(first, "boot"), 1);
  EXPECT_EQ(timed(second, "boot"), 0);

  const auto disk = cache_folder() / "states" / states()[0]["key"].get<std::string>() / "dns.qcow2";
  std::fstream(disk, std::ios::in | std::ios::out | std::ios::binary).seekp(1'000'000) << "damage";
  const auto third = run("third");
  expect_made_anew(third);
  EXPECT_EQ(third.baseline().state_of_run, "");
  EXPECT_THAT(third.events, HasSubstr("has another SHA-256"));
  ASSERT_THAT(states(), SizeIs(1));
  EXPECT_EQ(states()[0]["run"], third.record.id);
}

}  // namespace
}  // namespace patchlab::e2e
