// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "promotion/gate/today.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {

// What the ledger of a stage says of a run, together with the one beside the runs (`old_ledger`): what either knows of
// failures counts, so that nothing gets better by taking a line out of the weaker one, and nothing is forgotten that a
// crash kept from being written into both. Of a run that the stage's ledger has, that one decides; one that it does
// not have, though it has others, is none of this stage's, unless it was taken over. What cannot be read records
// nothing.
[[nodiscard]] Standing standing_in(const std::filesystem::path& stage, const std::filesystem::path& old_ledger,
                                   const reports::RunRecord& record);

}  // namespace patchlab::promotion
