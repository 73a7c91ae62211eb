// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/machine_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "patches/deb/version.hpp"
#include "patches/msu/servicing_package.hpp"
#include "patches/set/patch_set.hpp"
#include "patches/windows/applicability.hpp"

namespace patchlab::patches {
namespace {

std::string package_of(const std::string& key) { return key.substr(0, key.find(':')); }

// Builds the plan of one machine: what is an update there.
class Planner {
 public:
  Planner(const std::vector<Candidate>& ordered, const std::string& role, const InstalledSet& installed,
          const GuestSystem& system)
      : ordered_(ordered), role_(role), installed_(installed), system_(system) {
    for (const auto& [key, version] : installed) {
      const auto colon = key.find(':');
      if (colon != std::string::npos && key.substr(colon + 1) != "all") architectures_.insert(key.substr(colon + 1));
    }
  }

  MachinePlan plan() {
    for (const auto& candidate : ordered_) select_updates(candidate);
    MachinePlan plan;
    for (std::size_t i = 0; i < ordered_.size(); ++i) plan.candidates.push_back(result_of(i));
    if (system_.family == GuestFamily::windows) plan.unmet = unmet_stacks();
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
      if (file.architecture != "all" && !architectures_.empty() && architectures_.count(file.architecture) == 0) {
        selection.reasons.insert(fmt::format("'{}' is for {}, the machine is {}", file.package, file.architecture,
                                             fmt::join(architectures_, " and ")));
      } else if (!key) {
        selection.reasons.insert(fmt::format("'{}' is not installed", file.package));
      } else if (compare_versions(installed_.at(*key), file.version) >= 0) {
        selection.reasons.insert(
            fmt::format("'{}' is installed in version {} already", file.package, installed_.at(*key)));
      } else if (const auto newer = superseded_by(candidate, [&](const auto& other) { return updates(other, file); });
                 !newer.empty()) {
        selection.reasons.insert(fmt::format("is superseded by '{}'", newer));
      } else {
        selection.files.insert(i);
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

  const std::vector<Candidate>& ordered_;
  const std::string& role_;
  const InstalledSet& installed_;
  const GuestSystem& system_;
  std::set<std::string> architectures_;  // of what is installed
  std::vector<Selection> selections_;    // one per candidate
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
