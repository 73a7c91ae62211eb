// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "promotion/gate/gate_case.hpp"

// What a promotion asks for, one function per group of requirements (ReasonCode), in files by what they are about. Each
// looks at everything that it asks for: what is wrong blocks or holds a candidate back, and what was asked and found
// right is said as well.
namespace patchlab::promotion {

// The run as a whole: rules_of_run.cpp.
void look_at_run(GateCase& gate);
void look_at_evidence(GateCase& gate);
void look_at_age(GateCase& gate);  // and what is published: sets `went_back`
void look_at_what_was_asked(GateCase& gate);
// What the ledger knows of other runs.
void look_at_standing(GateCase& gate);
// What the policy asks and what people decided.
void look_at_policy(GateCase& gate);
void look_at_objections(GateCase& gate);
// Whether the lab can be believed: fence, images, digests.
void look_at_fence(GateCase& gate);
void look_at_goldens(GateCase& gate);
void look_at_candidate_digests(GateCase& gate);
void look_at_department(GateCase& gate);
// Trials: rules_of_trials.cpp.
void look_at_baseline(GateCase& gate);
void look_at_control(GateCase& gate);
// Everything planned for a trial was executed and passed; `code` says what it means when something did not.
void look_at_facts(GateCase& gate, const reports::TrialRecord& trial, ReasonCode code);
// What each candidate came to: fills in `passed`.
void sort_verdicts(GateCase& gate);
void look_at_prerequisites(GateCase& gate);
// The set to be promoted, tested as exactly that.
void look_at_final_trial(GateCase& gate);
void look_at_failures_of_the_set(GateCase& gate);
// What changed on machines with this set, failed nobody, and is explained by nothing.
void look_at_findings(GateCase& gate);

}  // namespace patchlab::promotion
