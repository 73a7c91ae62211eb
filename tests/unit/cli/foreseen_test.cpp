// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/foreseen.hpp"

#include <gmock/gmock.h>

#include "cli/answers.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/paths.hpp"
#include "reports/record/host_keys.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/scale_world.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

runners::Plan small_plan() {
  runners::Plan plan;
  plan.scenario.name = "nightly";
  plan.departments = runners::tests::departments_of({.departments = 2, .machines = 3, .patches = 6});
  for (auto& job : plan.departments) {
    for (auto& machine : job.cell.machines) machine.plan.memory_mib = 64;
  }
  return plan;
}

// What 'plan' says of one host like this one.
TEST(Foreseen, IsWhatAPlanForOneHostSays) {
  const auto plan = small_plan();
  const auto foreseen = foreseen_here(plan, {});
  ASSERT_TRUE(foreseen);
  auto work =
      runners::forecast::work_of(plan.departments, runners::host::Executor{}, runners::forecast::Durations(), {});
  const auto planned = runners::forecast::plan_on(std::move(work), like_this_host()).value();
  EXPECT_EQ(foreseen->makespan_ms(), planned.makespan_ms());
  EXPECT_EQ(foreseen->hosts.slots, runners::forecast::Hosts::Slots::together);
  EXPECT_THAT(foreseen_text(*foreseen), HasSubstr(runners::forecast::duration_text(planned.makespan_ms())));
  // What is assumed bounds nothing.
  EXPECT_THAT(foreseen_text(*foreseen), HasSubstr(" on this host (none of "));
  EXPECT_THAT(foreseen_text(*foreseen), Not(HasSubstr("shorter")));
}

// What is not tested takes no time.
TEST(Foreseen, CountsNoDepartmentThatAnotherOneIsTestedFor) {
  auto plan = small_plan();
  auto half = plan;
  half.departments.pop_back();
  plan.departments.back().tested_in = plan.departments.front().cell.department;
  const auto foreseen = foreseen_here(plan, {});
  ASSERT_TRUE(foreseen);
  EXPECT_EQ(foreseen->work.departments.size(), 1U);
  EXPECT_EQ(foreseen->bound_ms(), foreseen_here(half, {})->bound_ms());
  EXPECT_THAT(foreseen_text(*foreseen), HasSubstr("is tested instead"));
}

// What it is told for is what was asked.
TEST(Foreseen, SaysWhatIsAssumedOfTheNight) {
  const auto plan = small_plan();
  runners::forecast::Assumptions assumptions{.bad = 2, .again = true};
  auto work = runners::forecast::work_of(plan.departments, runners::host::Executor{}, runners::forecast::Durations(),
                                         assumptions);
  const auto planned =
      runners::forecast::plan_on(std::move(work), {.hosts = 3, .cores = 4, .memory_mib = 65536}).value();
  EXPECT_THAT(foreseen_text(planned), HasSubstr("when 2 of 6 candidates are bad and the night is like the last one: "));
  EXPECT_THAT(foreseen_text(planned), HasSubstr(" on 3 hosts ("));
}

TEST(Foreseen, IsNothingWhereNobodyCanTell) {
  auto plan = small_plan();
  plan.executor = runners::host::Executor{};
  EXPECT_FALSE(foreseen_here(plan, {}));
  plan = small_plan();
  plan.departments[1].controls = 3;
  EXPECT_FALSE(foreseen_here(plan, {}));
  plan = small_plan();
  for (auto& job : plan.departments) job.cell.libvirt = {.uri = "qemu:///system", .run = {}, .storage = {}};
  EXPECT_FALSE(foreseen_here(plan, {}));
}

TEST(Foreseen, StandsInTheRecordAsItIsTold) {
  const auto foreseen = foreseen_here(small_plan(), {});
  ASSERT_TRUE(foreseen);
  const auto record = foreseen_record(*foreseen);
  const auto json = foreseen_json(*foreseen);
  EXPECT_EQ(record.makespan_ms, json.at("makespan_ms"));
  EXPECT_EQ(record.lower_bound_ms, json.at("lower_bound_ms"));
  EXPECT_EQ(record.times, json.at("times"));
  EXPECT_GT(record.times, 0);
  EXPECT_EQ(record.recorded_times, 0);
}

