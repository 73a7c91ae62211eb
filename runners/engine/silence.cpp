// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/silence.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/record/anew.hpp"
#include "reports/record/queries.hpp"
#include "runners/cell/cell.hpp"

namespace patchlab::runners {
namespace {

using reports::InstallRecord;
using reports::PhaseRecord;
using reports::TrialRecord;

reports::StateDifference agent_difference(std::string after = {}) {
  return {"agent", "guest agent", "answers", std::move(after)};
}

bool is_silent(const PhaseRecord& phase) { return phase.error && phase.error->error_class == ErrorClass::silent; }
bool is_silent(const InstallRecord& install) {
  return install.outcome == Outcome::error && install.end == to_string(ErrorClass::silent);
}

}  // namespace

std::set<std::string> silent_machines(const TrialRecord& trial) {
  std::set<std::string> machines;
  for (const auto& phase : trial.phases) {
    if (is_silent(phase)) machines.insert(phase.machine);
  }
  for (const auto* installs : {&trial.installs, &trial.removals}) {
    for (const auto& install : *installs) {
      if (is_silent(install)) machines.insert(install.machine);
    }
  }
  return machines;
}

std::size_t least_retries(const TrialRecord& trial) {
  return trial.error && trial.error->error_class == ErrorClass::silent && !trial.candidates.empty() ? 1 : 0;
}

std::map<std::string, std::vector<std::string>> silent_again(const TrialRecord& anew,
                                                             const std::vector<TrialRecord>& trials) {
  std::map<std::string, std::vector<std::string>> seen;
  for (const auto& machine : silent_machines(anew)) {
    const auto fact = reports::difference_key(machine, agent_difference());
    std::vector<std::string> both{anew.id};
    bool is_explained = false;  // silent without any patch, or seen as a failure in this night
    for (const auto& other : trials) {
      if (reports::began_with_another_run(other)) continue;
      const bool same = reports::are_of_the_same_set(other, anew);
      const bool is_silent_there = silent_machines(other).contains(machine);
      is_explained = is_explained || (other.candidates.empty() && is_silent_there) ||
                     (same && std::ranges::count(other.signature, fact) > 0);
      if (same && is_silent_there) both.push_back(other.id);
    }
    if (both.size() > 1 && !is_explained) seen[fact] = both;
  }
  return seen;
}

void count_repeated_silence(TrialRecord& trial, const std::vector<TrialRecord>& earlier) {
  if (trial.candidates.empty()) return;
  std::set<std::string> by_itself;  // silent without any patch
  std::map<std::string, std::string> seen_in;
  for (const auto& other : earlier) {
    if (reports::began_with_another_run(other)) continue;  // this set was not installed tonight then
    const bool same = other.set_digest == trial.set_digest && other.candidates == trial.candidates &&
                      other.machines == trial.machines && other.id != trial.id;
    for (const auto& machine : silent_machines(other)) {
      if (other.candidates.empty())
        by_itself.insert(machine);
      else if (same)
        seen_in.emplace(machine, other.id);
    }
  }
  std::set<std::string> counted;
  for (const auto& machine : silent_machines(trial)) {
    if (seen_in.contains(machine) && !by_itself.contains(machine)) counted.insert(machine);
  }
  if (counted.empty()) return;
  const auto sentence = [&](const std::string& machine, const std::string& message) {
    return fmt::format("silent, as in '{}': {}", seen_in.at(machine), message);
  };
  for (auto& phase : trial.phases) {
    if (!is_silent(phase) || !counted.contains(phase.machine)) continue;
    phase.differences.push_back(agent_difference(sentence(phase.machine, phase.error->message)));
    phase.error.reset();
    phase.outcome = cell::machine_outcome(phase);
  }
  for (auto* installs : {&trial.installs, &trial.removals}) {
    for (auto& install : *installs) {
      if (!is_silent(install) || !counted.contains(install.machine)) continue;
      install.outcome = Outcome::fail;
      install.log += fmt::format(" (silent in '{}', too)", seen_in.at(install.machine));
    }
  }
  if (trial.error && trial.error->error_class == ErrorClass::silent && silent_machines(trial).empty())
    trial.error.reset();
  cell::conclude(trial);
}

}  // namespace patchlab::runners
