// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/run_exit_code.hpp"

#include "reports/record/facts.hpp"

namespace patchlab::reports {

ExitCode exit_code_for(const RunRecord& record, const Decisions& decisions) {
  return exit_code_of(facts_of_run(record, decisions));
}

}  // namespace patchlab::reports
