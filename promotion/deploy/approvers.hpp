// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/process/process.hpp"
#include "promotion/chain/history.hpp"

namespace patchlab::promotion {

// Whose approvals let this promotion pass, each person once, whatever names, keys and approvals they had: as the policy
// counts them that it names, in the lane that it took. A lane that asks for nobody is no reason to count less strictly:
// then it is as the policy does without it. An error when that policy or a document of people cannot be read.
[[nodiscard]] Result<std::vector<std::string>> approvers_of(ProcessRunner& processes,
                                                            const std::filesystem::path& stage,
                                                            const PromotionStory& story);

}  // namespace patchlab::promotion
