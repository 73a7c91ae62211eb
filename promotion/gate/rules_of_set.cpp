// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "promotion/gate/rules.hpp"
#include "reports/record/anew.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::promotion {
using namespace reports;
namespace {

// Of a named set any trial of all machines may be it; of several, one that left nothing out.
const TrialRecord* trial_of_the_set(const GateCase& gate) {
  if (gate.named == GateCase::Named::no)
    return gate.department.final_trial.empty() ? nullptr : find_trial(gate.department, gate.department.final_trial);
  const TrialRecord* found = nullptr;
  std::size_t least = 0;
  for (const auto& trial : gate.department.trials) {
    if (!is_trial_of_a_set(trial) || !same_members(trial.candidates, gate.people.set)) continue;
    const auto* facts = facts_of(gate.department, trial);
    if (facts == nullptr || facts->machines.size() != gate.department.machines.size()) continue;
    const auto missing = missing_checks(gate.department, *facts).size();
    if (found != nullptr && missing > least) continue;
    found = &trial;
    least = missing;
  }
  return found;
}

// A check that was steady without a patch, and failed once with exactly this set, must have been steady in another
// trial of the same set; else nobody knows whether the set makes it fail now and then.
void look_at_flaky(GateCase& gate, const TrialRecord& trial) {
  for (const auto& key : flaky_since_patched(gate.department.trials, trial)) {
    const bool refuted = std::ranges::any_of(gate.department.trials, [&](const TrialRecord& other) {
      const bool counts = !is_lost(other) || !began_with_another_run(other);
      return counts && other.id != trial.id && other.outcome == Outcome::pass && other.set_digest == trial.set_digest &&
             same_members(other.machines, trial.machines) && missing_checks(gate.department, other).empty() &&
             std::ranges::count(flaky_since_patched(gate.department.trials, other), key) == 0;
    });
    if (refuted) continue;
    const auto text = fmt::format(
        "{} failed and passed with this set, was steady without a patch, and no other trial of the set passed "
        "without that",
        key);
    if (gate.is_accepted(ReasonCode::not_reproduced, gate.of_fact(key, trial.id), key, text)) continue;
    gate.block(ReasonCode::not_reproduced, gate.of_fact(key, trial.id), text);
  }
}

void look_at_set_digest(GateCase& gate, const TrialRecord& trial) {
  std::vector<std::string> digests;
  for (const auto& id : trial.candidates) {
    const auto* candidate = find_candidate(gate.record, id);
    digests.push_back(candidate == nullptr ? "" : candidate->digest);
  }
  if (trial.set_digest != patch_set_digest(digests)) {
    gate.block(ReasonCode::digest_mismatch, gate.of_trial(trial.id), "its set digest is not that of its candidates");
  }
}

// The machines went on from a state that an earlier run kept, with the candidates on them that came first (ADR 28).
// Their bytes and order are its digest's; what passes is seen in this run, and what fails is held against nobody by it.
bool was_installed_by_earlier_run(const GateCase& gate, const TrialRecord& trial, const InstallRecord& install) {
  const auto* baseline = trial_with_purpose(gate.department, Purpose::baseline);
  if (baseline == nullptr || baseline->state_of_run.empty() || trial.outcome != Outcome::pass) return false;
  if (install.installed_in.empty() || install.outcome != Outcome::pass || install.installed_run == gate.record.id)
    return false;
  for (const auto& entry : trial.installs) {
    if (entry.machine != install.machine) continue;
    if (entry.installed_run.empty()) return false;
    if (entry.candidate == install.candidate) return true;
  }
  return false;
}

// ", of which 2 were made by run 20261128-010000-aaaa"; empty: none was.
std::string made_by_earlier_runs(const TrialRecord& trial) {
  std::map<std::string, std::size_t> by_run;
  for (const auto& install : trial.installs) {
    if (!install.installed_run.empty()) ++by_run[install.installed_run];
  }
  std::vector<std::string> parts;
  for (const auto& [run, count] : by_run) parts.push_back(fmt::format("{} by run {}", count, run));
  return parts.empty() ? "" : fmt::format(", of the installations {}", fmt::join(parts, " and "));
}

// The state from which a trial started is only as good as the trial that made it: the same candidates on that
// machine, in the same order, up to this one, all of them installed well.
bool was_installed_there(const GateCase& gate, const TrialRecord& trial, const InstallRecord& install) {
  if (!install.installed_run.empty()) return was_installed_by_earlier_run(gate, trial, install);
  const auto maker = std::ranges::find(gate.department.trials, install.installed_in, &TrialRecord::id);
  if (maker == gate.department.trials.end() || !maker->reused_from.empty()) return false;
  const auto up_to = [&](const TrialRecord& record) {
    std::vector<std::string> sequence;
    for (const auto& entry : record.installs) {
      if (entry.machine != install.machine || entry.outcome != Outcome::pass) continue;
      sequence.push_back(entry.candidate);
      if (entry.candidate == install.candidate) return sequence;
    }
    return std::vector<std::string>{};
  };
  const bool itself = std::ranges::any_of(maker->installs, [&](const InstallRecord& entry) {
    return entry.machine == install.machine && entry.candidate == install.candidate && entry.installed_in.empty();
  });
  const auto there = up_to(*maker);
  return itself && !there.empty() && there == up_to(trial);
}

// Every promotable candidate was really installed on every machine it applies to.
void look_at_installs(GateCase& gate, const TrialRecord& trial) {
  for (const auto& id : gate.passed) {
    for (const auto& machine : find_verdict(gate.department, id)->machines) {
      const bool installed = std::ranges::any_of(trial.installs, [&](const InstallRecord& install) {
        return install.candidate == id && install.machine == machine && install.outcome == Outcome::pass;
      });
      if (!installed)
        gate.block(ReasonCode::coverage_missing,
                   {.department = gate.department.name, .machine = machine, .candidate = id, .trial = trial.id},
                   fmt::format("{} was not installed on {}", id, machine));
    }
  }
  for (const auto& install : trial.installs) {
    if ((install.installed_in.empty() && install.installed_run.empty()) || was_installed_there(gate, trial, install))
      continue;
    gate.block(ReasonCode::coverage_missing,
               {.department = gate.department.name,
                .machine = install.machine,
                .candidate = install.candidate,
                .trial = trial.id},
               fmt::format("{} on {} is said to come from {}, which did not install the same in the same order",
                           install.candidate, install.machine,
                           install.installed_run.empty() ? install.installed_in
                                                         : install.installed_run + "/" + install.installed_in));
  }
}

// What is to be promoted, as far as it touches these machines.
std::vector<std::string> promotable_on(const GateCase& gate, const std::vector<std::string>& machines) {
  std::vector<std::string> ids;
  for (const auto& id : gate.passed) {
    const auto& touched = find_verdict(gate.department, id)->machines;
    if (std::ranges::any_of(touched, [&](const auto& name) { return std::ranges::count(machines, name) > 0; }))
      ids.push_back(id);
  }
  return ids;
}

}  // namespace

