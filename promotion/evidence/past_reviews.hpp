// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "promotion/desk/reviews.hpp"
#include "promotion/evidence/bundle_chain.hpp"
#include "promotion/policy/demands.hpp"
#include "promotion/signature/ssh_keygen.hpp"
#include "promotion/trust/trust.hpp"

// Whether what went through the emergency lane had been reviewed at some line of a ledger of which parts may be left
// out: promotion/desk/reviews.hpp asks the same of a whole one, today.
namespace patchlab::promotion {

struct PastReview {
  std::uint64_t line = 0;  // of the emergency promotion
  OpenReview asked;
  std::string ticket;
  std::string answered{};  // who reviewed it, or that it was taken back; empty: nobody did, or nobody can tell
  std::string unknown{};   // why nobody can tell: what is not there; empty: it is known
  [[nodiscard]] bool is_open() const { return answered.empty() && unknown.empty(); }
};

// Of one department's emergency promotions that were done before line `before` (exclusive), with what people decided
// before it. `folder`: has objects/. `policies`: those that a line before it put in force. An error is about the host.
[[nodiscard]] Result<std::vector<PastReview>> past_reviews(ProcessRunner& processes,
                                                           const std::filesystem::path& folder,
                                                           const BundleChain& chain, const Trust& trust,
                                                           const std::vector<PolicyOfLedger>& policies,
                                                           const std::string& department, std::uint64_t before);

}  // namespace patchlab::promotion
