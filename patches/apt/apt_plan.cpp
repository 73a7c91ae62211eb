// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/apt_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "patches/deb/deb_file.hpp"
#include "patches/set/patch_set.hpp"

namespace patchlab::patches {
namespace {

using Indexes = std::set<std::size_t>;

AskedPackage asked(const CandidateFile& file) { return {file.package, file.version, file.architecture}; }

bool is_for_role(const Candidate& candidate, const std::string& role) {
  return candidate.roles.empty() || std::ranges::count(candidate.roles, role) > 0;
}

class Conversation {
 public:
  Conversation(Solver& solver, const std::vector<Candidate>& ordered, MachinePlan plan, const std::string& role,
               const ControlReader& control, std::stop_token stop)
      : solver_(solver), ordered_(ordered), control_(control), stop_(std::move(stop)) {
    answer_.plan = std::move(plan);
    files_.resize(ordered.size());
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      if (ordered[i].kind == "deb" && is_for_role(ordered[i], role)) offering_.insert(i);
      for (const auto& chosen : answer_.plan.candidates[i].files) files_[i].insert(place_of(i, chosen.name));
    }
  }

  Result<AptPlan> run() {
    if (std::ranges::all_of(files_, [](const auto& files) { return files.empty(); })) return std::move(answer_);
    Indexes open;
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      if (!files_[i].empty()) open.insert(i);
    }
    while (!open.empty()) {
      const auto i = *open.begin();
      open.erase(open.begin());
      PATCHLAB_ASSIGN(const auto grown, ask_for(i));
      for (const auto other : grown) open.insert(other);
    }
    PATCHLAB_TRY(ask_for_all());
    finish();
    return std::move(answer_);
  }

 private:
  [[nodiscard]] std::size_t place_of(std::size_t candidate, const std::string& name) const {
    const auto& files = ordered_[candidate].files;
    return static_cast<std::size_t>(std::ranges::find(files, name, &CandidateFile::name) - files.begin());
  }

  Result<std::vector<OfferedPackage>> offers_of(const Indexes& candidates) {
    std::vector<OfferedPackage> offers;
    for (const auto i : candidates) {
      for (const auto& file : ordered_[i].files) {
        PATCHLAB_ASSIGN(auto control, control_(file));
        offers.push_back({std::move(control), {file.name, file.sha256, file.bytes}});
      }
    }
    return offers;
  }

  Result<Solution> ask(const std::vector<AskedPackage>& packages, const Indexes& offering) {
    if (stop_.stop_requested()) return Error{ErrorClass::cancelled, "cancelled while apt was asked", {}};
    PATCHLAB_ASSIGN(const auto offers, offers_of(offering));
    PATCHLAB_ASSIGN(auto solution, solver_.install(packages, offers, stop_));
    if (!solution.removed.empty()) {
      std::vector<std::string> names;
      for (const auto& package : solution.removed) names.push_back(package.package);
      // Why it would go is said only when it is asked to stay.
      auto kept = packages;
      kept.insert(kept.end(), solution.removed.begin(), solution.removed.end());
      PATCHLAB_ASSIGN(const auto why, solver_.install(kept, offers, stop_));
      solution.refusal = fmt::format("apt would remove '{}'{}{}", fmt::join(names, "', '"),
                                     why.refusal.empty() ? "" : ": ", why.refusal);
    }
    return solution;
  }

  std::vector<AskedPackage> packages_of(std::size_t candidate) const {
    std::vector<AskedPackage> packages;
    for (const auto f : files_[candidate]) packages.push_back(asked(ordered_[candidate].files[f]));
    return packages;
  }

  // apt takes the installed packages of one source and version together, as soon as it can: in a set with them it would
  // not install this candidate without those others.
  Result<void> add_of_one_source(std::size_t i, Indexes& near) {
    PATCHLAB_ASSIGN(const auto own, sources_of(i));
    for (const auto other : offering_) {
      if (near.contains(other) || files_[other].empty()) continue;
      PATCHLAB_ASSIGN(const auto sources, sources_of(other));
      if (std::ranges::any_of(sources, [&](const auto& source) { return std::ranges::count(own, source) > 0; }))
        near.insert(other);
    }
    return {};
  }
  Result<std::vector<SourceName>> sources_of(std::size_t i) const {
    std::vector<SourceName> sources;
    for (const auto& file : ordered_[i].files) {
      PATCHLAB_ASSIGN(const auto control, control_(file));
      sources.push_back(source_of(control));
    }
    return sources;
  }

