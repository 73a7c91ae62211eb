// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/patch_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace patchlab::patches {
namespace {

using Ids = std::vector<std::string>;

bool holds(const Ids& ids, const std::string& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

const Candidate* by_id(const std::vector<Candidate>& candidates, const std::string& id) {
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.id == id; });
  return found == candidates.end() ? nullptr : &*found;
}

// Who fulfils the prerequisite `id`: the candidate itself, or one that supersedes it.
const Candidate* provider_of(const std::vector<Candidate>& candidates, const std::string& id) {
  if (const auto* itself = by_id(candidates, id)) return itself;
  const auto found =
      std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return holds(c.supersedes, id); });
  return found == candidates.end() ? nullptr : &*found;
}

void find_duplicate_ids(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  std::set<std::string> seen;
  for (const auto& candidate : candidates) {
    if (!seen.insert(candidate.id).second)
      problems.push_back(fmt::format("candidate id '{}' comes twice", candidate.id));
  }
}

void find_missing_prerequisites(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  for (const auto& candidate : candidates) {
    for (const auto& id : candidate.prerequisites) {
      if (provider_of(candidates, id) == nullptr) {
        problems.push_back(fmt::format("candidate '{}' needs '{}', which is not in the set", candidate.id, id));
      }
    }
  }
}

void find_package_conflicts(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (std::size_t j = i + 1; j < candidates.size(); ++j) {
      const auto& a = candidates[i];
      const auto& b = candidates[j];
      if (a.id == b.id || supersedes(candidates, a.id, b.id) || supersedes(candidates, b.id, a.id)) continue;
      Ids shared;
      for (const auto& file : a.files) {
        const auto same = [&](const CandidateFile& other) {
          return other.package == file.package && other.architecture == file.architecture;
        };
        if (std::any_of(b.files.begin(), b.files.end(), same)) shared.push_back(file.package);
      }
      if (!shared.empty()) {
        problems.push_back(
            fmt::format("candidates '{}' and '{}' both ship package '{}'; leave one out or let one supersede the other",
                        a.id, b.id, fmt::join(shared, "', '")));
      }
    }
  }
}

// One pass takes every candidate whose prerequisites are placed, first come first; what remains after a pass without
// progress is a circle.
std::vector<Candidate> topological(const std::vector<Candidate>& candidates, Ids& circle) {
  std::vector<Candidate> ordered;
  std::vector<const Candidate*> waiting;
  for (const auto& candidate : candidates) waiting.push_back(&candidate);
  while (!waiting.empty()) {
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const Candidate* candidate) {
      return std::all_of(candidate->prerequisites.begin(), candidate->prerequisites.end(), [&](const std::string& id) {
        const auto* provider = provider_of(candidates, id);
        return provider == nullptr || by_id(ordered, provider->id) != nullptr;
      });
    });
    if (ready == waiting.end()) break;
    ordered.push_back(**ready);
    waiting.erase(ready);
  }
  for (const auto* candidate : waiting) circle.push_back(candidate->id);
  return ordered;
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
  while (!open.empty()) {
    const auto* candidate = provider_of(all, open.back());
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
