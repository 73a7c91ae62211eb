// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/people.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/core/digest.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/stage/manifest.hpp"

namespace patchlab::promotion {
namespace {

SecurityKey best_of(const Approval& approval) {
  if (approval.security_key && approval.security_key->verified()) return SecurityKey::verified;
  if (approval.security_key && approval.security_key->touched()) return SecurityKey::touched;
  return SecurityKey::any;
}

}  // namespace

std::vector<ApprovalGiven> approvals_given(const Decisions& decisions) {
  std::map<std::string, ApprovalGiven> people;
  for (const auto& approval : decisions.approvals) {
    auto& person = people[approval.by];
    person.by = approval.by;
    person.key = std::max(person.key, best_of(approval));
    person.submitted = std::ranges::count(decisions.submitters, approval.by) > 0;
    person.waived_something = std::ranges::count(decisions.waivers, approval.by, &Waiver::by) > 0;
  }
  std::vector<ApprovalGiven> given;
  for (auto& [name, person] : people) given.push_back(std::move(person));
  return given;
}

std::vector<std::string> objections_of(const Decisions& decisions) {
  std::vector<std::string> objections;
  for (const auto& one : decisions.not_counted) {
    if (breaks_everything(one.why)) objections.push_back(one.text);
  }
  for (const auto& rejection : decisions.rejections)
    objections.push_back(fmt::format("line {}: rejected by '{}': {}", rejection.seq, rejection.by, rejection.reason));
  return objections;
}

std::vector<std::string> counted_in(const Decisions& decisions) {
  std::set<std::string> counted;
  for (const auto& approval : decisions.approvals) counted.insert(approval.object);
  for (const auto& waiver : decisions.waivers) {
    if (!waiver.approved_by.empty()) counted.insert(waiver.object);
  }
  return {counted.begin(), counted.end()};
}

bool is_anything_waived(const Decisions& decisions) { return !decisions.waivers.empty(); }

People people_on(const DecisionBook& book, const reports::RunRecord& record,
                 const reports::DepartmentRecord& department, const std::string& policy_digest, Moment now) {
  const DecisionTarget target{department.name, reports::record_digest(record),
                              sha256(sha256sums_of(record, tested_set(department))), policy_digest};
  const auto contents = book.read(target);
  if (!contents)
    return {{}, {fmt::format("nobody can read what people decided: {}", contents.error().message)}, false, {}};
  const auto question = DecisionBook::question(target, *contents, failures_of(department), now);
  const auto decisions = DecisionBook::decisions(question, *contents);
  return {approvals_given(decisions), objections_of(decisions), is_anything_waived(decisions), counted_in(decisions)};
}

}  // namespace patchlab::promotion
