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

}  // namespace patchlab::promotion
