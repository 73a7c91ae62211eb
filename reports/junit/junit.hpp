// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/record.hpp"

namespace patchlab::reports {

// JUnit XML that Jenkins' schema takes (tests/golden/junit-10.xsd): a case per fact of facts.hpp, in one suite for the
// run and one per department. Names hold no number of a trial, so that a CI server finds the history of a case. A
// `failure` is a patch that broke something or a gate that refused, an `error` is a lab that could not tell or what was
// not reached (never green), `skipped` does not apply. The message is in the element's text as well.
[[nodiscard]] std::string junit_xml(const RunRecord& record, const Decisions& decisions = {});

// Each install, check and comparison of each trial, and each attempt at the fence: for looking up, not for judging.
// Sets that were tried to find a culprit fail here although nothing is wrong with the run.
[[nodiscard]] std::string junit_trials_xml(const RunRecord& record);

}  // namespace patchlab::reports
