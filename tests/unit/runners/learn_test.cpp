// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/learn.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

using ::testing::HasSubstr;

class PlanLearning : public ::testing::Test {
 protected:
  PlanLearning() {
    scenario_.file = folder_.path() / "s.jsonc";
    scenario_.folder = folder_.path();
    DepartmentPlan finance{"finance", {}, {}, {}};
    for (const char* name : {"db", "dns", "mail"}) {
      MachinePlan machine;
      machine.name = name;
      finance.machines.push_back(machine);
    }
    finance.machines[2].depends_on = {"dns"};
    scenario_.departments = {finance};
  }
  [[nodiscard]] std::string trouble(const LearnOptions& options) const {
    const auto plan = plan_learning(scenario_, options);
    return plan ? "" : plan.error().message;
  }

  test::TemporaryFolder folder_;
  Scenario scenario_;
};

TEST_F(PlanLearning, WritesBesideTheScenarioUnlessAnotherFileIsNamed) {
  scenario_.departments[0].machines[1].check_files = {"/etc/lab/names.json"};
  const auto plan = plan_learning(scenario_, {});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->targets.size(), 3U);
  EXPECT_EQ(plan->targets[0].file, folder_.path() / "learnt/db.json");
  EXPECT_EQ(plan->targets[1].file, "/etc/lab/names.json");
}

TEST_F(PlanLearning, BootsWhatTheMachineNeeds) {
  const auto plan = plan_learning(scenario_, {.machines = {"mail"}});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->targets.size(), 1U);
  ASSERT_EQ(plan->scenario.departments.front().machines.size(), 2U);
  EXPECT_EQ(plan->scenario.departments.front().machines[0].name, "dns");
}

TEST_F(PlanLearning, NeverReplacesAFileUnasked) {
  ASSERT_TRUE(create_folders(folder_.path() / "learnt"));
  ASSERT_TRUE(write_file_atomically(folder_.path() / "learnt/dns.json", "mine"));
  EXPECT_THAT(trouble({}), HasSubstr("learnt/dns.json' is there already"));
  EXPECT_EQ(trouble({.machines = {"db"}}), "");
  EXPECT_EQ(trouble({.replace = true}), "");
}

TEST_F(PlanLearning, NamesMustBeThere) {
  EXPECT_THAT(trouble({.department = "finanze"}), HasSubstr("'finanze' is not in the scenario"));
  EXPECT_THAT(trouble({.machines = {"dsn"}}), HasSubstr("'dsn' is not in department 'finance'"));
  scenario_.departments.push_back(scenario_.departments.front());
  scenario_.departments.back().name = "sales";
  EXPECT_THAT(trouble({}), HasSubstr("2 departments"));
  EXPECT_EQ(trouble({.department = "sales"}), "");
}

TEST_F(PlanLearning, TwoMachinesAreNotWrittenIntoOneFile) {
  for (auto& machine : scenario_.departments[0].machines) machine.check_files = {"/etc/lab/all.json"};
  EXPECT_THAT(trouble({}), HasSubstr("named for both 'db' and 'dns'"));
  EXPECT_EQ(trouble({.machines = {"dns"}}), "");
}

}  // namespace
}  // namespace patchlab::runners
