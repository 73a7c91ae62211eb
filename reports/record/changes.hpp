// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "reports/record/record.hpp"

// What is new since an earlier run of the same scenario. For the reader alone: nothing is decided by it, and nobody
// proved the earlier record. Pure.
namespace patchlab::reports {

struct RunChanges {
  std::string since;     // id of the earlier run; empty: there is none to compare with
  std::string finished;  // when that one ended
  // Candidates, or flaky facts, each with "in" its departments: "tidy in mail, print".
  std::vector<std::string> fresh;   // fail where they did not fail then: they passed, or nobody looked
  std::vector<std::string> known;   // fail where they failed then
  std::vector<std::string> mended;  // pass where they failed then
  std::vector<std::string> flaky;   // flaky now and not then
  std::vector<std::string> still_flaky;
};

[[nodiscard]] RunChanges changes_since(const RunRecord& before, const RunRecord& now);
// One line: "since run 2026-... (2026-11-21): new: a in mail; as before: b in all 12 departments"; empty without a run.
[[nodiscard]] std::string to_string(const RunChanges& changes);

}  // namespace patchlab::reports
