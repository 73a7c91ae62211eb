// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reports/record/record.hpp"

// A department that was not tested because another one of the same run was, whose machines are alike: what is compared,
// and what was seen there as if it had been seen here. Whether that is enough is the policy's word
// (promotion/policy/demands.hpp). docs/adr/0041. Pure.
namespace patchlab::reports {

// Two machines of one name, of which everything that decides a trial is the same.
struct AlikeMachines {
  std::string machine;
  std::string golden_digest;
  std::string definition_digest;
  bool operator==(const AlikeMachines&) const = default;
};
// Why a verdict does not carry over; `machine` is empty where it is about no single one.
struct CarryObstacle {
  std::string machine;
  std::string text;
  bool operator==(const CarryObstacle&) const = default;
};
struct Carrying {
  std::string tested_in;             // the department that was tested; empty: this one was, and nothing was compared
  std::vector<AlikeMachines> alike;  // in the order of the department's machines
  std::vector<CarryObstacle> obstacles;
  [[nodiscard]] bool is_carried() const { return !tested_in.empty() && obstacles.empty(); }
};

// Compares a department of the record with the one that it names as `tested_in`. A digest that is absent or malformed
// is never alike, nor is a machine that only one of the two has. What the department saw itself stands: then nothing is
// carried.
[[nodiscard]] Carrying carrying_of(const RunRecord& record, const std::string& department);
// "tested in 'finance' of run R, and not here: dns (golden 0123456789ab, definition 0123456789ab), ..."; before there
// is a run, without it.
[[nodiscard]] std::string sentence_of(const Carrying& carrying, const std::string& run = {});
// For a manifest: department, run, and each pair of machines with its digests.
[[nodiscard]] Json carrying_json(const Carrying& carrying, const std::string& run);

// The department with what was seen of it: its own, or where verdicts carry over, what was seen in the other one, with
// its own name, machines and phases. It may point into `record`, which must outlive it.
[[nodiscard]] std::shared_ptr<const DepartmentRecord> as_tested(const RunRecord& record,
                                                                const DepartmentRecord& department);
// By its name; null: the record has none.
[[nodiscard]] std::shared_ptr<const DepartmentRecord> find_as_tested(const RunRecord& record, const std::string& name);

}  // namespace patchlab::reports
