// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "promotion/chain/chain.hpp"
#include "promotion/policy/policy.hpp"

namespace patchlab::promotion {

// The policy in force in a stage, as policy_of_stage says, of documents that are all those that the ledger names: one
// that was used once and is gone, or is another one now, is missed. So is a ledger that was taken away behind a
// promotion. Without that, whoever can remove files could choose the policy.
[[nodiscard]] Result<Policy> policy_at_desk(const std::filesystem::path& stage, PolicyTime now);
// The same for who must have an answer: one that cannot be had is a policy with trouble.
[[nodiscard]] Policy policy_at_desk_or_trouble(const std::filesystem::path& stage, PolicyTime now);

// A document of the stage: <stage>/.ledger/policy/<number>.json.
struct PolicyFile {
  std::uint64_t number = 0;
  std::string text;
  Policy policy;
};
// Of documents that have begun by now and that no line of the ledger names yet, in the order of their numbers.
[[nodiscard]] Result<std::vector<PolicyFile>> unnamed_policies(const std::filesystem::path& stage,
                                                               const History& history, PolicyTime now);
// The bytes of the policy of this digest, from the stage, or the shipped one; empty when they are neither's.
[[nodiscard]] std::string policy_bytes(const std::filesystem::path& stage, const std::string& digest);

}  // namespace patchlab::promotion
