// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "reports/record/record.hpp"

namespace patchlab::cli {

// What a person sees at the end of a run: a row per candidate, a column per department, why something is held back,
// where the report is.
[[nodiscard]] std::string run_table(const reports::RunRecord& record, const reports::Decisions& decisions,
                                    const std::filesystem::path& folder);

}  // namespace patchlab::cli
