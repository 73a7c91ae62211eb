// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/exit_code.hpp"
#include "reports/record/record.hpp"

namespace patchlab::reports {

// The exit code of `patchlab run` and of every command that looks at a finished run. Held-back candidates make it 1
// although the rest was promoted: automation must notice; `quickstart` knows that its scenario holds bad candidates and
// reads the verdicts instead.
// `decisions`: what came of the promotion, where one was asked for; none: of what was found alone.
[[nodiscard]] ExitCode exit_code_for(const RunRecord& record, const Decisions& decisions = {});

}  // namespace patchlab::reports
