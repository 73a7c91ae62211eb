// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/process/process.hpp"
#include "promotion/chain/history.hpp"

namespace patchlab::promotion {

// "line 12: rejected by dave@x since: found late" of what was promoted with `story`; `set`: digest of its SHA256SUMS.
// Empty: nobody rejected run or set in that department behind the promotion with a good signature, or who did withdrew
// it. An error when a document of people cannot be read, or is not what was signed: it could be a rejection.
[[nodiscard]] Result<std::string> rejected_since(ProcessRunner& processes, const std::filesystem::path& stage,
                                                 const PromotionStory& story, const std::string& set);

}  // namespace patchlab::promotion
