// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/patch_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

namespace patchlab::patches {
namespace {

using Ids = std::vector<std::string>;

bool holds(const Ids& ids, const std::string& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

const Candidate* by_id(const std::vector<Candidate>& candidates, const std::string& id) {
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.id == id; });
  return found == candidates.end() ? nullptr : &*found;
}

// Who fulfils the prerequisite `id`: the candidate itself, or one that supersedes it. Made once for a set: sets of
// thousands are asked as often.
class Providers {
 public:
  explicit Providers(const std::vector<Candidate>& candidates) {
    for (const auto& candidate : candidates) by_id_.emplace(candidate.id, &candidate);
    for (const auto& candidate : candidates) {
      for (const auto& older : candidate.supersedes) superseding_[older].push_back(&candidate);
    }
  }
  [[nodiscard]] const Candidate* of(const std::string& id) const {
    if (const auto itself = by_id_.find(id); itself != by_id_.end()) return itself->second;
    const auto newer = superseding_.find(id);
    return newer == superseding_.end() ? nullptr : newer->second.front();
  }
  // Directly.
  [[nodiscard]] std::vector<const Candidate*> superseding(const std::string& id) const {
    const auto newer = superseding_.find(id);
    return newer == superseding_.end() ? std::vector<const Candidate*>{} : newer->second;
  }

 private:
  std::map<std::string, const Candidate*> by_id_;
  std::map<std::string, std::vector<const Candidate*>> superseding_;  // older id -> who supersedes it
};

void find_duplicate_ids(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  std::set<std::string> seen;
  for (const auto& candidate : candidates) {
    if (!seen.insert(candidate.id).second)
      problems.push_back(fmt::format("candidate id '{}' comes twice", candidate.id));
  }
}

void find_missing_prerequisites(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  const Providers providers(candidates);
  for (const auto& candidate : candidates) {
    for (const auto& id : candidate.prerequisites) {
      if (providers.of(id) == nullptr) {
        problems.push_back(fmt::format("candidate '{}' needs '{}', which is not in the set", candidate.id, id));
      }
    }
  }
}

void find_package_conflicts(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> shippers;  // package, architecture
  std::map<std::pair<std::size_t, std::size_t>, Ids> shared;
  for (std::size_t j = 0; j < candidates.size(); ++j) {
    for (const auto& file : candidates[j].files) {
      auto& earlier = shippers[{file.package, file.architecture}];
      for (const auto i : earlier) shared[{i, j}].push_back(file.package);
      if (earlier.empty() || earlier.back() != j) earlier.push_back(j);
    }
  }
  for (const auto& [pair, packages] : shared) {
    const auto& a = candidates[pair.first];
    const auto& b = candidates[pair.second];
    if (a.id == b.id || supersedes(candidates, a.id, b.id) || supersedes(candidates, b.id, a.id)) continue;
    problems.push_back(
        fmt::format("candidates '{}' and '{}' both ship package '{}'; leave one out or let one supersede the other",
                    a.id, b.id, fmt::join(packages, "', '")));
  }
}

enum class Replacements { first, ignored };

// Always the first candidate whose prerequisites are placed; what remains is a circle. On a machine where a superseding
// candidate replaces the prerequisite that one must come first as well.
std::vector<Candidate> topological(const std::vector<Candidate>& candidates, Replacements replacements, Ids& circle) {
  const Providers providers(candidates);
  std::map<std::string, std::vector<std::size_t>> waiting_for;  // id -> who cannot be placed before it
  std::vector<std::size_t> missing(candidates.size(), 0);
  std::set<std::size_t> ready;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    std::set<std::string> needed;
    for (const auto& id : candidates[i].prerequisites) {
      if (const auto* provider = providers.of(id)) needed.insert(provider->id);
      if (replacements == Replacements::ignored) continue;
      for (const auto* newer : providers.superseding(id)) needed.insert(newer->id);
    }
    for (const auto& id : needed) waiting_for[id].push_back(i);
    missing[i] = needed.size();
    if (needed.empty()) ready.insert(i);
  }
  std::vector<Candidate> ordered;
  while (!ready.empty()) {
    const auto next = *ready.begin();
    ready.erase(ready.begin());
    ordered.push_back(candidates[next]);
    for (const auto i : waiting_for[candidates[next].id]) {
      if (--missing[i] == 0) ready.insert(i);
    }
    waiting_for.erase(candidates[next].id);
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (missing[i] > 0) circle.push_back(candidates[i].id);
  }
  return ordered;
}

// A superseding candidate may itself need the one that waits for it: then the prerequisites alone decide.
std::vector<Candidate> topological(const std::vector<Candidate>& candidates, Ids& circle) {
  Ids with_replacements;
  auto ordered = topological(candidates, Replacements::first, with_replacements);
  return with_replacements.empty() ? ordered : topological(candidates, Replacements::ignored, circle);
}

}  // namespace

bool supersedes(const std::vector<Candidate>& candidates, const std::string& newer, const std::string& older) {
  std::set<std::string> seen;
  Ids open{newer};
  while (!open.empty()) {
    const std::string id = open.back();
    open.pop_back();
    if (!seen.insert(id).second) continue;
    const auto* candidate = by_id(candidates, id);
    if (candidate == nullptr) continue;
    if (holds(candidate->supersedes, older)) return true;
    open.insert(open.end(), candidate->supersedes.begin(), candidate->supersedes.end());
  }
  return false;
}

std::vector<const Candidate*> providers_of(const std::vector<Candidate>& candidates, const std::string& id) {
  std::vector<const Candidate*> providers;
  for (const auto& candidate : candidates) {
    if (candidate.id == id || supersedes(candidates, candidate.id, id)) providers.push_back(&candidate);
  }
  return providers;
}

std::vector<std::string> set_problems(const std::vector<Candidate>& candidates) {
  std::vector<std::string> problems;
  find_duplicate_ids(candidates, problems);
  find_missing_prerequisites(candidates, problems);
  Ids circle;
  (void)topological(candidates, circle);
  if (!circle.empty()) {
    problems.push_back(fmt::format("the prerequisites of '{}' go round in a circle", fmt::join(circle, "', '")));
  }
  find_package_conflicts(candidates, problems);
  return problems;
}

Result<std::vector<Candidate>> ordered_set(const std::vector<Candidate>& candidates) {
  if (const auto problems = set_problems(candidates); !problems.empty()) {
    return configuration_error(fmt::format("{}", fmt::join(problems, "\n")));
  }
  Ids circle;
  return topological(candidates, circle);
}

std::vector<Candidate> with_prerequisites(const std::vector<Candidate>& all, const std::vector<std::string>& ids) {
  std::set<std::string> wanted;
  Ids open = ids;
  const Providers providers(all);
  while (!open.empty()) {
    const auto* candidate = providers.of(open.back());
    open.pop_back();
    if (candidate == nullptr || !wanted.insert(candidate->id).second) continue;
    open.insert(open.end(), candidate->prerequisites.begin(), candidate->prerequisites.end());
  }
  std::vector<Candidate> chosen;
  for (const auto& candidate : all) {
    if (wanted.count(candidate.id) != 0) chosen.push_back(candidate);
  }
  return chosen;
}

}  // namespace patchlab::patches
