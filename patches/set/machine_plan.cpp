// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/machine_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "patches/deb/relation.hpp"
#include "patches/deb/version.hpp"
#include "patches/msu/servicing_package.hpp"
#include "patches/set/patch_set.hpp"
#include "patches/windows/applicability.hpp"

namespace patchlab::patches {
namespace {

std::vector<Alternatives> dependencies_of(const CandidateFile& file) {
  std::vector<Alternatives> all;
  for (const auto* text : {&file.pre_depends, &file.depends}) {
    // A field that cannot be read is dpkg's to refuse; for the plan it asks for nothing.
    if (auto clauses = parse_dependencies(*text)) all.insert(all.end(), clauses->begin(), clauses->end());
  }
  return all;
}

std::string package_of(const std::string& key) { return key.substr(0, key.find(':')); }

// Builds the plan of one machine: first what is an update there, then what those updates need anew.
class Planner {
 public:
  Planner(const std::vector<Candidate>& ordered, const std::string& role, const InstalledSet& installed,
          const GuestSystem& system)
      : ordered_(ordered), role_(role), installed_(installed), system_(system) {
    for (const auto& [key, version] : installed) present_[package_of(key)] = version;
  }

  MachinePlan plan() {
    for (const auto& candidate : ordered_) select_updates(candidate);
    while (select_needed()) {
    }
    MachinePlan plan;
    for (std::size_t i = 0; i < ordered_.size(); ++i) plan.candidates.push_back(result_of(i));
    plan.unmet = unmet();
    return plan;
  }

 private:
  struct Selection {
    std::set<std::size_t> files;  // indices into the candidate's files
    std::set<std::string> reasons;
  };

  [[nodiscard]] bool role_allowed(const Candidate& candidate) const {
    return candidate.roles.empty() ||
           std::find(candidate.roles.begin(), candidate.roles.end(), role_) != candidate.roles.end();
  }

  // Another candidate of the set that supersedes this one and applies to this machine. One rule for both families: what
  // does not come here replaces nothing here.
  template <class Applies>
  [[nodiscard]] std::string superseded_by(const Candidate& candidate, Applies applies) const {
    for (const auto& other : ordered_) {
      if (supersedes(ordered_, other.id, candidate.id) && role_allowed(other) && applies(other)) return other.id;
    }
    return {};
  }

  // Debian: it ships the same package in a version that this machine would take.
  [[nodiscard]] bool updates(const Candidate& other, const CandidateFile& file) const {
    return std::any_of(other.files.begin(), other.files.end(), [&](const CandidateFile& f) {
      if (f.package != file.package || f.architecture != file.architecture) return false;
      const auto key = installed_key(installed_, f.package, f.architecture);
      return key && compare_versions(installed_.at(*key), f.version) < 0;
    });
  }

  void select_updates(const Candidate& candidate) {
    selections_.emplace_back();
    auto& selection = selections_.back();
    if (!role_allowed(candidate)) {
      selection.reasons.insert(fmt::format("is for {} machines only", fmt::join(candidate.roles, ", ")));
      return;
    }
    const auto& family = traits_of(system_.family);
    if (!family.takes(candidate.kind)) {
      const auto& families = guest_families();
      const auto of = std::ranges::find_if(families, [&](const auto& row) { return row.takes(candidate.kind); });
      selection.reasons.insert(fmt::format("is a {} package (.{}), the machine runs {}",
                                           of == families.end() ? "strange" : of->title, candidate.kind, family.title));
      return;
    }
    switch (system_.family) {
      case GuestFamily::debian: return select_debian(candidate, selection);
      case GuestFamily::windows: return select_windows(candidate, selection);
    }
  }

  void select_debian(const Candidate& candidate, Selection& selection) {
    for (std::size_t i = 0; i < candidate.files.size(); ++i) {
      const auto& file = candidate.files[i];
      const auto key = installed_key(installed_, file.package, file.architecture);
      if (!key) {
        selection.reasons.insert(fmt::format("'{}' is not installed", file.package));
      } else if (compare_versions(installed_.at(*key), file.version) >= 0) {
        selection.reasons.insert(
            fmt::format("'{}' is installed in version {} already", file.package, installed_.at(*key)));
      } else if (const auto newer = superseded_by(candidate, [&](const auto& other) { return updates(other, file); });
                 !newer.empty()) {
        selection.reasons.insert(fmt::format("is superseded by '{}'", newer));
      } else {
        choose(selection, file, i);
      }
    }
  }

  void select_windows(const Candidate& candidate, Selection& selection) {
    const MachineFacts machine{parse_nt_version(system_.version), system_.architecture, role_, std::nullopt};
    const auto newer = superseded_by(candidate, [&](const auto& other) { return fits_windows(other, machine); });
    if (!newer.empty()) {
      selection.reasons.insert(fmt::format("is superseded by '{}'", newer));
      return;
    }
    for (std::size_t i = 0; i < candidate.files.size(); ++i) {
      const auto answer = applicability(*candidate.files[i].windows, candidate.roles, machine);
      if (answer.applies())
        selection.files.insert(i);
      else
        selection.reasons.insert(answer.skipped);
    }
  }

  static bool fits_windows(const Candidate& candidate, const MachineFacts& machine) {
    return std::any_of(candidate.files.begin(), candidate.files.end(), [&](const CandidateFile& file) {
      return file.windows && applicability(*file.windows, candidate.roles, machine).applies();
    });
  }

