// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "lab/core/result.hpp"

// What a run leaves in its own folder, once more where a pipeline looks for it. A name that ends in .xml, .html or
// .json is a file (junit.xml, report.html, run.json), every other one a folder, which gets these, junit-trials.xml and
// decisions.json.
namespace patchlab::cli {

// Before the first machine starts: takes away what an earlier run left there, so that nobody takes that for this one's,
// and sees that something can be written. Touches nothing but files of those names.
[[nodiscard]] Result<void> prepare_outputs(const std::vector<std::filesystem::path>& outputs);
// From the run's folder. What is not there, since the run was not decided on, is left out.
[[nodiscard]] Result<void> write_outputs(const std::vector<std::filesystem::path>& outputs,
                                         const std::filesystem::path& run_folder);

}  // namespace patchlab::cli
