// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/patch_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "patches/msu/servicing_package.hpp"
#include "patches/windows/applicability.hpp"

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

// Nothing but one: a combined update, which brings the stack along, is none.
bool is_servicing_stack(const Candidate& candidate) {
  return !candidate.files.empty() &&
         std::all_of(candidate.files.begin(), candidate.files.end(), [](const CandidateFile& file) {
           if (!file.windows || file.windows->removable != "no") return false;
           return !file.windows->servicing_stack.empty() || file.package.find("ServicingStack") != std::string::npos;
         });
}

// By stated prerequisites, through any number of steps.
bool states_need_of(const Providers& providers, const Candidate& candidate, const std::string& id) {
  std::set<std::string> seen;
  Ids open = candidate.prerequisites;
  while (!open.empty()) {
    const auto* provider = providers.of(open.back());
    open.pop_back();
    if (provider == nullptr || !seen.insert(provider->id).second) continue;
    if (provider->id == id) return true;
    open.insert(open.end(), provider->prerequisites.begin(), provider->prerequisites.end());
  }
  return false;
}

// The candidates of a set that are servicing stacks, and which of them another one needs.
class Stacks {
 public:
  Stacks(const std::vector<Candidate>& candidates, const Providers& providers) : providers_(providers) {
    for (const auto& candidate : candidates) {
      if (is_servicing_stack(candidate)) stacks_.push_back(&candidate);
    }
  }
  [[nodiscard]] Ids needed_by(const Candidate& candidate) const {
    Ids found;
    for (const auto& file : candidate.files) {
      if (!file.windows || file.windows->needs_servicing_stack.empty()) continue;
      const auto brings_it = [&](const CandidateFile& other) {
        return other.architecture == file.architecture && share_a_release(*file.windows, *other.windows) &&
               !is_newer_version(file.windows->needs_servicing_stack, other.windows->servicing_stack);
      };
      for (const auto* stack : stacks_) {
        if (stack->id == candidate.id || std::none_of(stack->files.begin(), stack->files.end(), brings_it)) continue;
        if (states_need_of(providers_, *stack, candidate.id)) continue;
        if (!holds(found, stack->id)) found.push_back(stack->id);
        break;
      }
    }
    return found;
  }

 private:
  const Providers& providers_;
  std::vector<const Candidate*> stacks_;
};

// Stated prerequisites, and servicing stacks.
Ids needed_by(const Candidate& candidate, const Stacks& stacks) {
  auto needed = candidate.prerequisites;
  const auto more = stacks.needed_by(candidate);
  needed.insert(needed.end(), more.begin(), more.end());
  return needed;
}

// The same package for two architectures: a machine that has both takes both or none (Multi-Arch: same).
bool are_halves(const Candidate& a, const Candidate& b) {
  if (a.files.size() != 1 || b.files.size() != 1) return false;
  const auto& one = a.files.front();
  const auto& other = b.files.front();
  return !one.package.empty() && one.package == other.package && one.version == other.version &&
         one.architecture != other.architecture;
}

void find_duplicate_ids(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  std::map<std::string, const Candidate*> seen;
  for (const auto& candidate : candidates) {
    const auto [first, is_new] = seen.try_emplace(candidate.id, &candidate);
    if (is_new) continue;
    auto problem = fmt::format("candidate id '{}' comes twice", candidate.id);
    if (are_halves(*first->second, candidate)) {
      problem += fmt::format(
          ": '{}' and '{}' are the halves of one update; put both files into one folder and name that as the candidate",
          first->second->files.front().name, candidate.files.front().name);
    }
    problems.push_back(std::move(problem));
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
  // Only files with a common mark can be the same thing.
  std::map<std::string, std::vector<std::pair<std::size_t, const CandidateFile*>>> shippers;
  std::map<std::pair<std::size_t, std::size_t>, Ids> shared;
  for (std::size_t j = 0; j < candidates.size(); ++j) {
    for (const auto& file : candidates[j].files) {
      for (const auto& mark : shipping_marks(file)) {
        auto& earlier = shippers[mark];
        for (const auto& [i, other] : earlier) {
          if (i == j || !ship_the_same(*other, file)) continue;
          if (auto& packages = shared[{i, j}]; !holds(packages, file.package)) packages.push_back(file.package);
        }
        earlier.emplace_back(j, &file);
      }
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

// Always the first candidate whose prerequisites are placed, servicing stacks before others: what comes after one may
// need it without saying so. What remains is a circle. On a machine where a superseding candidate replaces the
// prerequisite that one must come first as well.
std::vector<Candidate> topological(const std::vector<Candidate>& candidates, Replacements replacements, Ids& circle) {
  const Providers providers(candidates);
  const Stacks stacks(candidates, providers);
  std::map<std::string, std::vector<std::size_t>> waiting_for;  // id -> who cannot be placed before it
  std::vector<std::size_t> missing(candidates.size(), 0);
  std::set<std::pair<bool, std::size_t>> ready;  // no servicing stack, place
  const auto is_ready = [&](std::size_t i) { ready.emplace(!is_servicing_stack(candidates[i]), i); };
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    std::set<std::string> needed;
    for (const auto& id : needed_by(candidates[i], stacks)) {
      if (const auto* provider = providers.of(id)) needed.insert(provider->id);
      if (replacements == Replacements::ignored) continue;
      for (const auto* newer : providers.superseding(id)) needed.insert(newer->id);
    }
    for (const auto& id : needed) waiting_for[id].push_back(i);
    missing[i] = needed.size();
    if (needed.empty()) is_ready(i);
  }
  std::vector<Candidate> ordered;
  while (!ready.empty()) {
    const auto next = ready.begin()->second;
    ready.erase(ready.begin());
    ordered.push_back(candidates[next]);
    for (const auto i : waiting_for[candidates[next].id]) {
      if (--missing[i] == 0) is_ready(i);
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

std::vector<std::string> servicing_stacks_for(const std::vector<Candidate>& candidates, const Candidate& candidate) {
  const Providers providers(candidates);
  return Stacks(candidates, providers).needed_by(candidate);
}

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
  const Stacks stacks(all, providers);
  while (!open.empty()) {
    const auto* candidate = providers.of(open.back());
    open.pop_back();
    if (candidate == nullptr || !wanted.insert(candidate->id).second) continue;
    const auto needed = needed_by(*candidate, stacks);
    open.insert(open.end(), needed.begin(), needed.end());
  }
  std::vector<Candidate> chosen;
  for (const auto& candidate : all) {
    if (wanted.count(candidate.id) != 0) chosen.push_back(candidate);
  }
  return chosen;
}

}  // namespace patchlab::patches
