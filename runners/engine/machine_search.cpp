// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/machine_search.hpp"

#include <numeric>

#include "reports/record/queries.hpp"

namespace patchlab::runners {

using reports::Purpose;
using reports::TrialRecord;

MachineSearch::MachineSearch(DepartmentTrials& trials, std::vector<std::string> machines, const TrialRecord& failed,
                             const Indexes& set, std::size_t passes_before)
    : trials_(trials), machines_(std::move(machines)), passes_before_(passes_before) {
  finding_.trials.push_back(failed.id);
  for (const auto index : set) {
    const auto& installs = trials_.candidates()[index].installs;
    if (std::ranges::any_of(machines_, [&](const auto& name) { return installs.contains(name); }))
      domain_.push_back(index);
  }
  all_.resize(domain_.size());
  std::iota(all_.begin(), all_.end(), std::size_t{0});
  candidates_ = candidates();
  finding_.failed = searched_ = failures_here(failed);
  // What was seen behind a first failure is not in it, so this one tells that nothing was seen before.
  const bool late = std::ranges::any_of(failed.phases, [&](const auto& phase) {
    return reports::is_late_phase(phase.phase) && phase.outcome == Outcome::fail &&
           std::ranges::count(machines_, phase.machine) > 0;
  });
  stability_ = late ? Stability::yes : Stability::no;
}

bool MachineSearch::covers_the_department() const { return machines_.size() == trials_.machines().size(); }

SearchFinding MachineSearch::run() {
  CulpritSearch search(candidates_, policy());
  while (const auto question = search.next()) search.answer(*question, answer(search, *question));
  const auto& result = search.result();
  finding_.end = result.end;
  finding_.machines = machines_;
  finding_.stability = stability_;
  finding_.explanation = result.explanation;
  for (const auto& group : result.groups)
    finding_.convictions.push_back({chosen(group.members), seen_[group.tried].last_failures, group.explanation});
  // To hold back everybody names nobody.
  if (result.suspicious != all_) finding_.quarantined = chosen(result.suspicious);
  finding_.flaky = flaky(result.end);
  return std::move(finding_);
}

std::vector<SearchCandidate> MachineSearch::candidates() const {
  std::vector<SearchCandidate> candidates;
  for (const auto index : domain_) {
    SearchCandidate candidate{trials_.candidates()[index].id, {}};
    for (const auto needed : trials_.candidates()[index].prerequisites) {
      const auto place = std::ranges::find(domain_, needed);
      if (place != domain_.end()) candidate.prerequisites.push_back(static_cast<std::size_t>(place - domain_.begin()));
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

SearchPolicy MachineSearch::policy() {
  SearchPolicy policy{.confirmations = trials_.job().cell.policy.confirmations, .suspect = suspect()};
  std::size_t passes = 0;
  for (const auto& trial : trials_.seen_on(machines_, domain_, stability_)) {
    Indexes members;
    for (const auto index : trial.set)
      members.push_back(static_cast<std::size_t>(std::ranges::find(domain_, index) - domain_.begin()));
    const bool failed = !failures_here(trial.record).empty();
    policy.seen.push_back({members, failed});
    note(members, trial.record);
    if (members == all_ && !failed) ++passes;
  }
  // Two passes in all say that the failure is not reproduced, at least one of them from now on. Where not the whole
  // department takes part, the last one is that of the whole department.
  const bool one_more = !covers_the_department() || passes > 0 || passes_before_ > 0;
  policy.passes = passes + (one_more ? 1 : 2);
  // Likewise what is left: elsewhere the final trial is the second pass.
  policy.rest_passes = covers_the_department() ? 2 : 1;
  return policy;
}

std::optional<std::size_t> MachineSearch::suspect() const {
  std::optional<std::size_t> suspect;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    for (const auto& machine : machines_) {
      if (std::ranges::count(searched_, reports::install_key(machine, candidates_[i].id)) > 0) suspect = i;
    }
  }
  return suspect;
}

MachineSearch::Indexes MachineSearch::chosen(const Indexes& members) const {
  Indexes indexes;
  for (const auto member : members) indexes.push_back(domain_[member]);
  return indexes;
}

std::vector<std::string> MachineSearch::failures_here(const TrialRecord& trial) const {
  std::vector<std::string> keys;
  std::ranges::copy_if(trial.signature, std::back_inserter(keys), [&](const auto& entry) {
    return std::ranges::count(machines_, reports::machine_of_key(entry)) > 0;
  });
  return keys;
}

bool MachineSearch::is_known(const std::vector<std::string>& failures) const {
  return std::ranges::any_of(failures, [&](const auto& key) { return std::ranges::count(searched_, key) > 0; });
}

void MachineSearch::note(const Indexes& members, const TrialRecord& trial) {
  auto& seen = seen_[members];
  const auto failures = failures_here(trial);
  if (failures.empty()) return seen.passed.push_back(trial.id);
  for (const auto& fact : failures) seen.failed[fact].push_back(trial.id);
  seen.last_failures = failures;
}

// A pass of the exact set on the whole department may be what is promoted: then it must have seen everything.
bool MachineSearch::is_promotable_trial(const Question& question) const {
  if (!covers_the_department()) return false;
  if (question.is_rest) return question.freshness == Freshness::again;
  return question.set == all_ && (question.freshness == Freshness::again || passes_before_ > 0);
}

TrialRecord MachineSearch::run_trial(const CulpritSearch& search, const Question& question, const Indexes& members) {
  const auto set = chosen(members);
  if (is_promotable_trial(question)) return trials_.run(Purpose::final, machines_, set);
  const auto asked = [&](const Question& one, const Indexes& of) {
    const auto purpose = one.freshness == Freshness::fresh ? Purpose::confirm : Purpose::search;
    return DepartmentTrials::Asked{purpose, machines_, chosen(of), stability_};
  };
  return trials_.ask(asked(question, members), [&]() -> std::optional<DepartmentTrials::Asked> {
    const auto next = search.foreseen(question);
    if (!next || is_promotable_trial(*next)) return std::nullopt;
    return asked(*next, next->set);
  });
}

Outcome MachineSearch::answer(const CulpritSearch& search, const Question& question) {
  auto asked = question;
  std::vector<std::string> other;  // failures that were not searched for, of the try before
  // What no guest takes without a candidate that is left out here might as well be left out too.
  for (auto tried = question.set; !tried.empty();) {
    if (trials_.must_stop()) return Outcome::not_reached;
    const auto record = run_trial(search, asked, tried);
    finding_.trials.push_back(record.id);
    if (record.purpose == Purpose::final) finals_.insert(record.id);
    const auto taken = std::erase_if(tried, [&](auto member) { return trials_.is_declined(record, domain_[member]); });
    if (taken > 0 && record.outcome != Outcome::fail) continue;
    // A candidate that one guest takes and another does not is not the set that was asked for.
    const bool astray = std::ranges::count(record.installs, Outcome::skipped, &reports::InstallRecord::outcome) > 0;
    if (record.outcome == Outcome::pass && !astray) {
      note(question.set, record);
      if (is_promotable_trial(asked) && asked.is_rest) finding_.rest_trial = record;
      if (is_promotable_trial(asked) && !asked.is_rest) finding_.final_trial = record.id;
      return Outcome::pass;
    }
    if (record.outcome == Outcome::not_reached && trials_.must_stop()) return Outcome::not_reached;
    if (record.outcome != Outcome::fail) return Outcome::error;
    const auto failures = failures_here(record);
    if (failures.empty()) return Outcome::error;  // says that it failed, and not how
    note(question.set, record);
    if (is_known(failures)) return Outcome::fail;
    // Another failure than the one that is searched for never sends the search astray; but one that repeats is an
    // answer: this set is bad, too.
    std::vector<std::string> repeated;
    std::ranges::set_intersection(failures, other, std::back_inserter(repeated));
    searched_.insert(searched_.end(), repeated.begin(), repeated.end());
    if (!repeated.empty()) return Outcome::fail;
    if (!other.empty()) return Outcome::error;
    other = failures;
    if (asked.freshness == Freshness::may_reuse) asked.freshness = Freshness::again;
  }
  return Outcome::pass;
}

bool MachineSearch::leaves_open(const Indexes& members, const std::vector<std::string>& failed, SearchEnd end) const {
  if (members == all_) return end == SearchEnd::not_reproduced;
  const auto is_member = [&](const std::string& id) {
    return std::ranges::any_of(members, [&](auto member) { return candidates_[member].id == id; });
  };
  return finding_.rest_trial && finding_.rest_trial->candidates.size() == members.size() &&
         std::ranges::all_of(finding_.rest_trial->candidates, is_member) &&
         std::ranges::any_of(failed, [&](const auto& trial) { return finals_.contains(trial); });
}

std::vector<reports::FlakyRecord> MachineSearch::flaky(SearchEnd end) const {
  std::vector<reports::FlakyRecord> flaky;
  for (const auto& [members, seen] : seen_) {
    if (seen.passed.empty()) continue;
    for (const auto& [fact, failed] : seen.failed) {
      const bool open = leaves_open(members, failed, end);
      reports::FlakyRecord record{.kind = open ? reports::FlakeKind::not_reproduced : reports::FlakeKind::in_search,
                                  .fact = fact,
                                  .candidates = {},
                                  .failed = failed,
                                  .passed = seen.passed};
      for (const auto member : members) record.candidates.push_back(candidates_[member].id);
      flaky.push_back(std::move(record));
    }
  }
  return flaky;
}

}  // namespace patchlab::runners
