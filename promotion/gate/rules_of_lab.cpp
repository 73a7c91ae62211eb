// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "lab/core/digest.hpp"
#include "promotion/gate/rules.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
using namespace reports;
namespace {

std::string counted_answers(const reports::FenceRecord& fence) {
  return fence.answers() == 1 ? "1 answer" : fmt::format("{} answers", fence.answers());
}

Subject of_fence(const GateCase& gate, const std::string& phase) {
  return {.department = gate.department.name, .phase = phase};
}

}  // namespace

void look_at_fence(GateCase& gate) {
  const auto& fence = gate.department.fence;
  for (const auto& attempt : fence.attempts) {
    if (!attempt.is_answer_of_a_leak()) continue;
    gate.block(ReasonCode::fence_breach, of_fence(gate, attempt.phase),
               fmt::format("{} to {} was answered {} the trials", attempt.probe, attempt.target, attempt.phase));
  }
  // A leak anywhere voids the run: what was seen elsewhere may have been the world's answer.
  for (const auto& other : gate.record.departments) {
    if (other.name == gate.department.name || other.fence.answers() == 0) continue;
    gate.block(ReasonCode::fence_breach, {.department = other.name},
               fmt::format("the fence of another department leaked, and with it the whole run is void: {}",
                           counted_answers(other.fence)));
  }
  for (const auto& trouble : fence.troubles) gate.block(ReasonCode::fence_unproven, gate.of_department(), trouble);
  for (const auto& phase : gate.policy.fence_phases) {
    for (const auto& probe : gate.policy.fence_probes) {
      const auto any = [&](const auto& is_so) {
        return std::ranges::any_of(fence.attempts, [&](const FenceAttempt& attempt) {
          return attempt.phase == phase && attempt.probe == probe && is_so(attempt);
        });
      };
      if (!any([](const FenceAttempt& attempt) { return attempt.sent && !attempt.control; })) {
        gate.block(ReasonCode::fence_unproven, of_fence(gate, phase),
                   fmt::format("no {} probe was sent {} the trials", probe, phase));
      } else if (!any([](const FenceAttempt& attempt) { return attempt.heard_control(); })) {
        gate.block(
            ReasonCode::fence_unproven, of_fence(gate, phase),
            fmt::format("no control answered the {} probe {} the trials: its silence proves nothing", probe, phase));
      }
    }
  }
  for (const auto& phase : gate.policy.fence_phases) {
    for (const auto& watch : gate.policy.fence_watches) {
      const bool listened = std::ranges::any_of(fence.attempts, [&](const FenceAttempt& attempt) {
        return attempt.phase == phase && attempt.probe == watch && attempt.sent;
      });
      if (!listened)
        gate.block(ReasonCode::fence_unproven, of_fence(gate, phase),
                   fmt::format("nobody listened at the bridge {} the trials", phase));
    }
  }
  if (fence.attempts.empty()) gate.block(ReasonCode::fence_unproven, gate.of_department(), "no probe was sent");
  gate.asked(ReasonCode::fence_breach, gate.of_department(),
             fmt::format("none of {} tries to get out was answered", fence.tries()));
  gate.asked(ReasonCode::fence_unproven, gate.of_department(),
             fmt::format("{} were sent {} the trials, and the control was heard each time",
                         fmt::join(gate.policy.fence_probes, ", "), fmt::join(gate.policy.fence_phases, ", ")));
}

void look_at_goldens(GateCase& gate) {
  for (const auto& machine : gate.department.machines) {
    if (!is_sha256(machine.golden_digest)) {
      gate.block(ReasonCode::digest_mismatch, gate.of_machine(machine.name), "has no digest of its golden image");
    } else if (machine.golden_digest_after.empty()) {
      gate.block(ReasonCode::golden_image_changed, gate.of_machine(machine.name),
                 "its golden image was not verified after the run");
    } else if (machine.golden_digest_after != machine.golden_digest) {
      gate.block(ReasonCode::golden_image_changed, gate.of_machine(machine.name),
                 "its golden image changed during the run");
    }
  }
  gate.asked(ReasonCode::golden_image_changed, gate.of_department(),
             fmt::format("{} golden images had the same digest before and after", gate.department.machines.size()));
}

void look_at_candidate_digests(GateCase& gate) {
  std::set<std::string> ids;
  gate.asked(ReasonCode::digest_mismatch, gate.of_department(), "machines, candidates and files have their digests");
  for (const auto& candidate : gate.record.candidates) {
    if (!ids.insert(candidate.id).second)
      gate.block(ReasonCode::digest_mismatch, gate.of_candidate(candidate.id), "is in the record twice");
    if (!is_sha256(candidate.digest))
      gate.block(ReasonCode::digest_mismatch, gate.of_candidate(candidate.id), "has no digest");
    if (candidate.files.empty())
      gate.block(ReasonCode::digest_mismatch, gate.of_candidate(candidate.id), "has no files");
    for (const auto& file : candidate.files) {
      if (!is_sha256(file.sha256))
        gate.block(ReasonCode::digest_mismatch, gate.of_candidate(candidate.id),
                   fmt::format("file '{}' has no digest", file.name));
    }
  }
}

void look_at_department(GateCase& gate) {
  if (gate.department.error) gate.block(ReasonCode::lab_error, gate.of_department(), gate.department.error->message);
  const bool undecided = std::ranges::any_of(
      gate.department.verdicts, [](const VerdictRecord& verdict) { return verdict.outcome == Outcome::error; });
  if (gate.department.outcome == Outcome::error && !gate.department.error && !undecided) {
    gate.block(ReasonCode::lab_error, gate.of_department(), "ended in error");
  }
  if (gate.department.outcome == Outcome::not_reached)
    gate.block(ReasonCode::lab_error, gate.of_department(), "was not reached");
  gate.asked(ReasonCode::lab_error, gate.of_department(), "the lab could tell");
}

}  // namespace patchlab::promotion
