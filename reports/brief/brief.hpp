// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/changes.hpp"
#include "reports/record/record.hpp"

// A run in a paragraph and a table, for where nobody opens a page: held back first, then whatever else stands against
// the run, then what is to be done; and what is new since the run before, where there is one. Nothing in them that came
// from a record acts on the reader's side.
namespace patchlab::reports {

// GitHub-flavoured Markdown: the step summary of a pipeline, a merge request, a chat.
[[nodiscard]] std::string markdown_summary(const RunRecord& record, const Decisions& decisions = {},
                                           const RunChanges& changes = {});
// Plain lines: a mail, a log, a terminal.
[[nodiscard]] std::string text_summary(const RunRecord& record, const Decisions& decisions = {},
                                       const RunChanges& changes = {});

}  // namespace patchlab::reports
