// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "promotion/chain/history.hpp"
#include "promotion/policy/demands.hpp"

namespace patchlab::promotion {

// What the run planned of which a department's published version is. The manifest names it by the digest of its record;
// the record is among the stage's objects, or in the folder of runs. `unknown`, with the reason, when neither has these
// very bytes, or the manifest cannot be read: what was looked at then is never guessed.
// `history`: of the stage's ledger.
[[nodiscard]] LastPromoted last_promoted(const std::filesystem::path& stage, const std::string& department,
                                         const std::filesystem::path& runs, const History& history);

}  // namespace patchlab::promotion
