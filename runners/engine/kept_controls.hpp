// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "reports/record/record.hpp"
#include "runners/cell/protocol.hpp"
#include "runners/engine/kept_notes.hpp"

namespace patchlab::runners {

// Controls of earlier runs, and what they taught. docs/adr/0027. Not of golden domains: what is kept there has the run
// in its key. May be used from several threads.
class KeptControls {
 public:
  // `clock` and what `tell` refers to must outlive it.
  KeptControls(KeptNotes::Place place, const Clock& clock, KeptNotes::Tell tell);

  struct Known {
    // `reused_run` and `reused_from` name it; what it kept lies with that run.
    reports::TrialRecord control;
    Json knowledge;  // for CellClient::know
  };
  // The latest of the same machines with the same checks and policy; nothing: there is none.
  [[nodiscard]] std::optional<Known> of(const cell::CellJob& job);
  // Only one that taught without any doubt is kept: see may_be_kept.
  void keep(const cell::CellJob& job, const reports::TrialRecord& control, const Json& knowledge);
  void trim() { notes_.trim(); }

 private:
  KeptNotes notes_;
};

// Whether it passed, saw all it was to see, no check of it was flaky, of none it could not tell whether it was slow,
// and what grows could be judged.
[[nodiscard]] bool may_be_kept(const reports::TrialRecord& control);

}  // namespace patchlab::runners
