// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/exit_code.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/record.hpp"

// What somebody reads who has a minute: how it ended, what was decided, what is held back, what is to be done. The
// first screen of the page and the short formats are made of it. Pure.
namespace patchlab::reports {

enum class Decided {
  nothing,  // nothing passed, or another version has replaced it since: it is not spoken of in the headline
  promoted,
  promotable,
  unasked,
  waiting,  // only people are missing
  refused,
};

// What was decided, alike in some departments.
struct SummaryDecision {
  Decided decided = Decided::nothing;
  Outcome outcome = Outcome::not_reached;  // whose shape it has
  std::string text;                        // "promoted", "not promoted: stale"
  std::vector<std::string> departments;
};

// What did not pass, or could not be tested, alike in some departments.
struct SummaryHeld {
  std::string candidate;
  std::string severity;
  Outcome outcome = Outcome::not_reached;
  std::string text;  // "held back", "held back together with x", "undecided", "not reached"
  std::vector<std::string> departments;
  std::string why;  // the first failing check, or empty
};

// For a terminal; it does what is to be done in these departments.
struct SummaryCommand {
  std::string line;
  std::vector<std::string> departments;
};

// Something that a person must do.
struct SummaryTask {
  std::vector<std::string> departments;  // empty: of the run
  std::string text;
  std::vector<SummaryCommand> commands;  // may be none
};

// How much attention it asks for, beside the outcome.
enum class Tone {
  outcome,  // as the outcome says
  breach,   // the fence leaked
  settled,  // something is held back, and all else is promoted: nobody has to do anything
  waiting,  // only people are missing
};

struct RunSummary {
  ExitCode code = ExitCode::error;
  Outcome outcome = Outcome::not_reached;
  Tone tone = Tone::outcome;
  std::string headline;                    // a sentence without full stop
  std::vector<SummaryDecision> decisions;  // what was not promoted first
  std::vector<SummaryHeld> held;           // what fails first, of that the worst severity
  std::vector<SummaryTask> tasks;          // empty: nothing is to be done
};

// `facts`: facts_of_run of the same record and decisions.
[[nodiscard]] RunSummary summary_of(const RunRecord& record, const Decisions& decisions,
                                    const std::vector<RunFact>& facts);

// "accounting, finance", "all 12 departments", "accounting, finance and 9 more": of as many as the run has.
[[nodiscard]] std::string departments_text(const std::vector<std::string>& some, std::size_t of_all,
                                           std::size_t shown = 4);

}  // namespace patchlab::reports
