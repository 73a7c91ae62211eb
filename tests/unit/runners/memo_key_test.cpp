// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/memo_key.hpp"

#include <gmock/gmock.h>

#include "tests/support/full_cell_job.hpp"

namespace patchlab::runners {
namespace {

cell::TrialJob full_trial() {
  cell::TrialJob job;
  job.id = "finance/t03";
  job.candidates = {"a"};
  job.set_digest = "set";
  job.machines = {"dns"};
  job.installs["dns"] = {{.candidate = "a",
                          .digest = "digest-a",
                          .packages = {{.file_name = "a.deb", .kb = "KB1", .packages = {"p"}}},
                          .expected = {{"bind9:amd64", "2"}}}};
  job.media["dns"] = "media/1.iso";
  job.reboot_anyway = {"dns"};
  return job;
}

// Only these decide nothing.
bool may_differ(const std::string& pointer) {
  for (const auto* name : {"/cell/department", "/cell/evidence", "/cell/slots", "/cell/slot_count", "/cell/host/",
                           "/cell/worker_program", "/cell/kept_baseline/", "/cell/keep_installs", "/cell/facts",
                           "/cell/libvirt/run", "/trial/id", "/trial/media/"}) {
    if (pointer.starts_with(name)) return true;
  }
  return pointer.starts_with("/cell/machines/1/");  // takes no part
}

TEST(MemoKey, ChangesWithEveryFieldOfTheWireFormThatDecidesSomething) {
  const Json all{{"cell", test::full_cell_job()}, {"trial", full_trial()}};
  const auto key = memo_key(all["cell"], all["trial"]);
  std::size_t deciding = 0;
  const auto fields = all.flatten();
  for (const auto& [pointer, value] : fields.items()) {
    if (pointer == "/trial/machines/0") continue;  // another machine takes part: the next test
    auto other = all;
    other[Json::json_pointer(pointer)] = test::changed_value(value);
    if (may_differ(pointer)) {
      EXPECT_EQ(memo_key(other["cell"], other["trial"]), key) << pointer;
    } else {
      EXPECT_NE(memo_key(other["cell"], other["trial"]), key) << pointer;
      ++deciding;
    }
  }
  EXPECT_GT(deciding, 40U) << "the wire form was looked at";
}

TEST(MemoKey, CountsAFieldThatNobodyHasHeardOf) {
  const Json cell = test::full_cell_job();
  const Json trial = full_trial();
  const auto key = memo_key(cell, trial);
  auto more = cell;
  more["policy"]["of_tomorrow"] = 1;
  EXPECT_NE(memo_key(more, trial), key);
  more = cell;
  more["machines"][0]["checks"][0]["of_tomorrow"] = 1;
  EXPECT_NE(memo_key(more, trial), key);
  auto other = trial;
  other["of_tomorrow"] = 1;
  EXPECT_NE(memo_key(cell, other), key);
}

TEST(MemoKey, ChangesWithTheMachinesThatTakePart) {
  const Json cell = test::full_cell_job();
  auto trial = full_trial();
  const auto key = memo_key(cell, trial);
  trial.machines = {"dns", "mail"};
  EXPECT_NE(memo_key(cell, trial), key);
}

}  // namespace
}  // namespace patchlab::runners
