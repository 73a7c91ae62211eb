// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/changes.hpp"
#include "reports/record/record.hpp"

namespace patchlab::reports {

// One self-contained page for a change approver: decisions first, then why, then the proofs. It fetches nothing (its
// Content Security Policy forbids it), works without scripts, and shows every outcome by word and shape as well as by
// colour.
// `decisions` are as of some moment, which the page says; without them it tells what was found and nothing else.
// `changes`: since the run before this one, for the first screen.
[[nodiscard]] std::string html_report(const RunRecord& record, const Decisions& decisions = {},
                                      const RunChanges& changes = {});

}  // namespace patchlab::reports
