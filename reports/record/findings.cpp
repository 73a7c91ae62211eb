// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "lab/core/digest.hpp"
#include "reports/record/anew.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

using checks::state::FindingClass;

constexpr std::size_t longest_item = 100;

std::string netstring(const std::string& text) { return fmt::format("{}:{},", text.size(), text); }

// What a shell takes as it stands; of anything else one "_" for all that stand together.
std::string shell_word(const std::string& text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:+=,-";
  std::string word;
  bool skipping = false;
  for (const char letter : text) {
    const bool is_plain = plain.find(letter) != std::string_view::npos;
    if (is_plain)
      word += letter;
    else if (!skipping)
      word += '_';
    skipping = !is_plain;
  }
  word.resize(std::min(word.size(), longest_item));
  return word;
}

bool are_same(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

void add_once(std::vector<std::string>& list, const std::string& value) {
  if (std::ranges::count(list, value) == 0) list.push_back(value);
}

// Those of a set that are for any of these machines.
std::vector<std::string> for_machines(const DepartmentRecord& department, const std::vector<std::string>& candidates,
                                      const std::vector<std::string>& machines) {
  std::vector<std::string> touching;
  for (const auto& id : candidates) {
    const auto* verdict = find_verdict(department, id);
    const auto is_there = [&](const auto& name) { return std::ranges::count(machines, name) > 0; };
    if (verdict != nullptr && std::ranges::any_of(verdict->machines, is_there)) touching.push_back(id);
  }
  return touching;
}

// A trial that reused another one's results has none of its own.
bool has_own_facts(const TrialRecord& trial) { return is_trial_of_a_set(trial) && trial.reused_from.empty(); }

bool is_of_set(const DepartmentRecord& department, const TrialRecord& trial,
               const std::vector<std::string>& candidates) {
  return are_same(trial.candidates, candidates) ||
         are_same(trial.candidates, for_machines(department, candidates, trial.machines));
}

// Whether a trial of the same set as this run installed it saw the same: then that one says what comes of it.
bool was_seen_again(const DepartmentRecord& department, const TrialRecord& lost, const std::string& key) {
  return std::ranges::any_of(department.trials, [&](const TrialRecord& other) {
    if (other.purpose == Purpose::removal || began_with_another_run(other) || !are_of_the_same_set(other, lost))
      return false;
    return std::ranges::any_of(other.phases, [&](const PhaseRecord& phase) {
      return std::ranges::any_of(phase.differences, [&](const StateDifference& difference) {
        return !difference.is_failure() && finding_key(phase.machine, difference) == key;
      });
    });
  });
}

class Collection {
 public:
  void add(const TrialRecord& trial) {
    add_if(trial, [](const auto&) { return true; });
  }
  template <class Counts>
  void add_if(const TrialRecord& trial, const Counts& counts) {
    for (const auto& phase : trial.phases) {
      for (const auto& difference : phase.differences) {
        if (!difference.is_failure() && counts(finding_key(phase.machine, difference))) add(trial, phase, difference);
      }
    }
  }
  [[nodiscard]] std::vector<Finding> findings() && {
    std::ranges::stable_sort(findings_, [](const Finding& a, const Finding& b) { return order_of(a) < order_of(b); });
    return std::move(findings_);
  }

 private:
  static std::tuple<std::string, FindingClass, std::string, std::string> order_of(const Finding& finding) {
    const auto& difference = finding.difference;
    return {finding.machine, difference.finding, difference.kind, difference.item};
  }
  void add(const TrialRecord& trial, const PhaseRecord& phase, const StateDifference& difference) {
    const auto key = finding_key(phase.machine, difference);
    auto known = std::ranges::find_if(findings_, [&](const Finding& one) { return one.key() == key; });
    if (known == findings_.end()) known = findings_.insert(known, {phase.machine, difference, {}, {}, {}});
    for (const auto& id : trial.candidates) add_once(known->candidates, id);
    add_once(known->phases, phase.phase);
    add_once(known->trials, trial.id);
  }

  std::vector<Finding> findings_;
};

}  // namespace

std::string finding_digest(const StateDifference& difference) {
  return sha256(netstring(difference.kind) + netstring(difference.item) + netstring(difference.before) +
                netstring(difference.after) + netstring(difference.diff));
}

std::string finding_name(const StateDifference& difference) {
  if (difference.is_failure()) return "state:" + difference.kind + ":" + difference.item;
  return fmt::format("{}:{}@{}", to_string(difference.finding), shell_word(difference.kind + ":" + difference.item),
                     finding_digest(difference));
}

std::string finding_key(const std::string& machine, const StateDifference& difference) {
  return machine + "/" + finding_name(difference);
}

bool is_no_failure(const std::string& outcome) {
  return checks::state::finding_class_from(outcome).value_or(FindingClass::breach) != FindingClass::breach;
}

std::string few_of(const std::vector<std::string>& candidates) {
  constexpr std::size_t few = 3;
  if (candidates.size() <= few + 1) return fmt::format("{}", fmt::join(candidates, ", "));
  return fmt::format("{} and {} more",
                     fmt::join(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(few), ", "),
                     candidates.size() - few);
}

std::vector<Finding> findings_of_set(const DepartmentRecord& department, const std::vector<std::string>& candidates) {
  Collection collection;
  if (candidates.empty()) return {};
  for (const auto& trial : department.trials) {
    if (!is_of_set(department, trial, candidates)) continue;
    if (has_own_facts(trial)) collection.add(trial);
    if (was_installed_anew(trial) && trial.purpose != Purpose::removal && trial.outcome != Outcome::error)
      collection.add_if(trial, [&](const auto& key) { return !was_seen_again(department, trial, key); });
  }
  return std::move(collection).findings();
}

std::vector<Finding> findings_of_other_sets(const DepartmentRecord& department,
                                            const std::vector<std::string>& candidates) {
  Collection collection;
  for (const auto& trial : department.trials) {
    if (has_own_facts(trial) && !is_of_set(department, trial, candidates)) collection.add(trial);
  }
  auto findings = std::move(collection).findings();
  std::set<std::string> told;
  for (const auto& finding : findings_of_set(department, candidates)) told.insert(finding.key());
  std::erase_if(findings, [&](const Finding& finding) { return told.contains(finding.key()); });
  return findings;
}

std::vector<std::string> set_in_question(const DepartmentRecord& department, const DecisionRecord& decision) {
  if (!decision.candidates.empty()) return decision.candidates;
  for (const auto& id : {decision.trial, department.final_trial}) {
    const auto* trial = id.empty() ? nullptr : find_trial(department, id);
    if (trial != nullptr) return trial->candidates;
  }
  std::vector<std::string> passed;
  for (const auto& verdict : department.verdicts) {
    if (verdict.outcome == Outcome::pass) passed.push_back(verdict.candidate);
  }
  return passed;
}

const RequirementRecord* requirement_of(const DecisionRecord& decision, const Finding& finding) {
  const auto name = finding_name(finding.difference);
  const auto found = std::ranges::find_if(decision.requirements, [&](const RequirementRecord& one) {
    const auto is = [&](const char* key, const std::string& value) {
      const auto about = one.about.find(key);
      return about != one.about.end() && about->second == value;
    };
    return one.code == "needs-decision" && is("machine", finding.machine) && is("check", name);
  });
  return found == decision.requirements.end() ? nullptr : &*found;
}

}  // namespace patchlab::reports
