// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_controls.hpp"

#include <algorithm>

#include "runners/engine/state_key.hpp"

namespace patchlab::runners {
namespace {

std::string key_of(const cell::CellJob& job) { return state_key(Json(job), "control"); }

// What cannot be held against it would be judged in no night until it is too old.
bool is_without_growth(const reports::PhaseRecord& phase) {
  return phase.growth && phase.growth->planned > 0 && (phase.growth->failed > 0 || !phase.growth->why_not.empty());
}

bool is_doubtful(const checks::CheckResult& check) {
  return check.outcome != Outcome::pass || checks::is_flaky(check) || (check.slowness && !check.slowness->judged);
}

}  // namespace

bool may_be_kept(const reports::TrialRecord& control) {
  const bool passed = control.purpose == reports::Purpose::control && control.outcome == Outcome::pass &&
                      !control.error && control.candidates.empty() && control.reused_from.empty();
  return passed && std::ranges::all_of(control.phases, [](const reports::PhaseRecord& phase) {
           return phase.outcome == Outcome::pass && std::ranges::none_of(phase.checks, is_doubtful) &&
                  !is_without_growth(phase);
         });
}

KeptControls::KeptControls(KeptNotes::Place place, const Clock& clock, KeptNotes::Tell tell)
    : notes_({"control", "patchlab/control/v1"}, std::move(place), clock, std::move(tell)) {}

std::optional<KeptControls::Known> KeptControls::of(const cell::CellJob& job) {
  std::optional<Known> latest;
  notes_.read(key_of(job), [&](const KeptNotes::Note& note) {
    if (!note.what.is_object() || !note.what.contains("control") || !note.what.contains("knowledge")) return false;
    auto control = reports::trial_record_from_json(note.what["control"]);
    if (!control || !may_be_kept(*control)) return false;
    if (latest) return true;
    control->reused_run = note.run;
    control->reused_from = control->id;
    control->evidence_folder.clear();
    latest = Known{std::move(*control), note.what["knowledge"]};
    return true;
  });
  return latest;
}

void KeptControls::keep(const cell::CellJob& job, const reports::TrialRecord& control, const Json& knowledge) {
  if (may_be_kept(control)) notes_.keep(key_of(job), control.id, {{"control", control}, {"knowledge", knowledge}});
}

}  // namespace patchlab::runners