  void choose(Selection& selection, const CandidateFile& file, std::size_t index) {
    selection.files.insert(index);
    present_[file.package] = file.version;
  }

  [[nodiscard]] bool satisfied(const Alternatives& clause) const {
    return std::any_of(clause.begin(), clause.end(), [&](const Dependency& dependency) {
      const auto found = present_.find(dependency.package);
      return found != present_.end() && fits(dependency, found->first, found->second);
    });
  }

  // The candidate itself and everything it names as prerequisite, through any number of steps.
  [[nodiscard]] std::set<std::string> reach_of(const Candidate& candidate) const {
    std::set<std::string> reach;
    for (const auto& other : with_prerequisites(ordered_, {candidate.id})) reach.insert(other.id);
    return reach;
  }

  bool select_for(const Alternatives& clause, const std::set<std::string>& reach) {
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      const auto& candidate = ordered_[i];
      if (reach.count(candidate.id) == 0 || !role_allowed(candidate) || candidate.kind != "deb") continue;
      for (std::size_t f = 0; f < candidate.files.size(); ++f) {
        const auto& file = candidate.files[f];
        const auto wanted = [&](const Dependency& d) { return fits(d, file.package, file.version); };
        if (selections_[i].files.count(f) != 0 || present_.count(file.package) != 0) continue;
        if (!std::any_of(clause.begin(), clause.end(), wanted)) continue;
        choose(selections_[i], file, f);
        return true;
      }
    }
    return false;
  }

  bool select_needed() {
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      const auto reach = reach_of(ordered_[i]);
      for (const auto f : std::set(selections_[i].files)) {
        for (const auto& clause : dependencies_of(ordered_[i].files[f])) {
          if (!satisfied(clause) && select_for(clause, reach)) return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] CandidatePlan result_of(std::size_t i) const {
    CandidatePlan plan{ordered_[i].id, {}, {}};
    for (const auto f : selections_[i].files) plan.files.push_back(ordered_[i].files[f]);
    if (plan.files.empty()) plan.skipped = fmt::format("{}", fmt::join(selections_[i].reasons, "; "));
    return plan;
  }

  // The servicing stack that an update needs, against the one that its owner says the machine has and those that come
  // before it. Where nobody says it, the guest will.
  [[nodiscard]] std::vector<std::string> unmet_stacks() const {
    std::vector<std::string> sentences;
    auto stack = system_.servicing_stack;
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      for (const auto f : selections_[i].files) {
        const auto& package = *ordered_[i].files[f].windows;
        if (!stack.empty() && is_newer_version(package.needs_servicing_stack, stack)) {
          sentences.push_back(fmt::format("'{}' needs servicing stack {}, the machine has {} when it comes to it",
                                          ordered_[i].id, package.needs_servicing_stack, stack));
        }
        if (!stack.empty() && is_newer_version(package.servicing_stack, stack)) stack = package.servicing_stack;
      }
    }
    return sentences;
  }

  // Only dependencies whose package is there in the wrong version: others may be met by virtual packages, which a list
  // of installed packages does not show.
  [[nodiscard]] std::vector<std::string> unmet() const {
    if (system_.family == GuestFamily::windows) return unmet_stacks();
    std::vector<std::string> sentences;
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      for (const auto f : selections_[i].files) {
        for (const auto& clause : dependencies_of(ordered_[i].files[f])) {
          const bool known = std::any_of(clause.begin(), clause.end(),
                                         [&](const Dependency& d) { return present_.count(d.package) != 0; });
          if (satisfied(clause) || !known) continue;
          sentences.push_back(fmt::format("{} needs {}", ordered_[i].files[f].package, to_string(clause.front())));
        }
      }
    }
    return sentences;
  }

  const std::vector<Candidate>& ordered_;
  const std::string& role_;
  const InstalledSet& installed_;
  const GuestSystem& system_;
  std::map<std::string, std::string> present_;  // package -> version, once everything selected is installed
  std::vector<Selection> selections_;           // one per candidate
};

}  // namespace

std::optional<std::string> installed_key(const InstalledSet& installed, const std::string& package,
                                         const std::string& architecture) {
  for (const auto& key : {package + ":" + architecture, package, package + ":all"}) {
    if (installed.count(key) != 0) return key;
  }
  if (architecture != "all") return std::nullopt;
  // A package that was built per architecture before and is not any more.
  const auto next = installed.lower_bound(package + ":");
  if (next != installed.end() && package_of(next->first) == package) return next->first;
  return std::nullopt;
}

std::vector<CandidateFile> MachinePlan::files() const {
  std::vector<CandidateFile> all;
  for (const auto& plan : candidates) all.insert(all.end(), plan.files.begin(), plan.files.end());
  return all;
}

std::vector<std::string> MachinePlan::file_names() const {
  std::vector<std::string> names;
  for (const auto& file : files()) names.push_back(file.name);
  return names;
}

bool MachinePlan::applies() const {
  return std::any_of(candidates.begin(), candidates.end(), [](const CandidatePlan& plan) { return plan.applies(); });
}

MachinePlan plan_machine(const std::vector<Candidate>& ordered, const std::string& role, const InstalledSet& installed,
                         const GuestSystem& system) {
  return Planner(ordered, role, installed, system).plan();
}

}  // namespace patchlab::patches
