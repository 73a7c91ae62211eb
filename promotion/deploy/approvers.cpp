// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/approvers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "promotion/book/book.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/stage/manifest.hpp"

namespace patchlab::promotion {
namespace {

Result<Policy> policy_of(const std::filesystem::path& stage, const std::string& digest) {
  if (digest.empty()) return Policy{};
  const auto text = policy_bytes(stage, digest);
  if (text.empty())
    return configuration_error(fmt::format("nobody knows the policy {}, by which it was promoted", digest),
                               "patchlab verify says more");
  return parse_policy(text, "the policy " + digest);
}

std::vector<ApprovalRule> rules_of(const Policy& policy, Lane lane,
                                   const std::map<std::string, std::string>& severities, bool anything_waived) {
  std::vector<ApprovalRule> rules;
  std::ranges::copy_if(approvals_in(policy, lane), std::back_inserter(rules),
                       [&](const ApprovalRule& rule) { return applies(rule, severities, anything_waived); });
  if (!rules.empty()) return rules;
  if (lane == Lane::emergency) return rules_of(policy, Lane::normal, severities, anything_waived);
  return {ApprovalRule{}};
}

}  // namespace

Result<std::vector<std::string>> approvers_of(ProcessRunner& processes, const std::filesystem::path& stage,
                                              const PromotionStory& story) {
  auto& clock = system_clock_source();
  const DecisionBook book(stage / chain_folder_name, processes, clock);
  const auto objects = book.chain().objects();
  PATCHLAB_ASSIGN(const auto bytes, objects.get(story.statement));
  PATCHLAB_ASSIGN(const auto promotion, read_statement(bytes, "the statement " + story.statement));
  if (!promotion.decisions || promotion.decisions->empty()) return std::vector<std::string>();
  PATCHLAB_ASSIGN(const auto policy, policy_of(stage, promotion.policy.value_or("")));
  PATCHLAB_ASSIGN(const auto manifest_text, objects.get(story.manifest));
  PATCHLAB_ASSIGN(const auto manifest_json, parse_json(manifest_text, "manifest.json", JsonTexts::any));
  PATCHLAB_ASSIGN(const auto manifest, manifest_from_json(manifest_json, "manifest.json"));
  PATCHLAB_ASSIGN(const auto run_text, objects.get(story.run));
  PATCHLAB_ASSIGN(const auto run_json, parse_json(run_text, "run.json", JsonTexts::any));
  PATCHLAB_ASSIGN(const auto record, reports::run_record_from_json(run_json, "run.json"));

  const DecisionTarget target{story.department, story.run, promotion.subjects.front().sha256,
                              promotion.policy.value_or("")};
  PATCHLAB_ASSIGN(auto contents, book.read(target));
  // What people said since is not what it was promoted by.
  std::erase_if(contents.statements, [&](const LedgerStatement& one) { return one.seq >= story.line; });
  auto decisions = DecisionBook::decisions(DecisionBook::question(target, contents, {}, clock.wall()), contents);
  std::erase_if(decisions.approvals,
                [&](const Approval& one) { return std::ranges::count(*promotion.decisions, one.object) == 0; });
  const auto people = people_in(decisions, contents.trust, policy, manifest.candidates);
  const auto rules = rules_of(policy, story.review_by.empty() ? Lane::normal : Lane::emergency,
                              severities_of(record, manifest.candidates), people.anything_waived);
  std::vector<std::string> approvers;
  for (const auto& given : people.approvals) {
    if (std::ranges::any_of(rules, [&](const ApprovalRule& rule) { return counts(given, rule) == Counts::yes; }))
      approvers.push_back(given.by);
  }
  return approvers;
}

}  // namespace patchlab::promotion
