// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/printable.hpp"
#include "promotion/policy/in_force.hpp"

namespace patchlab::promotion {

Result<void> look_at_policy(Proving& proving, const std::string& department, Story& story) {
  const auto says = [&](const std::string& text) {
    proving.broken(department, LinkKind::policy, text);
    return Result<void>();
  };
  if (!story.statement.policy) {
    proving.missing(department, LinkKind::policy, "the promotion names none");
    return {};
  }
  std::string why;
  PATCHLAB_ASSIGN(const auto documents, proving.documents_before(story.promotion->line, why));
  if (!why.empty()) return says(why);
  if (documents.empty()) {
    const auto text = shipped_text(*story.statement.policy);
    if (text.empty())
      return says(fmt::format("no line before {} put the policy in force that it names", story.promotion->line));
    auto shipped = parse_policy(text, "the shipped policy 'quickstart'");
    if (!shipped) return says(shipped.error().message);
    story.policy = std::move(*shipped);
    proving.holds(department, LinkKind::policy, "the shipped policy 'quickstart'; no other was in force");
    return {};
  }
  std::vector<Policy> all;
  for (const auto& document : documents) all.push_back(document.policy);
  auto in_force = policy_in_force(all, story.when);
  if (in_force.trouble) return says(in_force.trouble->text);
  if (in_force.digest != *story.statement.policy)
    return says(fmt::format("line {} names a policy that was not in force then; '{}' was", story.promotion->line,
                            printable(in_force.id)));
  std::vector<std::uint64_t> numbers;
  for (const auto& document : documents) numbers.push_back(document.line);
  PATCHLAB_ASSIGN(const auto of_lab, proving.signed_by_lab(numbers));
  const auto line = std::ranges::find(all, in_force.digest, &Policy::digest) - all.begin();
  proving.add_signed(
      department, LinkKind::policy, of_lab,
      fmt::format("'{}', in force by line {}", printable(in_force.id), documents[static_cast<std::size_t>(line)].line));
  story.policy = std::move(in_force);
  story.policies = documents;
  return {};
}

}  // namespace patchlab::promotion
