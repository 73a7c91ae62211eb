// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/remarks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

constexpr std::size_t most_places = 3;  // named in a sentence; the record has all

std::string sentence(const FlakyCheck& flaky) {
  const auto shown = std::min(flaky.places.size(), most_places);
  const auto last = flaky.places.begin() + static_cast<std::ptrdiff_t>(shown);
  auto places = fmt::format("{}", fmt::join(flaky.places.begin(), last, ", "));
  if (flaky.places.size() > shown) places += fmt::format(" and {} more", flaky.places.size() - shown);
  return fmt::format("flaky: {} failed in {} of {} tries in {}; {}", check_key(flaky.machine, flaky.check),
                     flaky.failures, flaky.tries, places,
                     flaky.without_patch ? "without any patch as well" : "without a patch it was steady");
}

std::string sentence(const UnjudgedSlowness& unjudged) {
  return fmt::format(
      "not judged: whether {} became slower: {}",
      fmt::format("{}/{}", unjudged.machine, fmt::join(unjudged.checks, fmt::format(", {}/", unjudged.machine))),
      unjudged.why);
}

template <class Visit>
void for_each_check(const std::vector<TrialRecord>& trials, Visit visit) {
  for (const auto& trial : trials) {
    for (const auto& phase : trial.phases) {
      for (const auto& check : phase.checks) visit(trial, phase, check);
    }
  }
}

}  // namespace

std::vector<FlakyCheck> flaky_checks(const DepartmentRecord& department) {
  std::map<std::pair<std::string, std::string>, FlakyCheck> found;
  for_each_check(department.trials, [&](const auto& trial, const auto& phase, const auto& check) {
    if (!checks::is_flaky(check)) return;
    auto& flaky = found[{phase.machine, check.id}];
    flaky.machine = phase.machine;
    flaky.check = check.id;
    flaky.failures += checks::count_tries(check, Outcome::fail);
    flaky.tries += check.tries.size();
    flaky.without_patch = flaky.without_patch || trial.candidates.empty();
    flaky.places.push_back(trial.id + " " + phase.phase);
  });
  std::vector<FlakyCheck> list;
  for (auto& [key, flaky] : found) list.push_back(std::move(flaky));
  return list;
}

std::vector<std::string> flaky_since_patched(const std::vector<TrialRecord>& trials, const TrialRecord& trial) {
  std::set<std::string> keys;
  std::set<std::string> by_themselves;
  for_each_check(trials, [&](const auto& other, const auto& phase, const auto& check) {
    if (!checks::is_flaky(check)) return;
    const auto key = check_key(phase.machine, check.id);
    if (other.candidates.empty())
      by_themselves.insert(key);
    else if (other.id == trial.id)
      keys.insert(key);
  });
  std::erase_if(keys, [&](const auto& key) { return by_themselves.contains(key); });
  return {keys.begin(), keys.end()};
}

std::vector<UnjudgedSlowness> unjudged_slowness(const DepartmentRecord& department) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> found;
  for_each_check(department.trials, [&](const auto& /*trial*/, const auto& phase, const auto& check) {
    if (check.slowness && !check.slowness->judged) found[{phase.machine, check.slowness->why_not}].insert(check.id);
  });
  std::vector<UnjudgedSlowness> list;
  for (const auto& [key, ids] : found) list.push_back({key.first, {ids.begin(), ids.end()}, key.second});
  return list;
}

std::vector<UnjudgedGrowth> unjudged_growth(const DepartmentRecord& department) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto& trial : department.trials) {
    for (const auto& phase : trial.phases) {
      if (phase.growth && phase.growth->planned > 0 && !phase.growth->why_not.empty())
        found[phase.growth->why_not].insert(phase.machine);
    }
  }
  std::vector<UnjudgedGrowth> list;
  for (const auto& [why, machines] : found) list.push_back({{machines.begin(), machines.end()}, why});
  return list;
}

std::vector<std::string> remarks(const DepartmentRecord& department) {
  std::vector<std::string> sentences;
  for (const auto& flaky : flaky_checks(department)) sentences.push_back(sentence(flaky));
  for (const auto& unjudged : unjudged_slowness(department)) sentences.push_back(sentence(unjudged));
  std::map<std::string, std::set<std::string>> without_patch;  // phases by fact
  for (const auto& trial : department.trials) {
    for (const auto& phase : trial.phases) {
      for (const auto& [fact, seen] : phase.fails_without_patch)
        without_patch[phase.machine + "/" + fact].insert(phase.phase);
    }
  }
  for (const auto& [fact, phases] : without_patch)
    sentences.push_back(
        fmt::format("not judged: {} at {}: it fails there without any patch as well", fact, fmt::join(phases, ", ")));
  std::map<std::string, std::set<std::string>> not_asked;  // machines by what was not done there, and why
  for (const auto& trial : department.trials) {
    for (const auto& phase : trial.phases) {
      if (phase.next_package && !phase.next_package->install)
        not_asked["no package was installed behind the set: " + phase.next_package->why_not].insert(phase.machine);
      if (!phase.service_cycles) continue;
      if (phase.service_cycles->services.empty())
        not_asked["no service was stopped and started: the role names none"].insert(phase.machine);
      for (const auto& service : phase.service_cycles->services) {
        if (!service.why_not.empty())
          not_asked[fmt::format("'{}' was not stopped and started: {}", service.name, service.why_not)].insert(
              phase.machine);
      }
    }
  }
  for (const auto& [what, machines] : not_asked)
    sentences.push_back(fmt::format("not asked on {}: {}", fmt::join(machines, ", "), what));
  for (const auto& unjudged : unjudged_growth(department))
    sentences.push_back(
        fmt::format("not judged: whether anything grows on {}: {}", fmt::join(unjudged.machines, ", "), unjudged.why));
  return sentences;
}

}  // namespace patchlab::reports
