// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/policy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace patchlab::promotion {

const std::vector<ApprovalRule>& approvals_in(const Policy& policy, Lane lane) {
  return lane == Lane::emergency && policy.emergency ? policy.emergency->approvals : policy.approvals;
}

std::string approval_sentence(const Policy& policy, const std::vector<std::string>& approvers) {
  const auto by = policy.id.empty() ? std::string("the built-in policy") : fmt::format("policy '{}'", policy.id);
  if (approvers.empty()) return fmt::format("promoted by {}: nobody approved", by);
  return fmt::format("promoted by {}: approved by {}", by, fmt::join(approvers, ", "));
}

namespace {

std::string scenarios_of(const Policy& policy) {
  std::vector<std::string> texts;
  for (const auto& scenario : policy.scenarios) {
    texts.push_back(scenario.digest.empty() ? scenario.name
                    : scenario.name.empty() ? scenario.digest
                                            : fmt::format("{} with digest {}", scenario.name, scenario.digest));
  }
  return texts.empty() ? "any" : fmt::format("{}", fmt::join(texts, " or "));
}
std::string departments_of(const Policy& policy) {
  std::vector<std::string> texts;
  for (const auto& [name, machines] : policy.departments)
    texts.push_back(fmt::format("{} ({} machines)", name, machines.size()));
  return texts.empty() ? "any" : fmt::format("{}", fmt::join(texts, ", "));
}
std::string condition_of(const ApprovalRule& rule) {
  std::vector<std::string> texts;
  if (!rule.severities.empty())
    texts.push_back(fmt::format("something is {} or of no known severity", fmt::join(rule.severities, ", ")));
  if (rule.when_waived) texts.emplace_back("something is waived");
  return texts.empty() ? "" : fmt::format(" when {}", fmt::join(texts, ", or "));
}
void say_approvals(std::vector<std::string>& lines, const char* what, const std::vector<ApprovalRule>& rules) {
  for (const auto& rule : rules) {
    std::vector<std::string> not_by;
    for (const auto who : rule.not_by) not_by.emplace_back(to_string(who));
    lines.push_back(fmt::format(
        "{}: {}{}{}{}", what, rule.count == 1 ? "1 person" : fmt::format("{} different people", rule.count),
        condition_of(rule), not_by.empty() ? "" : fmt::format(", not by {}", fmt::join(not_by, ", ")),
        rule.security_key == SecurityKey::any ? ""
                                              : fmt::format(", by a security key, {}", to_string(rule.security_key))));
  }
}

}  // namespace

std::vector<std::string> summary_of(const Policy& policy) {
  std::vector<std::string> lines;
  lines.push_back("scenario: " + scenarios_of(policy));
  lines.push_back(fmt::format("patchlab: {}", policy.tool_versions.empty()
                                                  ? "any"
                                                  : fmt::format("{}", fmt::join(policy.tool_versions, " or "))));
  lines.push_back("departments: " + departments_of(policy));
  lines.push_back(
      fmt::format("phases: {}", policy.phases.empty() ? "any" : fmt::format("{}", fmt::join(policy.phases, ", "))));
  lines.push_back(fmt::format("narrowed runs: {}", policy.narrowed == NarrowedRuns::refused ? "refused" : "allowed"));
  lines.push_back(fmt::format("age of the run: {} hours at most", policy.max_age.count()));
  lines.push_back(fmt::format("coverage: {}", policy.coverage.not_less_than == CoverageRule::Least::last_promoted
                                                  ? "not less than the last promotion's"
                                                  : "any"));
  for (const auto& [name, digest] : policy.coverage.changed)
    lines.push_back(fmt::format("coverage: '{}' may become {}", name, digest));
  if (policy.likeness) {
    std::vector<std::string> limits;
    for (const auto& [what, count] : policy.likeness->at_most) limits.push_back(fmt::format("{} {}", count, what));
    lines.push_back(fmt::format("likeness: facts of production at most {} days old, differing at most: {}",
                                policy.likeness->max_age.count(), fmt::join(limits, ", ")));
  }
  if (policy.carried)
    lines.push_back(fmt::format("tested in another department: taken for {} hours, where all machines are alike",
                                policy.carried->max_age.count()));
  if (policy.submitter == Submitter::signer) lines.emplace_back("submitter: a person of the list of signers");
  say_approvals(lines, "approvals", policy.approvals);
  if (policy.approvals.empty()) lines.emplace_back("approvals: none, nobody is asked");
  if (policy.decisions)
    lines.push_back(
        fmt::format("what is missing is due by the decision table '{}', sha256 {}; no promotion asks for it",
                    policy.decisions->file, policy.decisions->sha256));
  if (policy.change_ticket == ChangeTicket::required)
    lines.emplace_back("ticket of the change: one who approves names it");
  lines.push_back(fmt::format("changes that nothing explains: review {}, notice {}", to_string(policy.findings.review),
                              to_string(policy.findings.notice)));
  lines.push_back(policy.waivers.what.empty()
                      ? std::string("waivers: none")
                      : fmt::format("waivers: {} in a set, for {} days at most", policy.waivers.max_per_set,
                                    policy.waivers.max_days.count()));
  lines.push_back(policy.windows.empty() ? std::string("windows: at any time")
                                         : fmt::format("windows: {} in a week", policy.windows.size()));
  if (policy.emergency) {
    say_approvals(lines, "emergency approvals", policy.emergency->approvals);
    lines.push_back(fmt::format("emergency lane: for what is {}, reviewed within {} days",
                                fmt::join(policy.emergency->severities, " or "),
                                policy.emergency->review_within.count()));
  }
  return lines;
}

std::vector<std::string> warnings_of(const Policy& policy) {
  std::vector<std::string> classes;
  if (policy.findings.review == FindingRule::needs_decision) classes.emplace_back("review");
  if (policy.findings.notice == FindingRule::needs_decision) classes.emplace_back("notice");
  if (classes.empty() || policy.waivers.what.contains(Waivable::review)) return {};
  return {
      fmt::format("a set with a change of class {} waits for ever: somebody has to accept it, and nobody may; put "
                  "\"review\" into \"what\" of \"waivers\", or \"shown\" into \"findings\"",
                  fmt::join(classes, " or "))};
}

}  // namespace patchlab::promotion
