// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/state_key.hpp"

#include <gmock/gmock.h>

#include <regex>

#include "tests/support/full_cell_job.hpp"

namespace patchlab::runners {
namespace {

// Names, places on the host, and what is of tonight's candidates: only these decide nothing.
bool decides_nothing(const std::string& pointer) {
  static const std::regex all(
      "/(department|evidence|slots|slot_count|host/.*|worker_program|keep_installs|facts|kept_baseline/.*"
      "|machines/[0-9]+/(golden_disk|kernel|initrd|(beside|setups|replaces|shipped|parts)(/.*)?))");
  return std::regex_match(pointer, all);
}

TEST(StateKey, ChangesWithEveryFieldOfTheWireFormThatDecidesSomething) {
  const Json cell = test::full_cell_job();
  const auto key = state_key(cell, "program");
  std::size_t deciding = 0;
  const auto fields = cell.flatten();
  for (const auto& [pointer, value] : fields.items()) {
    auto other = cell;
    other[Json::json_pointer(pointer)] = test::changed_value(value);
    if (decides_nothing(pointer)) {
      EXPECT_EQ(state_key(other, "program"), key) << pointer;
    } else {
      EXPECT_NE(state_key(other, "program"), key) << pointer;
      ++deciding;
    }
  }
  EXPECT_GT(deciding, 40U) << "the wire form was looked at";
}

TEST(StateKey, CountsAFieldThatNobodyHasHeardOf) {
  const Json cell = test::full_cell_job();
  const auto key = state_key(cell, "program");
  auto more = cell;
  more["of_tomorrow"] = 1;
  EXPECT_NE(state_key(more, "program"), key);
  more = cell;
  more["machines"][1]["of_tomorrow"] = 1;
  EXPECT_NE(state_key(more, "program"), key);
  more = cell;
  more["policy"]["of_tomorrow"] = 1;
  EXPECT_NE(state_key(more, "program"), key);
}

TEST(StateKey, IsOfTheWholeDepartmentAndOfWhatMadeIt) {
  const Json cell = test::full_cell_job();
  EXPECT_NE(state_key(cell, "program"), state_key(cell, "another program"));
  auto fewer = cell;
  fewer["machines"].erase(1);
  EXPECT_NE(state_key(fewer, "program"), state_key(cell, "program")) << "the machines know each other";
}

}  // namespace
}  // namespace patchlab::runners
