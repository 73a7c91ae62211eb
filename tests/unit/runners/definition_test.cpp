// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/definition.hpp"

#include <gmock/gmock.h>

#include <regex>

#include "tests/support/full_cell_job.hpp"

namespace patchlab::runners {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;

// What of the wire form is in the definition of its first machine: the machine itself but for places on the host, the
// network, and the policy of the trials.
bool decides(const std::string& pointer) {
  static const std::regex nothing("/machines/0/(golden_disk|kernel|initrd|(beside|passwords)(/.*)?)");
  static const std::regex something("/(machines/0/|network/|policy/).*");
  return std::regex_match(pointer, something) && !std::regex_match(pointer, nothing);
}

TEST(Definition, ChangesWithEveryFieldOfTheMachineItsNetworkAndThePolicy) {
  const Json cell = test::full_cell_job();
  const auto digest = definition_digest(cell, 0);
  std::size_t deciding = 0;
  const auto fields = cell.flatten();
  for (const auto& [pointer, value] : fields.items()) {
    auto other = cell;
    other[Json::json_pointer(pointer)] = test::changed_value(value);
    if (decides(pointer)) {
      EXPECT_NE(definition_digest(other, 0), digest) << pointer;
      ++deciding;
    } else {
      EXPECT_EQ(definition_digest(other, 0), digest) << pointer;
    }
  }
  EXPECT_GT(deciding, 30U) << "the wire form was looked at";
}

TEST(Definition, CountsAFieldThatNobodyHasHeardOf) {
  const Json cell = test::full_cell_job();
  for (const char* pointer : {"/machines/0/of_tomorrow", "/policy/of_tomorrow", "/network/of_tomorrow"}) {
    auto more = cell;
    more[Json::json_pointer(pointer)] = 1;
    EXPECT_NE(definition_digest(more, 0), definition_digest(cell, 0)) << pointer;
  }
}

TEST(Definition, IsNotedWithWhereEachCandidateGoes) {
  DepartmentJob job;
  job.cell = test::full_cell_job();
  job.candidates = {{.id = "a", .installs = {{job.cell.machines[0].plan.name, {}}}}, {.id = "b"}};
  reports::DepartmentRecord planned{.name = "finance"};
  for (const auto& machine : job.cell.machines) planned.machines.push_back({.name = machine.plan.name});
  planned.verdicts = {{.candidate = "a"}, {.candidate = "b"}};
  note_definition(job, planned);
  EXPECT_EQ(planned.machines[0].definition_digest, definition_digest(Json(job.cell), 0));
  EXPECT_NE(planned.machines[1].definition_digest, planned.machines[0].definition_digest);
  EXPECT_THAT(planned.verdicts[0].machines, ElementsAre(job.cell.machines[0].plan.name));
  EXPECT_THAT(planned.verdicts[1].machines, IsEmpty());
}

}  // namespace
}  // namespace patchlab::runners
