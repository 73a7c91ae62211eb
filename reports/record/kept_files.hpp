// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reports/record/record.hpp"

// The files that a run kept as evidence, digested when it ended: whoever edits, adds, renames or removes one later
// contradicts the record.
namespace patchlab::reports {

// Below a run's folder, as `sha256sum -c` takes it without escapes: parts with '/' between, none of them empty, "." or
// "..", valid UTF-8, no control character and no backslash.
[[nodiscard]] bool is_kept_name(std::string_view name);

// Everything that lies in the folder of a run when it ends, by name: what is written there later (record, reports,
// decisions) is not evidence. An error when a file cannot be read, is not a regular one, or has no such name.
[[nodiscard]] Result<std::vector<KeptFile>> kept_files_in(const std::filesystem::path& run_folder);

// Of these, what a promotion of that set rests on: what was kept of each trial of exactly these candidates, and of each
// without any (the control). Empty when the record has no digests.
[[nodiscard]] std::vector<KeptFile> evidence_of_set(const RunRecord& record, const std::string& department,
                                                    const std::vector<std::string>& candidates);

// Whether exactly these lie below `folder`; one sentence per file that is missing, edited, renamed, no regular file, or
// that nobody kept. Besides them only what lies outside of <folder>/evidence may be there. Links are not followed.
[[nodiscard]] std::vector<std::string> kept_file_problems(const std::filesystem::path& folder,
                                                          const std::vector<KeptFile>& expected);

}  // namespace patchlab::reports
