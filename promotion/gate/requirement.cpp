// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "promotion/gate/gate.hpp"

namespace patchlab::promotion {

const char* to_string(ReasonCode code) {
  switch (code) {
    case ReasonCode::policy_not_in_force: return "policy-not-in-force";
    case ReasonCode::policy_ambiguous: return "policy-ambiguous";
    case ReasonCode::run_incomplete: return "run-incomplete";
    case ReasonCode::not_recorded: return "not-recorded";
    case ReasonCode::stale: return "stale";
    case ReasonCode::older_than_published: return "older-than-published";
    case ReasonCode::department_unknown: return "department-unknown";
    case ReasonCode::narrowed: return "narrowed";
    case ReasonCode::not_asked: return "not-asked";
    case ReasonCode::department_not_allowed: return "department-not-allowed";
    case ReasonCode::scenario_not_allowed: return "scenario-not-allowed";
    case ReasonCode::tool_version_not_allowed: return "tool-version-not-allowed";
    case ReasonCode::machine_not_planned: return "machine-not-planned";
    case ReasonCode::check_not_planned: return "check-not-planned";
    case ReasonCode::phase_not_planned: return "phase-not-planned";
    case ReasonCode::coverage_shrunk: return "coverage-shrunk";
    case ReasonCode::coverage_unknown: return "coverage-unknown";
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
    case ReasonCode::emergency_not_allowed: return "emergency-not-allowed";
    case ReasonCode::review_overdue: return "review-overdue";
    case ReasonCode::rejected: return "rejected";
    case ReasonCode::approval_missing: return "approval-missing";
    case ReasonCode::window_closed: return "window-closed";
    case ReasonCode::publish_failed: return "publish-failed";
    case ReasonCode::ledger_unusable: return "ledger-unusable";
    case ReasonCode::promotion_unclear: return "promotion-unclear";
  }
  return "unknown";
}

std::string to_string(const Subject& subject) {
  if (!subject.trial.empty()) return subject.trial;
  if (!subject.candidate.empty()) return subject.candidate;
  auto text = subject.department;
  if (!subject.machine.empty()) text += "/" + subject.machine;
  if (!subject.check.empty()) text += "/" + subject.check;
  if (!text.empty()) return text;
  return subject.run.empty() ? "run" : subject.run;
}

std::string to_string(const Requirement& requirement) {
  return fmt::format("{}: {}: {}", to_string(requirement.code), to_string(requirement.subject), requirement.text);
}

void refuse(Decision& decision, Requirement unmet) {
  unmet.met = false;
  std::erase_if(decision.requirements, [&](const Requirement& other) { return other.met && other.code == unmet.code; });
  decision.requirements.push_back(std::move(unmet));
  std::ranges::stable_sort(decision.requirements, {}, &Requirement::code);
  decision.promotable.clear();
  decision.by.clear();
}

bool Decision::promotes() const { return !promotable.empty() && std::ranges::all_of(requirements, &Requirement::met); }

std::vector<Requirement> Decision::blocking() const {
  std::vector<Requirement> unmet;
  std::ranges::remove_copy_if(requirements, std::back_inserter(unmet), &Requirement::met);
  return unmet;
}

std::vector<std::string> Decision::reasons() const {
  std::vector<std::string> texts;
  for (const auto& requirement : blocking()) texts.push_back(to_string(requirement));
  for (const auto& requirement : held_back) texts.push_back(to_string(requirement));
  return texts;
}

}  // namespace patchlab::promotion
