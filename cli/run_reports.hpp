// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "history/archive/run_archive.hpp"
#include "reports/record/changes.hpp"
#include "reports/record/record.hpp"

namespace patchlab::cli {

// What is new since the run before it there; nothing when there is none.
[[nodiscard]] reports::RunChanges changes_in(const history::RunArchive& archive, const reports::RunRecord& record);

// Writes junit.xml, junit-trials.xml, report.html and decisions.json beside the run.json of a run that lies in the
// archive: what was found and what was decided as of now. Written anew by each command that changes the latter.
[[nodiscard]] Result<void> keep_reports(const history::RunArchive& archive, const reports::RunRecord& record,
                                        const reports::Decisions& decisions);

}  // namespace patchlab::cli
