// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/exit_code.hpp"
#include "reports/record/record.hpp"

// What a run says, once for all who tell it: the page, JUnit, TAP, CSV, the table and the exit code. A writer has a
// notation and no opinion of its own. Pure.
namespace patchlab::reports {

enum class FactKind {
  run,         // whether it ran to its end, and tested anything; one
  department,  // whether the lab could tell; one per department
  fence,       // whether anything inside reached the outside; one per department, then one for each phase of it
  decision,    // what the gate says, as of when it was asked; one per department
  likeness,    // one per department and machine, where the run was given facts of production; only told
  verdict,     // one per department and candidate
  finding,     // one per change in the set that is decided about that nothing explains and that failed nobody
  check,       // one per department and check of a machine, and `state` of each machine, over all trials that count
  flaky,       // one per flaky fact; skipped where it is explained
};
[[nodiscard]] const char* to_string(FactKind kind);

struct RunFact {
  FactKind kind = FactKind::run;
  std::string department;  // empty: of the run
  std::string subject;  // candidate, "machine/check", name of a change, flaky fact, phase of the fence; empty: of the
                        // department
  Outcome outcome = Outcome::not_reached;
  std::string code;                  // stable: "fence-breach", "candidate-fails", ...; "ok" of a pass
  std::string sentence;              // one line for the reader; never empty
  std::string detail;                // further lines; may be empty
  ExitCode asks_for = ExitCode::ok;  // what the process ends with when nothing worse is known
  // Whether it stands against the run: it is no pass, and not something that does not apply.
  [[nodiscard]] bool stands_against() const;
  // Whether another fact says the same with more words: a phase of the fence.
  [[nodiscard]] bool is_part() const { return kind == FactKind::fence && !subject.empty(); }
};

// The same in every run in which the same is looked at, without numbers of trials: "finance verdict bind9-9.18.33".
[[nodiscard]] std::string name_of(const RunFact& fact);

// In the order of FactKind, department by department; candidates and checks in the order of the record. Exactly those
// that stand against the run ask for another exit code than 0.
// `decisions`: as of when somebody asked; none: of what was found alone.
[[nodiscard]] std::vector<RunFact> facts_of_run(const RunRecord& record, const Decisions& decisions = {});

// The first that any of them asks for: 7, 78, 2, 6, 1, 3, 5, 4, 0.
[[nodiscard]] ExitCode exit_code_of(const std::vector<RunFact>& facts);

}  // namespace patchlab::reports
