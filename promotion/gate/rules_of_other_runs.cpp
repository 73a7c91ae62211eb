// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "promotion/gate/rules.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
using namespace reports;
namespace {

bool are_same_bytes(const CandidateRecord& candidate, const PastFailure& failure) {
  return candidate.digest == failure.digest || std::ranges::any_of(candidate.files, [&](const FileRecord& file) {
           return std::ranges::count(failure.files, file.sha256) > 0;
         });
}

// Another department of this run saw the same: departments differ, and that is why each has a verdict of its own.
bool is_known_here(const GateCase& gate, const CandidateRecord& candidate, const PastFailure& failure) {
  if (failure.department == gate.department.name) return false;
  const auto other = std::ranges::find(gate.record.departments, failure.department, &DepartmentRecord::name);
  const auto* verdict = other == gate.record.departments.end() ? nullptr : find_verdict(*other, candidate.id);
  return verdict != nullptr && verdict->outcome == Outcome::fail;
}

// It failed with nothing but what passes here, and neither another scenario nor other machines explain why it passes
// now, nor does a check that fails without any patch.
bool nothing_else_changed(const GateCase& gate, const PastFailure& failure) {
  // What passed in a department that is like this one, and failed there before, is as little known here.
  const bool is_of_here = failure.department == gate.department.name || failure.department == gate.department.tested_in;
  if (!is_of_here || failure.scenario_digest != gate.record.scenario_digest) return false;
  const auto passes_here = [&](const std::string& id) {
    const auto* verdict = find_verdict(gate.department, id);
    return verdict != nullptr && verdict->outcome == Outcome::pass;
  };
  if (!std::ranges::all_of(failure.group, passes_here)) return false;
  std::map<std::string, std::string> goldens;
  for (const auto& machine : gate.department.machines) goldens[machine.name] = machine.golden_digest;
  return failure.goldens == goldens &&
         !(!failure.failed.empty() &&
           std::ranges::all_of(failure.failed, [&](const auto& fact) { return gate.is_excused(fact); }));
}

// What fails here, too, and was accepted, is no news elsewhere, as long as it is nothing else.
void look_at_failure_again(GateCase& gate, const CandidateRecord& candidate, const PastFailure& failure) {
  if (!failure.later || is_known_here(gate, candidate, failure)) return;
  if (failure.department == gate.department.name && gate.all_waived(failure.failed)) return;
  gate.block(ReasonCode::stale, gate.of_candidate(candidate.id),
             fmt::format("failed later in {} with something else than what was waived, in run {}", failure.department,
                         failure.run));
}

// What passed here and failed in another run: the same bytes, whatever they are called there.
void look_at_failure(GateCase& gate, const PastFailure& failure) {
  for (const auto& candidate : gate.record.candidates) {
    const auto* verdict = find_verdict(gate.department, candidate.id);
    if (verdict == nullptr || !are_same_bytes(candidate, failure)) continue;
    if (gate.is_in_named_set(candidate.id) && verdict->outcome == Outcome::fail) {
      look_at_failure_again(gate, candidate, failure);
      continue;
    }
    if (verdict->outcome != Outcome::pass) continue;
    auto where = failure.department == gate.department.name ? "" : " in " + failure.department;
    if (failure.candidate != candidate.id) where += " as " + failure.candidate;
    if (failure.later && !is_known_here(gate, candidate, failure)) {
      gate.block(ReasonCode::stale, gate.of_candidate(candidate.id),
                 fmt::format("passed here and failed later{}, in run {}", where, failure.run));
    } else if (!failure.later && nothing_else_changed(gate, failure)) {
      gate.block(
          ReasonCode::not_reproduced, gate.of_candidate(candidate.id),
          fmt::format("failed{} in run {} with the same scenario and golden images, and passes here: nobody knows "
                      "why",
                      where, failure.run));
    }
  }
}

// What was seen in the department itself, at any time, goes before whatever was seen in one that is like it: it is not,
// as far as these bytes are concerned.
void look_at_own_results(GateCase& gate, const std::vector<PastFailure>& results, const char* what) {
  if (gate.department.tested_in.empty()) return;
  for (const auto& result : results) {
    if (result.department != gate.department.name) continue;
    for (const auto& candidate : gate.record.candidates) {
      const auto* verdict = find_verdict(gate.department, candidate.id);
      const bool would_go =
          (verdict != nullptr && verdict->outcome == Outcome::pass) || gate.is_in_named_set(candidate.id);
      if (!would_go || !are_same_bytes(candidate, result)) continue;
      gate.block(ReasonCode::carried_not_alike, gate.of_candidate(candidate.id),
                 fmt::format("{} here itself, in run {}: what was seen in '{}' does not answer that", what, result.run,
                             gate.department.tested_in));
    }
  }
}

}  // namespace

void look_at_standing(GateCase& gate) {
  if (!gate.today.standing) return;
  look_at_own_results(gate, gate.today.standing->failures, "failed");
  look_at_own_results(gate, gate.today.standing->undecided, "ended in an error");
  if (!gate.today.standing->recorded)
    gate.block(ReasonCode::not_recorded, gate.of_run(), gate.today.standing->otherwise);
  gate.asked(ReasonCode::not_recorded, gate.of_run(), "the ledger has this run with this very record");
  for (const auto& failure : gate.today.standing->failures) look_at_failure(gate, failure);
  for (const auto& later : gate.today.standing->later_candidates) {
    const auto* candidate = find_candidate(gate.record, later.candidate);
    if (later.department != gate.department.name || candidate == nullptr || candidate->digest == later.digest) continue;
    gate.block(ReasonCode::stale, gate.of_candidate(later.candidate),
               fmt::format("is another one in the later run {}", later.run));
  }
}

}  // namespace patchlab::promotion
