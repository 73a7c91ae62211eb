// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "promotion/gate/rules.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
using namespace reports;
namespace {

void sort_pass(GateCase& gate, const VerdictRecord& verdict) {
  gate.passed.push_back(verdict.candidate);
  if (verdict.machines.empty())
    gate.block(ReasonCode::coverage_missing, gate.of_candidate(verdict.candidate),
               "passed without a machine it applies to");
  if (!verdict.failed.empty() || !verdict.group.empty()) {
    gate.block(ReasonCode::lab_error, gate.of_candidate(verdict.candidate),
               "is said to pass although failures are recorded for it");
  }
}

void sort_waived(GateCase& gate, const VerdictRecord& verdict) {
  gate.passed.push_back(verdict.candidate);
  if (verdict.machines.empty())
    gate.block(ReasonCode::coverage_missing, gate.of_candidate(verdict.candidate),
               "failed without a machine it applies to");
  if (verdict.failed.empty())
    gate.block(ReasonCode::candidate_failed, gate.of_candidate(verdict.candidate),
               "fails, and the record does not say how");
  for (const auto& fact : verdict.failed) {
    auto subject = gate.of_fact(fact);
    subject.candidate = verdict.candidate;
    const auto text = fmt::format("fails: {}", fact);
    if (!gate.is_accepted(ReasonCode::candidate_failed, subject, fact, text))
      gate.block(ReasonCode::candidate_failed, subject, text + ", and no waiver of that counts");
  }
}

// Of a set that somebody named: what failed goes along when each failure that convicts it was waived.
void sort_named(GateCase& gate, const VerdictRecord& verdict) {
  switch (verdict.outcome) {
    case Outcome::pass: return sort_pass(gate, verdict);
    case Outcome::fail: return sort_waived(gate, verdict);
    case Outcome::error:
    case Outcome::not_reached:
      return gate.block(ReasonCode::candidate_undecided, gate.of_candidate(verdict.candidate),
                        "the lab could not tell, and that can never be waived");
    case Outcome::skipped:
      return gate.block(ReasonCode::candidate_skipped, gate.of_candidate(verdict.candidate), "applies to nothing here");
  }
  gate.block(ReasonCode::lab_error, gate.of_candidate(verdict.candidate), "has an unknown outcome");
}

void sort_verdict(GateCase& gate, const VerdictRecord& verdict) {
  const auto why = [&](const char* fallback) { return verdict.reason.empty() ? fallback : verdict.reason; };
  if (gate.is_in_named_set(verdict.candidate)) return sort_named(gate, verdict);
  if (gate.named == GateCase::Named::yes && verdict.outcome == Outcome::pass) {
    gate.block(ReasonCode::final_set_differs, gate.of_candidate(verdict.candidate),
               "passed, and is not in the set in which something was waived");
  }
  switch (verdict.outcome) {
    case Outcome::pass: return sort_pass(gate, verdict);
    case Outcome::fail: return gate.hold_back(ReasonCode::candidate_failed, verdict.candidate, why("fails"));
    case Outcome::error:
      return gate.hold_back(ReasonCode::candidate_undecided, verdict.candidate, why("the lab could not tell"));
    case Outcome::not_reached:
      return gate.hold_back(ReasonCode::candidate_undecided, verdict.candidate, why("was not reached"));
    case Outcome::skipped:
      return gate.hold_back(ReasonCode::candidate_skipped, verdict.candidate, why("applies to nothing here"));
  }
  gate.block(ReasonCode::lab_error, gate.of_candidate(verdict.candidate), "has an unknown outcome");
}

// Who fulfils a prerequisite: itself, and whatever supersedes it, directly or through others.
std::vector<std::string> providers_of(const GateCase& gate, const std::string& needed) {
  std::vector<std::string> providers{needed};
  for (std::size_t i = 0; i < providers.size(); ++i) {
    const auto older = providers[i];
    for (const auto& candidate : gate.record.candidates) {
      if (std::ranges::count(candidate.supersedes, older) > 0 && std::ranges::count(providers, candidate.id) == 0)
        providers.push_back(candidate.id);
    }
  }
  return providers;
}

}  // namespace

void sort_verdicts(GateCase& gate) {
  for (const auto& verdict : gate.department.verdicts) {
    if (find_candidate(gate.record, verdict.candidate) == nullptr) {
      gate.block(ReasonCode::verdict_missing, gate.of_candidate(verdict.candidate),
                 "has a verdict but is no candidate of the run");
    }
  }
  for (const auto& candidate : gate.record.candidates) {
    const auto count = std::ranges::count(gate.department.verdicts, candidate.id, &VerdictRecord::candidate);
    if (count == 1)
      sort_verdict(gate, *find_verdict(gate.department, candidate.id));
    else
      gate.block(ReasonCode::verdict_missing, gate.of_candidate(candidate.id),
                 fmt::format("has {} verdicts instead of one", count));
  }
  gate.asked(ReasonCode::verdict_missing, gate.of_department(),
             fmt::format("each of {} candidates has a verdict", gate.record.candidates.size()));
}

void look_at_prerequisites(GateCase& gate) {
  for (const auto& id : gate.passed) {
    for (const auto& needed : find_candidate(gate.record, id)->prerequisites) {
      std::vector<std::string> held_back;
      bool fulfilled = false;
      for (const auto& provider : providers_of(gate, needed)) {
        const auto* verdict = find_verdict(gate.department, provider);
        if (verdict == nullptr || verdict->outcome == Outcome::skipped) continue;
        if (std::ranges::count(gate.passed, provider) > 0)
          fulfilled = true;
        else
          held_back.push_back(provider);
      }
      // All of them skipped: what is needed is there already, or not for these machines.
      if (!fulfilled && !held_back.empty())
        gate.block(ReasonCode::prerequisite_held_back, gate.of_candidate(id),
                   fmt::format("needs {}, which is held back", fmt::join(held_back, ", ")));
    }
  }
  if (!gate.passed.empty())
    gate.asked(ReasonCode::prerequisite_held_back, gate.of_department(), "nothing that is needed is held back");
}

}  // namespace patchlab::promotion
