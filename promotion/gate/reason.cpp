// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "promotion/gate/gate.hpp"

namespace patchlab::promotion {

const char* to_string(ReasonCode code) {
  switch (code) {
    case ReasonCode::run_incomplete: return "run-incomplete";
    case ReasonCode::not_recorded: return "not-recorded";
    case ReasonCode::stale: return "stale";
    case ReasonCode::department_unknown: return "department-unknown";
    case ReasonCode::fence_breach: return "fence-breach";
    case ReasonCode::fence_unproven: return "fence-unproven";
    case ReasonCode::golden_image_changed: return "golden-image-changed";
    case ReasonCode::digest_mismatch: return "digest-mismatch";
    case ReasonCode::baseline_broken: return "baseline-broken";
    case ReasonCode::control_failed: return "control-failed";
    case ReasonCode::lab_error: return "lab-error";
    case ReasonCode::verdict_missing: return "verdict-missing";
    case ReasonCode::no_final_trial: return "no-final-trial";
    case ReasonCode::final_set_differs: return "final-set-differs";
    case ReasonCode::final_trial_failed: return "final-trial-failed";
    case ReasonCode::not_reproduced: return "not-reproduced";
    case ReasonCode::coverage_missing: return "coverage-missing";
    case ReasonCode::prerequisite_held_back: return "prerequisite-held-back";
    case ReasonCode::candidate_failed: return "candidate-failed";
    case ReasonCode::candidate_undecided: return "candidate-undecided";
    case ReasonCode::candidate_skipped: return "candidate-skipped";
    case ReasonCode::nothing_to_promote: return "nothing-to-promote";
  }
  return "unknown";
}

std::string to_string(const Reason& reason) {
  return fmt::format("{}: {}: {}", to_string(reason.code), reason.subject, reason.text);
}

std::vector<std::string> Decision::reasons() const {
  std::vector<std::string> texts;
  for (const auto& reason : blocking) texts.push_back(to_string(reason));
  for (const auto& reason : held_back) texts.push_back(to_string(reason));
  return texts;
}

}  // namespace patchlab::promotion
