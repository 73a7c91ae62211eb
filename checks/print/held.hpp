// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "checks/print/printing.hpp"

namespace patchlab::checks::print {

// Jobs that are held: one waits in the spool from one phase of a trial to the next, so that a restart of the server and
// of its machine lies between (ADR 26). What happens to the others of a queue is not theirs to say.
class HeldJobs {
 public:
  HeldJobs(const IppClient& client, std::string format, const PrinterSink& sink, const Json& memory)
      : client_(client), format_(std::move(format)), sink_(sink), memory_(memory) {}

  // Before another job is printed: "held", a job for the next phase, and, when there is none of an earlier phase,
  // "held_here", one for this phase; each {"document", "print", and "state" (Get-Job-Attributes)}. Leaves "memory".
  void hold(Json& observation);
  // After it: "came_early", whether one of them was printed; "strangers" {"cancel", "change"}: what somebody else was
  // answered who would cancel the job and change the queue; "released" {"remembered", "document", "before", "release",
  // "after", "sink"}.
  void release(bool as_strangers, const Deadline& deadline, Json& observation);

 private:
  Json hold_one(const Document& document) const;
  const IppClient& client_;
  std::string format_;
  const PrinterSink& sink_;
  Json memory_;
};

// Nothing when all went well. Reasons: hold-refused, job-not-held, held-job-printed, stranger-cancels,
// stranger-administers, held-job-lost, release-refused, and those of a job and of the sink with "held-" before them.
[[nodiscard]] std::optional<Judgement> judge_held(const Json& observation, bool strangers_refused, bool exact);
// For who reads a pass: whether a job of an earlier phase was there.
[[nodiscard]] std::string told_of_held(const Json& observation);

}  // namespace patchlab::checks::print
