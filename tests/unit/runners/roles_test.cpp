// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/roles.hpp"

#include <gmock/gmock.h>

namespace patchlab::runners {
namespace {

patches::Candidate candidate(const std::string& id, std::vector<std::string> roles) {
  patches::Candidate candidate;
  candidate.id = id;
  candidate.roles = std::move(roles);
  return candidate;
}

TEST(CandidateRoles, AreThoseOfTheScenario) {
  EXPECT_TRUE(check_roles({candidate("for-all", {}), candidate("some", {"dns", "mail"})}, {"dns", "mail", "print"}));
}

TEST(CandidateRoles, ThatNoMachineHasAreNamedWithThoseThatThereAre) {
  const auto checked =
      check_roles({candidate("typo", {"dns", "mial"}), candidate("other", {"web\x1b"})}, {"dns", "mail"});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(checked.error().message,
            "candidate 'typo' is for the role 'mial', which no machine of the scenario has; there are: dns, mail\n"
            "candidate 'other' is for the role 'web\\x1b', which no machine of the scenario has; there are: dns, mail");
}

TEST(MachinesForRoles, ComeWithAllThatTheyNeedHoweverFarAway) {
  DepartmentPlan department;
  for (const auto& [name, role, needs] :
       std::vector<std::tuple<std::string, std::string, std::vector<std::string>>>{{"dns", "dns", {}},
                                                                                   {"dhcp", "dhcp", {"dns"}},
                                                                                   {"mail", "mail", {"dhcp"}},
                                                                                   {"files", "files", {}},
                                                                                   {"one", "ring", {"two"}},
                                                                                   {"two", "other", {"one"}}}) {
    MachinePlan machine;
    machine.name = name;
    machine.role = role;
    machine.depends_on = needs;
    department.machines.push_back(machine);
  }
  EXPECT_THAT(machines_for(department, {"mail"}), testing::ElementsAre("dhcp", "dns", "mail"));
  EXPECT_THAT(machines_for(department, {"files"}), testing::ElementsAre("files"));
  EXPECT_THAT(machines_for(department, {"ring"}), testing::ElementsAre("one", "two"));
  EXPECT_EQ(machines_for(department, {}).size(), 6U);
}

}  // namespace
}  // namespace patchlab::runners