void look_at_final_trial(GateCase& gate) {
  if (gate.passed.empty())
    return gate.block(ReasonCode::nothing_to_promote, gate.of_department(), "no candidate passed");
  gate.asked(ReasonCode::nothing_to_promote, gate.of_department(),
             fmt::format("{} of {} candidates passed", gate.passed.size(), gate.record.candidates.size()));
  const auto* trial = trial_of_the_set(gate);
  if (trial == nullptr) {
    return gate.block(ReasonCode::no_final_trial, gate.of_department(),
                      "the set to be promoted was not tested as exactly that set");
  }
  const auto* facts = facts_of(gate.department, *trial);
  if (facts == nullptr) {
    return gate.block(ReasonCode::no_final_trial, gate.of_trial(trial->id),
                      fmt::format("the results it reused ('{}') are not those of the same set", trial->reused_from));
  }
  if (std::ranges::count(gate.department.trials, trial->id, &TrialRecord::id) != 1) {
    gate.block(ReasonCode::no_final_trial, gate.of_trial(trial->id), "is in the record twice");
  }
  if (!same_members(facts->candidates, gate.passed)) {
    gate.block(ReasonCode::final_set_differs, gate.of_trial(trial->id),
               fmt::format("tested {{{}}}, to be promoted {{{}}}", fmt::join(facts->candidates, ", "),
                           fmt::join(gate.passed, ", ")));
  }
  look_at_set_digest(gate, *facts);
  look_at_facts(gate, *facts, ReasonCode::final_trial_failed);
  look_at_installs(gate, *facts);
  look_at_flaky(gate, *facts);
  gate.decision.promotable = facts->candidates;
  gate.decision.trial = trial->id;
  const auto it = gate.of_trial(trial->id);
  gate.asked(ReasonCode::no_final_trial, it, "tested what is to be promoted");
  gate.asked(ReasonCode::final_set_differs, it,
             fmt::format("as exactly that set: {}", fmt::join(facts->candidates, ", ")));
  gate.asked(ReasonCode::final_trial_failed, it, "passed as a whole");
  gate.asked(ReasonCode::coverage_missing, it,
             "every planned check and installation was executed" + made_by_earlier_runs(*facts));
}

// A set that failed is not promoted because it was tried until it passed, nor because it was installed anew (ADR 28).
void look_at_failures_of_the_set(GateCase& gate) {
  for (const auto& trial : gate.department.trials) {
    const bool anew = was_installed_anew(trial);
    if (trial.outcome != Outcome::fail || trial.purpose == Purpose::removal || (is_lost(trial) && !anew) ||
        trial.candidates.empty() || !same_members(trial.candidates, promotable_on(gate, trial.machines)))
      continue;
    for (const auto& fact : anew ? not_seen_again(gate.department.trials, trial) : failure_signature(trial)) {
      if (gate.is_excused(fact)) continue;
      const auto text = fmt::format("the same candidates failed here on {}{}", fact,
                                    anew ? " with what an earlier run installed, and not when installed anew" : "");
      if (gate.is_accepted(ReasonCode::not_reproduced, gate.of_fact(fact, trial.id), fact, text)) continue;
      gate.block(ReasonCode::not_reproduced, gate.of_fact(fact, trial.id), text + ", and nobody knows why");
    }
  }
  for (const auto& flaky : gate.department.flaky) {
    if (flaky.kind != FlakeKind::not_reproduced || gate.is_excused(flaky.fact)) continue;
    if (gate.is_accepted(ReasonCode::not_reproduced, gate.of_fact(flaky.fact), flaky.fact, counts_of(flaky))) continue;
    gate.block(ReasonCode::not_reproduced, gate.of_fact(flaky.fact), counts_of(flaky));
  }
  gate.asked(ReasonCode::not_reproduced, gate.of_department(), "what failed here has an explanation");
}

}  // namespace patchlab::promotion
