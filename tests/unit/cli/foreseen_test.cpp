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
  EXPECT_THAT(foreseen_text(*foreseen), HasSubstr("; 0 of "));
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

TEST(RecordedRuns, AreCompleteOfOneAcceleratorAndOfThisScenarioFirst) {
  const test::TemporaryFolder folder;
  const history::RunArchive archive(folder.path());
  const auto keep = [&](const std::string& id, const std::string& scenario, const std::string& accelerator,
                        bool complete) {
    reports::RunRecord record;
    record.id = id;
    record.scenario_name = scenario;
    record.host[reports::accelerator_key] = accelerator;
    record.complete = complete;
    ASSERT_TRUE(create_folders(folder.path() / id));
    ASSERT_TRUE(archive.keep(record));
  };
  keep("20261101-000000-aaaa", "nightly", "tcg", true);
  keep("20261102-000000-aaaa", "nightly", "kvm", true);
  keep("20261103-000000-aaaa", "other", "tcg", true);
  keep("20261104-000000-aaaa", "nightly", "tcg", true);
  keep("20261105-000000-aaaa", "nightly", "tcg", false);
  std::vector<std::string> ids;
  for (const auto& record : recorded_runs(folder.path(), "nightly")) ids.push_back(record.id);
  EXPECT_THAT(ids, ElementsAre("20261104-000000-aaaa", "20261101-000000-aaaa", "20261103-000000-aaaa"));
  EXPECT_THAT(recorded_runs(folder.path() / "nothing", "nightly"), IsEmpty());
}

}  // namespace
}  // namespace patchlab::cli
