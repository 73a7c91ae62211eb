// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "runners/engine/run.hpp"
#include "tests/support/json_schema.hpp"

namespace patchlab::runners {
namespace {

Plan small_plan() {
  Plan plan;
  plan.scenario.name = "nightly";
  plan.candidates.push_back({.id = "good", .digest = std::string(64, 'a')});
  plan.candidates.push_back({.id = "other", .digest = std::string(64, 'b')});
  auto& department = plan.departments.emplace_back();
  department.cell.department = "finance";
  department.cell.network.subnet = "10.20.0.0/24";
  auto& machine = department.cell.machines.emplace_back();
  machine.plan.name = "dns";
  machine.plan.role = "dns";
  machine.plan.address = "10.20.0.10";
  machine.plan.memory_mib = 256;
  machine.plan.checks.push_back({.id = "forward"});
  machine.golden_digest = std::string(64, 'c');
  department.candidates.push_back({.id = "good"});
  department.candidates.back().installs["dns"] = {};
  department.candidates.push_back({.id = "other", .skipped_because = "'x' is not installed"});
  plan.not_tested.emplace_back("department 'sales' was left out by --department");
  return plan;
}

TEST(PlanText, CallsTheScenarioAsPeopleDo) {
  auto plan = small_plan();
  EXPECT_TRUE(describe(plan).starts_with("scenario nightly: 2 candidates"));
  plan.scenario.title = "The offices, every night";
  EXPECT_TRUE(describe(plan).starts_with("scenario nightly (The offices, every night): 2 candidates"));
}

TEST(PlanJson, SaysWhatDescribeSaysAndFitsItsSchema) {
  auto json = plan_json(small_plan());
  const auto& department = json["departments"][0];
  EXPECT_EQ(department["machines"][0]["checks"], Json({"forward"}));
  EXPECT_EQ(department["candidates"][0]["machines"], Json({"dns"}));
  EXPECT_EQ(department["candidates"][1]["machines"], Json::array());
  EXPECT_EQ(department["candidates"][1]["skipped_because"], "'x' is not installed");
  EXPECT_EQ(json["not_tested"].size(), 1U);
  json["schema"] = "patchlab/plan/v1";
  const auto schema = read_json_file(std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/plan.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), ::testing::IsEmpty());
  json["departments"][0]["oops"] = 1;
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), ::testing::SizeIs(1));
}

TEST(PlanOfAnExecutor, SaysWhatEachJobAsksFor) {
  auto plan = small_plan();
  EXPECT_FALSE(plan_json(plan)["departments"][0].contains("job"));
  plan.executor = host::Executor{.partition = "lab", .cpus = 4};
  plan.departments.push_back(plan.departments.front());
  plan.departments.back().cell.libvirt = {.uri = "qemu:///system", .run = {}, .storage = {}};
  auto json = plan_json(plan);
  EXPECT_EQ(json["departments"][0]["job"],
            Json({{"processors", 4}, {"memory_mib", 256 + 300 + 512}, {"time_limit_minutes", 25 * 60}}));
  EXPECT_FALSE(json["departments"][1].contains("job"));
  json["schema"] = "patchlab/plan/v1";
  const auto schema = read_json_file(std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/plan.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), ::testing::IsEmpty());
  EXPECT_THAT(describe(plan),
              ::testing::HasSubstr("  Slurm job of 4 processors and 1068 MiB for 1500 minutes, partition lab\n"));
  EXPECT_THAT(describe(plan), ::testing::HasSubstr("  no Slurm job: its machines are clones on a libvirt"));
}

}  // namespace
}  // namespace patchlab::runners
