// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "lab/core/result.hpp"
#include "promotion/policy/policy.hpp"

// Which of a stage's policies counts at a moment. A stage keeps its documents as <stage>/.ledger/policy/<n>.json; they
// are never changed, a new one replaces an old one or begins where that one ends.
namespace patchlab::promotion {

// In force from its first moment until before its last, unless one that replaces it has begun.
[[nodiscard]] bool is_in_force(const Policy& policy, const std::vector<Policy>& all, PolicyTime now);
// The one in force. None, or more than one: a policy with `trouble`, by which nothing is promoted.
[[nodiscard]] Policy policy_in_force(const std::vector<Policy>& all, PolicyTime now);

// The documents of a stage in the order of their numbers. Empty when it has none. An error when one cannot be read,
// when something else lies among them (somebody may take it for a policy), or when one replaces what is not there:
// nobody knows then what is in force.
[[nodiscard]] Result<std::vector<Policy>> policies_of_stage(const std::filesystem::path& stage);
// The one in force there; the shipped quickstart policy for a stage without any document.
[[nodiscard]] Result<Policy> policy_of_stage(const std::filesystem::path& stage, PolicyTime now);
// The same for who must have an answer: a policy that nobody can read is one with trouble.
[[nodiscard]] Policy policy_or_trouble(const std::filesystem::path& stage, PolicyTime now);
[[nodiscard]] std::filesystem::path policy_folder(const std::filesystem::path& stage);

}  // namespace patchlab::promotion
