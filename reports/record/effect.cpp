// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/effect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "checks/state/rules.hpp"
#include "lab/core/debian_version.hpp"
#include "reports/record/findings.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

// Of an update of Windows that a newer one took the place of: what it brought is there.
constexpr const char* superseded = "superseded";

// Whether `there` is what is wanted, or newer. A package that is to be gone is not there.
bool is_there(const std::string& wanted, const std::string& there) {
  if (wanted.empty() || there.empty()) return wanted == there;
  if (wanted == "installed") return there == wanted || there == superseded;  // a state has no order
  return is_at_least(there, wanted);
}

std::string shown(const std::string& version) { return version.empty() ? "not there" : version; }

std::string change(const BroughtRecord& brought) {
  return fmt::format("{} {} -> {}", brought.item, shown(brought.before), shown(brought.found.value_or("")));
}

std::string missing(const BroughtRecord& brought) {
  const auto& found = *brought.found;
  const char* still = found == brought.before ? "still " : "";
  return fmt::format("{} is {}{}, and it brings {}", brought.item, still, shown(found), shown(brought.wanted));
}

const char* words_for(Effect effect) {
  switch (effect) {
    case Effect::in_effect: return "In effect";
    case Effect::not_in_effect: return "Not in effect";
    case Effect::changed_nothing: return "Changed nothing";
    case Effect::not_seen: return "Whether it is in effect was not seen";
  }
  return "";
}

}  // namespace

EffectSeen effect_of(const InstallRecord& install) {
  if (!install.brought) return {Effect::not_seen, "what it brings is not on record"};
  const auto& all = *install.brought;
  if (all.empty())
    return {Effect::changed_nothing, "it does not say what it brings, and nothing that is listed as installed changed"};
  if (std::ranges::any_of(all, [](const auto& one) { return !one.found; }))
    return {Effect::not_seen, "nobody looked at what is installed after it"};
  std::vector<std::string> changed;
  std::vector<std::string> lacking;
  for (const auto& one : all) {
    if (!is_there(one.wanted, *one.found))
      lacking.push_back(missing(one));
    else if (!is_there(one.wanted, one.before))
      changed.push_back(change(one));
  }
  if (!lacking.empty()) return {Effect::not_in_effect, few_of(lacking)};
  if (!changed.empty()) return {Effect::in_effect, few_of(changed)};
  std::vector<std::string> before;
  for (const auto& one : all) before.push_back(fmt::format("{} {}", one.item, shown(one.before)));
  return {Effect::changed_nothing, "all that it brings was there before: " + few_of(before)};
}

std::optional<StateDifference> finding_of(const InstallRecord& install) {
  if (install.outcome != Outcome::pass) return std::nullopt;
  const auto seen = effect_of(install);
  if (seen.effect != Effect::changed_nothing) return std::nullopt;
  return checks::state::classified({"brought", install.candidate, "something that was not there", seen.says});
}

std::string effect_sentence(const TrialRecord& trial, const std::string& candidate) {
  struct Group {
    EffectSeen seen;
    std::vector<std::string> machines;
  };
  std::vector<Group> groups;
  for (const auto& install : trial.installs) {
    if (install.candidate != candidate || install.outcome != Outcome::pass) continue;
    auto seen = effect_of(install);
    const auto same = std::ranges::find_if(
        groups, [&](const Group& group) { return group.seen.effect == seen.effect && group.seen.says == seen.says; });
    if (same == groups.end())
      groups.push_back({std::move(seen), {install.machine}});
    else
      same->machines.push_back(install.machine);
  }
  constexpr auto rank = [](const Group& group) {
    switch (group.seen.effect) {
      case Effect::not_in_effect: return 0;
      case Effect::changed_nothing: return 1;
      case Effect::not_seen: return 2;
      case Effect::in_effect: return 3;
    }
    return 0;
  };
  std::ranges::stable_sort(groups, {}, rank);
  std::vector<std::string> sentences;
  for (const auto& group : groups) {
    sentences.push_back(
        fmt::format("{} on {}: {}", words_for(group.seen.effect), few_of(group.machines), group.seen.says));
  }
  return fmt::format("{}", fmt::join(sentences, ". "));
}

void look_at_closes(const DepartmentRecord& department, const std::string& candidate,
                    std::vector<ClosesRecord>& closes) {
  const auto* trial = find_trial(department, department.final_trial);
  const auto* facts = trial == nullptr ? nullptr : facts_of(department, *trial);
  if (facts == nullptr) return;
  for (auto& one : closes) {
    const bool names_none = one.needs.empty();
    std::map<std::string, std::optional<std::string>> seen;  // of all candidates of the set
    for (const auto& install : facts->installs) {
      if (install.machine != one.machine || install.outcome != Outcome::pass || !install.brought) continue;
      for (const auto& brought : *install.brought) {
        seen[brought.item] = brought.found;
        if (names_none && install.candidate == candidate) one.needs.push_back({brought.item, brought.wanted});
      }
    }
    for (auto& need : one.needs) {
      // dpkg lists a package without its architecture, unless several can be installed beside each other.
      for (const auto& name : {need.package, need.package.substr(0, need.package.rfind(':'))}) {
        const auto found = seen.find(name);
        if (found == seen.end()) continue;
        need.found = found->second;
        break;
      }
    }
  }
}

std::string closes_sentence(const std::vector<ClosesRecord>& closes) {
  enum class State { open, not_seen, closed };
  const auto state_of = [](const ClosesRecord& one) {
    const auto unseen = [](const auto& need) { return !need.found; };
    if (one.needs.empty() || std::ranges::any_of(one.needs, unseen)) return State::not_seen;
    const auto there = [](const auto& need) { return is_there(need.version, *need.found); };
    return std::ranges::all_of(one.needs, there) ? State::closed : State::open;
  };
  std::map<State, std::map<std::vector<std::string>, std::vector<std::string>>> by_state;  // to machines
  for (const auto& one : closes) by_state[state_of(one)][one.vulnerabilities].push_back(one.machine);
  std::vector<std::string> sentences;
  for (const auto& [state, all] : by_state) {
    const char* words = state == State::open       ? "Does not close"
                        : state == State::not_seen ? "Nobody saw whether it closes"
                                                   : "Closes";
    for (const auto& [vulnerabilities, machines] : all) {
      auto names = vulnerabilities;
      std::ranges::replace(names, std::string(), std::string("what nobody could name"));
      sentences.push_back(fmt::format("{} {} on {}", words, few_of(names), few_of(machines)));
    }
  }
  if (sentences.empty()) return "The scan names no vulnerability that it closes";
  return fmt::format("{}", fmt::join(sentences, ". "));
}

std::vector<EffectLine> effect_lines(const RunRecord& record) {
  std::vector<EffectLine> lines;
  for (const auto& candidate : record.candidates) {
    const auto first = lines.size();
    for (const auto& department : record.departments) {
      const auto* verdict = find_verdict(department, candidate.id);
      if (verdict == nullptr || verdict->effect.empty()) continue;
      const auto same = std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end(),
                                     [&](const EffectLine& line) { return line.sentence == verdict->effect; });
      if (same == lines.end())
        lines.push_back({candidate.id, {department.name}, verdict->effect});
      else
        same->departments.push_back(department.name);
    }
  }
  return lines;
}

}  // namespace patchlab::reports