TEST(Foreseen, IsInTheAnswerOfADryRunAndItsSchema) {
  const auto plan = small_plan();
  auto json = plan_answer_json(plan, foreseen_here(plan, {}));
  EXPECT_GT(json["foreseen"]["makespan_ms"], json["foreseen"]["lower_bound_ms"]);
  EXPECT_EQ(json["foreseen"]["recorded_times"], 0);
  EXPECT_FALSE(plan_answer_json(plan, std::nullopt).contains("foreseen"));
  json["schema"] = "patchlab/plan/v1";
  const auto schema = read_json_file(std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/plan.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty());
}

class RecordedRuns : public ::testing::Test {
 protected:
  void keep(const std::string& id, const std::string& scenario, const std::string& accelerator = "tcg",
            bool complete = true, bool has_trials = true) const {
    reports::RunRecord record;
    record.id = id;
    record.scenario_name = scenario;
    record.host[reports::accelerator_key] = accelerator;
    record.complete = complete;
    reports::DepartmentRecord department;
    department.name = "finance";
    if (has_trials) department.trials.emplace_back();
    record.departments.push_back(department);
    ASSERT_TRUE(create_folders(folder_.path() / id));
    ASSERT_TRUE(history::RunArchive(folder_.path()).keep(record));
  }
  [[nodiscard]] std::vector<std::string> found() const {
    std::vector<std::string> ids;
    for (const auto& record : recorded_runs(folder_.path(), "nightly")) ids.push_back(record.id);
    return ids;
  }
  const test::TemporaryFolder folder_;
};

TEST_F(RecordedRuns, AreCompleteOfOneAcceleratorAndOfThisScenarioFirst) {
  keep("20261101-000000-aaaa", "nightly");
  keep("20261102-000000-aaaa", "nightly", "kvm");
  keep("20261103-000000-aaaa", "other");
  keep("20261104-000000-aaaa", "nightly");
  keep("20261105-000000-aaaa", "nightly", "tcg", false);
  keep("20261106-000000-aaaa", "nightly", "tcg", true, false);
  EXPECT_THAT(found(), ElementsAre("20261104-000000-aaaa", "20261101-000000-aaaa", "20261103-000000-aaaa"));
  EXPECT_THAT(recorded_runs(folder_.path() / "nothing", "nightly"), IsEmpty());
}

// Somebody tried things for a week: what this scenario takes is still known.
TEST_F(RecordedRuns, AreFoundBehindManyOfOthers) {
  keep("20261101-000000-aaaa", "nightly");
  for (int i = 0; i < 30; ++i) keep(fmt::format("20261102-0000{:02}-bbbb", i), "other");
  for (int i = 0; i < 15; ++i) keep(fmt::format("20261202-0000{:02}-cccc", i), "trial");
  const auto ids = found();
  ASSERT_THAT(ids, SizeIs(10));
  EXPECT_EQ(ids.front(), "20261101-000000-aaaa");
  EXPECT_EQ(ids[1], "20261202-000014-cccc") << "then the newest of others";
  for (int i = 0; i < 12; ++i) keep(fmt::format("20261203-0000{:02}-dddd", i), "nightly");
  EXPECT_THAT(found(), SizeIs(10));
  EXPECT_EQ(found().back(), "20261203-000002-dddd") << "and none, where there are enough";
}

// No run waits for a minute before its first machine starts.
TEST_F(RecordedRuns, AreNotLookedForBehindMoreBytesThanAreReadInAMoment) {
  keep("20261101-000000-aaaa", "nightly");
  keep("20261102-000000-aaaa", "other");
  const auto large = folder_.write("20261103-000000-aaaa/run.json", "{");
  EXPECT_THAT(found(), SizeIs(2));
  std::filesystem::resize_file(large, (64U << 20U) + 1);  // a hole
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace patchlab::cli
