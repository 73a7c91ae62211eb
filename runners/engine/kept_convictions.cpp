// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_convictions.hpp"

#include <algorithm>
#include <optional>

namespace patchlab::runners {
namespace {

using Asked = DepartmentTrials::Asked;
using Indexes = DepartmentTrials::Indexes;
using reports::Purpose;

Json note_of(const KeptConviction& conviction) {
  return {{"stability", conviction.stability == Stability::yes},
          {"question", conviction.question},
          {"group", conviction.group},
          {"beside", conviction.beside},
          {"failed", conviction.failed},
          {"explanation", conviction.explanation}};
}

std::optional<KeptConviction> read_note(const Json& json) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  KeptConviction conviction;
  conviction.stability = reader.boolean_or("stability", false) ? Stability::yes : Stability::no;
  conviction.question = reader.text("question");
  conviction.group = reader.texts_or_empty("group");
  const auto beside = reader.texts_or_empty("beside");
  conviction.beside = {beside.begin(), beside.end()};
  conviction.failed = reader.texts_or_empty("failed");
  conviction.explanation = reader.text("explanation");
  reader.finish();
  const bool blames = !conviction.group.empty() && !conviction.failed.empty();
  return problems.empty() && blames ? std::optional(std::move(conviction)) : std::nullopt;
}

// The key below which what was found on these machines is kept.
std::string place_of(const DepartmentTrials& trials, const std::vector<std::string>& machines) {
  return trials.key_of({Purpose::confirm, machines, {}, Stability::no});
}

bool touches(const PlannedCandidate& candidate, const std::vector<std::string>& machines) {
  return std::ranges::any_of(machines, [&](const auto& name) { return candidate.installs.contains(name); });
}

// Those on which a search may have gone on: each machine with what it depends on, and the whole department.
std::set<std::vector<std::string>> searched_machines(const DepartmentTrials& trials) {
  std::set<std::vector<std::string>> all;
  for (const auto& machine : trials.machines()) all.insert(trials.with_dependencies(machine));
  auto department = trials.machines();
  std::ranges::sort(department);
  all.insert(std::move(department));
  return all;
}

// The candidates of the set with these digests; nothing when one of them is not there.
std::optional<Indexes> find_all(const std::vector<PlannedCandidate>& candidates, const Indexes& set,
                                const std::vector<std::string>& digests) {
  Indexes found;
  for (const auto& digest : digests) {
    const auto place = std::ranges::find(set, digest, [&](auto index) { return candidates[index].digest; });
    if (place == set.end()) return std::nullopt;
    found.push_back(*place);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

KeptConvictions::KeptConvictions(KeptNotes::Place place, const Clock& clock, KeptNotes::Tell tell)
    : notes_({"conviction", "patchlab/conviction/v1"}, place, clock, std::move(tell)), most_age_(place.most_age) {}

std::vector<KeptConvictions::Known> KeptConvictions::known(const DepartmentTrials& trials, const Indexes& set) {
  const auto& candidates = trials.job().candidates;
  std::vector<Known> known;
  std::set<std::size_t> held;
  for (const auto& machines : searched_machines(trials)) {
    std::set<std::string> here;
    for (const auto index : set) {
      if (touches(candidates[index], machines)) here.insert(candidates[index].digest);
    }
    notes_.read(place_of(trials, machines), [&](const KeptNotes::Note& note) {
      const auto conviction = read_note(note.what);
      if (!conviction) return false;
      const auto culprits = find_all(candidates, set, conviction->group);
      if (!culprits || !std::ranges::includes(conviction->beside, here)) return true;
      if (std::ranges::any_of(*culprits, [&](auto index) { return held.contains(index); })) return true;
      if (trials.key_of({Purpose::confirm, machines, *culprits, conviction->stability}) != conviction->question)
        return true;
      held.insert(culprits->begin(), culprits->end());
      known.push_back(
          {*culprits, conviction->failed, conviction->explanation, note.run, note.kept, note.kept + most_age_});
      return true;
    });
  }
  return known;
}

void KeptConvictions::keep(const DepartmentTrials& trials, const std::vector<std::string>& machines,
                           Stability stability, const Indexes& culprits, const std::vector<std::string>& failed,
                           const std::string& explanation) {
  KeptConviction conviction{.stability = stability,
                            .question = trials.key_of({Purpose::confirm, machines, culprits, stability}),
                            .group = {},
                            .beside = {},
                            .failed = failed,
                            .explanation = explanation};
  const auto& candidates = trials.job().candidates;
  for (const auto index : culprits) conviction.group.push_back(candidates[index].digest);
  for (const auto& candidate : candidates) {
    if (touches(candidate, machines)) conviction.beside.insert(candidate.digest);
  }
  notes_.keep(place_of(trials, machines), trials.job().cell.department + "." + candidates[culprits.front()].id,
              note_of(conviction));
}

}  // namespace patchlab::runners
