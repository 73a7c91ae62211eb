// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/machine_search.hpp"

#include <numeric>

#include "reports/record/queries.hpp"

namespace patchlab::runners {

using reports::Purpose;
using reports::TrialRecord;

MachineSearch::MachineSearch(DepartmentTrials& trials, std::string machine, const TrialRecord& failed,
                             const Indexes& set)
    : trials_(trials), machines_(trials.with_dependencies(machine)) {
  conviction_.machine = std::move(machine);
  conviction_.trials.push_back(failed.id);
  for (const auto index : set) {
    const auto& installs = trials_.candidates()[index].installs;
    if (std::ranges::any_of(machines_, [&](const auto& name) { return installs.contains(name); }))
      domain_.push_back(index);
  }
  smallest_ = domain_.size();
  conviction_.failed = searched_ = failures_here(failed);
  // A machine that fails is not looked at in later phases, so this one tells that nothing was seen before.
  const auto* late = reports::find_phase(failed, reports::stability_phase, conviction_.machine);
  stability_ = late != nullptr && late->outcome == Outcome::fail ? Stability::yes : Stability::no;
  candidates_ = candidates();
  // The trial that started this search is itself the answer for the whole set on this machine.
  Indexes all(domain_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  answers_[all] = Outcome::fail;
}

Conviction MachineSearch::run() {
  const SearchPolicy policy{
      .confirmations = trials_.job().cell.policy.confirmations, .unresolved_retries = 1, .suspect = suspect()};
  const auto result = find_culprit(
      candidates_, [this](const auto& members, auto freshness) { return probe(members, freshness); }, policy);
  conviction_.explanation = result.explanation;
  conviction_.culprit = chosen(result.culprit);
  if (result.end != SearchEnd::found) conviction_.quarantined = chosen(result.suspicious);
  return conviction_;
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

std::optional<std::size_t> MachineSearch::suspect() const {
  std::optional<std::size_t> suspect;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const auto key = reports::install_key(conviction_.machine, candidates_[i].id);
    if (std::ranges::count(searched_, key) > 0) suspect = i;
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
  for (const auto& entry : trial.signature) {
    if (reports::machine_of_key(entry) == conviction_.machine) keys.push_back(entry);
  }
  return keys;
}

TrialRecord MachineSearch::run_trial(const Indexes& members, Freshness freshness) {
  if (freshness == Freshness::fresh) return trials_.run(Purpose::confirm, machines_, chosen(members), stability_);
  if (freshness == Freshness::again) return trials_.run(Purpose::search, machines_, chosen(members), stability_);
  return trials_.search(machines_, chosen(members), stability_, [&]() -> std::optional<Indexes> {
    auto assumed = answers_;
    assumed.emplace(members, Outcome::pass);
    const auto next = next_question(candidates_, assumed, suspect());
    return next ? std::optional(chosen(*next)) : std::nullopt;
  });
}

Outcome MachineSearch::probe(const Indexes& members, Freshness freshness) {
  if (trials_.stop_requested()) return Outcome::not_reached;
  if (const auto known = answers_.find(members); known != answers_.end() && freshness == Freshness::may_reuse)
    return known->second;
  const auto outcome = ask(members, freshness);
  if (outcome == Outcome::fail || outcome == Outcome::pass) answers_.insert_or_assign(members, outcome);
  return outcome;
}

Outcome MachineSearch::ask(const Indexes& members, Freshness freshness) {
  // What no guest takes without a candidate that is left out here might as well be left out too.
  for (auto tried = members; !tried.empty();) {
    const auto record = run_trial(tried, freshness);
    conviction_.trials.push_back(record.id);
    const bool same = std::ranges::any_of(record.signature,
                                          [&](const auto& entry) { return std::ranges::count(searched_, entry) > 0; });
    if (record.outcome == Outcome::fail && same) {
      if (tried.size() <= smallest_) {
        smallest_ = tried.size();
        conviction_.failed = failures_here(record);
      }
      return Outcome::fail;
    }
    const auto taken = std::erase_if(tried, [&](auto member) { return trials_.is_declined(record, domain_[member]); });
    if (taken > 0) continue;
    // Another failure than the one that is searched for answers nothing here: it is tried again, and never sends the
    // search astray. Nor does a candidate that one guest takes and another does not.
    const bool astray = record.outcome == Outcome::fail || record.outcome == Outcome::skipped ||
                        std::ranges::count(record.installs, Outcome::skipped, &reports::InstallRecord::outcome) > 0;
    return astray ? Outcome::error : record.outcome;
  }
  return Outcome::pass;
}

}  // namespace patchlab::runners