  // The candidates that got more files by the answer.
  Result<Indexes> ask_for(std::size_t i) {
    Indexes near{i};
    for (const auto& other : with_prerequisites(ordered_, {ordered_[i].id})) {
      const auto place =
          static_cast<std::size_t>(std::ranges::find(ordered_, other.id, &Candidate::id) - ordered_.begin());
      if (offering_.contains(place)) near.insert(place);
    }
    PATCHLAB_TRY(add_of_one_source(i, near));
    const auto packages = packages_of(i);
    PATCHLAB_ASSIGN(auto solution, ask(packages, near));
    if (!solution.refusal.empty() && near != offering_) {
      PATCHLAB_ASSIGN(auto wider, ask(packages, offering_));
      if (wider.refusal.empty()) solution = std::move(wider);
    }
    if (!solution.refusal.empty()) {
      answer_.refused[ordered_[i].id] = solution.refusal;
      return Indexes{};
    }
    Indexes grown;
    for (const auto& update : solution.installs) take(i, near, update, grown);
    return grown;
  }

  void take(std::size_t i, const Indexes& near, const AptUpdate& update, Indexes& grown) {
    const AskedPackage wanted{update.package, update.after, update.architecture};
    const auto in = [&](std::size_t candidate) {
      const auto& files = ordered_[candidate].files;
      const auto found = std::ranges::find_if(files, [&](const CandidateFile& file) { return asked(file) == wanted; });
      if (found == files.end()) return false;
      if (candidate != i) answer_.needs[ordered_[i].id].insert(ordered_[candidate].id);
      if (files_[candidate].insert(static_cast<std::size_t>(found - files.begin())).second && candidate != i)
        grown.insert(candidate);
      return true;
    };
    if (in(i)) return;
    for (const auto candidate : near) {
      if (candidate != i && in(candidate)) return;
    }
    for (const auto candidate : offering_) {
      if (candidate != i && !near.contains(candidate) && in(candidate)) return;
    }
  }

  [[nodiscard]] bool is_in(std::size_t i) const {
    return !files_[i].empty() && !answer_.refused.contains(ordered_[i].id);
  }

  // Each may be installed, and yet not with the others.
  Result<void> ask_for_all() {
    std::vector<AskedPackage> together;
    Indexes offering;
    std::size_t count = 0;
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      if (!is_in(i)) continue;
      ++count;
      offering.insert(i);
      std::ranges::move(packages_of(i), std::back_inserter(together));
    }
    if (count < 2) return {};
    PATCHLAB_ASSIGN(const auto all, ask(together, offering));
    if (all.refusal.empty()) return {};
    together.clear();
    offering.clear();
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      if (!is_in(i)) continue;
      auto more = together;
      auto wider = offering;
      wider.insert(i);
      // What it needs comes later in the order, and is judged there.
      for (const auto& id : needs_of(i)) {
        const auto place = static_cast<std::size_t>(std::ranges::find(ordered_, id, &Candidate::id) - ordered_.begin());
        if (is_in(place)) wider.insert(place);
      }
      std::ranges::move(packages_of(i), std::back_inserter(more));
      PATCHLAB_ASSIGN(const auto solution, ask(more, wider));
      if (!solution.refusal.empty()) {
        answer_.refused[ordered_[i].id] =
            fmt::format("it cannot be installed together with the candidates before it: {}", solution.refusal);
        continue;
      }
      together = std::move(more);
      offering = std::move(wider);
    }
    return {};
  }

  [[nodiscard]] std::set<std::string> needs_of(std::size_t i) const {
    const auto found = answer_.needs.find(ordered_[i].id);
    return found == answer_.needs.end() ? std::set<std::string>() : found->second;
  }

  void finish() {
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      auto& plan = answer_.plan.candidates[i];
      plan.files.clear();
      if (const auto refused = answer_.refused.find(ordered_[i].id); refused != answer_.refused.end()) {
        plan.skipped = refused->second;
        continue;
      }
      for (const auto f : files_[i]) plan.files.push_back(ordered_[i].files[f]);
    }
  }

  Solver& solver_;
  const std::vector<Candidate>& ordered_;
  const ControlReader& control_;
  std::stop_token stop_;
  AptPlan answer_;
  Indexes offering_;            // candidates whose files apt may take
  std::vector<Indexes> files_;  // by candidate: those that go onto the machine
};

}  // namespace

ControlReader control_from(const ContentStore& store) {
  auto known = std::make_shared<std::map<std::string, Stanza>>();
  return [&store, known](const CandidateFile& file) -> Result<Stanza> {
    if (const auto found = known->find(file.sha256); found != known->end()) return found->second;
    PATCHLAB_ASSIGN(auto control, control_of(store.path_of(file.sha256)));
    known->emplace(file.sha256, control);
    return control;
  };
}

Result<AptPlan> ask_apt(Solver& solver, const std::vector<Candidate>& ordered, MachinePlan plan,
                        const std::string& role, const ControlReader& control, std::stop_token stop) {
  return Conversation(solver, ordered, std::move(plan), role, control, std::move(stop)).run();
}

}  // namespace patchlab::patches
