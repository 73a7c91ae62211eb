// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/forecast/foresight.hpp"

#include <algorithm>
#include <mutex>
#include <tuple>

#include "reports/record/queries.hpp"
#include "runners/cell/trial_course.hpp"
#include "runners/engine/department.hpp"
#include "runners/engine/memo_key.hpp"

namespace patchlab::runners::forecast {
namespace {

using reports::Purpose;
using reports::TrialRecord;

// In which nothing takes any time.
class NoTime final : public Clock {
 public:
  [[nodiscard]] Milliseconds now() const override { return Milliseconds{0}; }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return {}; }
  void pause(Milliseconds) override {}
};

// Answers at once, and notes what it was asked. Searches on several machines ask from several threads.
class NotingCell final : public cell::CellClient {
 public:
  NotingCell(const DepartmentJob& job, const std::set<std::string>& bad) : job_(job), bad_(bad) {
    for (std::size_t i = 0; i < job.cell.machines.size(); ++i) machine_[job.cell.machines[i].plan.name] = i;
    for (std::size_t i = 0; i < job.candidates.size(); ++i) candidate_[job.candidates[i].id] = i;
  }

  Result<TrialRecord> prepare(const cell::CellJob& job) override {
    return TrialRecord{.id = job.department + "/baseline", .purpose = Purpose::baseline, .outcome = Outcome::pass};
  }
  Result<TrialRecord> run_trial(const cell::TrialJob& job) override {
    TrialRecord record{.id = job.id,
                       .purpose = job.purpose,
                       .candidates = job.candidates,
                       .set_digest = job.set_digest,
                       .machines = job.machines,
                       .outcome = Outcome::pass};
    auto trial = noted(job);
    for (const auto& on : trial.machines) {
      if (!on.fails) continue;
      record.outcome = Outcome::fail;
      record.signature.push_back(job_.cell.machines[on.machine].plan.name + "/works");
    }
    for (const auto& [machine, installs] : job.installs) {
      if (job.purpose != Purpose::removal) break;
      for (const auto& install : installs)
        record.removals.push_back({.machine = machine, .candidate = install.candidate, .outcome = Outcome::pass});
    }
    const std::lock_guard lock(mutex_);
    if (!trial.key.empty()) trial.key += fmt::format("/{}", asked_[trial.key]++);
    const bool whole = job.machines.size() == machine_.size();
    if (whole) ++round_;
    trials_.push_back({round_, job.machines, std::move(trial)});
    if (whole) ++round_;
    return record;
  }
  Result<void> probe_fence(const std::string&) override { return {}; }
  void close() override {}

  // Searches side by side have no order; theirs is by their machines.
  [[nodiscard]] std::vector<ForeseenTrial> take() {
    std::ranges::stable_sort(trials_, [](const auto& a, const auto& b) {
      return std::tie(a.round, a.machines) < std::tie(b.round, b.machines);
    });
    std::vector<ForeseenTrial> trials;
    for (auto& noted : trials_) trials.push_back(std::move(noted.trial));
    return trials;
  }

 private:
  struct Noted {
    std::size_t round;
    std::vector<std::string> machines;
    ForeseenTrial trial;
  };

  ForeseenTrial noted(const cell::TrialJob& job) const {
    ForeseenTrial trial{.purpose = job.purpose, .phases = {}, .machines = {}, .key = {}};
    std::set<std::string> restarted;
    bool fails = false;
    for (const auto& name : job.machines) {
      const auto place = machine_.at(name);
      OnMachine on{.machine = place, .installs = {}, .looked_at = {}};
      on.packages = cell::work_on(job, name);
      on.may_use_installs = cell::may_use_installs(job, job_.cell.machines[place].plan);
      on.is_restarted = cell::is_restarted(job, name);
      if (on.is_restarted) restarted.insert(name);
      if (const auto installs = job.installs.find(name); installs != job.installs.end()) {
        for (const auto& install : installs->second) {
          on.installs.push_back(candidate_.at(install.candidate));
          on.fails = on.fails || (job.purpose != Purpose::removal && bad_.contains(install.candidate));
        }
      }
      fails = fails || on.fails;
      trial.machines.push_back(std::move(on));
    }
    const bool whole = job.machines.size() == machine_.size();
    for (const auto& phase : cell::phases_of(job, job_.cell.policy)) {
      const bool first = trial.phases.empty();
      if (!first && fails && job.stop_at_first_failure) break;
      trial.phases.push_back(phase);
      const bool at_rest = phase == reports::after_install_phase || phase == reports::after_removal_phase ||
                           reports::is_clock_phase(phase);
      for (auto& on : trial.machines) {
        const bool lost = !first && on.fails && !cell::sees_all(job.purpose);
        on.looked_at.push_back(!lost &&
                               (at_rest || cell::is_concerned(job_.cell.machines[on.machine].plan, restarted, whole)));
      }
    }
    if (job.purpose == Purpose::search || job.purpose == Purpose::confirm) trial.key = memo_key(job_.cell, job);
    return trial;
  }

  const DepartmentJob& job_;
  const std::set<std::string>& bad_;
  std::map<std::string, std::size_t> machine_, candidate_;
  std::mutex mutex_;
  std::map<std::string, std::size_t> asked_;  // questions, so often
  std::size_t round_ = 0;
  std::vector<Noted> trials_;
};

// Without what says only which department it is, or where on the host something lies.
DepartmentJob as_it_is_run(const DepartmentJob& job) {
  DepartmentJob same;
  same.cell = job.cell;
  same.candidates = job.candidates;
  same.medium = [](const std::string&, const std::vector<std::size_t>&) -> Result<std::filesystem::path> {
    return std::filesystem::path();
  };
  same.cell.department = "d";
  for (auto& machine : same.cell.machines) machine.shipped.clear();  // what packages bring: alike with their digests
  return same;
}

// Two jobs with the same one come to the same trials.
std::string likeness(const DepartmentJob& job, bool with_questions) {
  auto text = Json(job.cell.policy).dump();
  std::map<std::string, std::size_t> place;
  for (const auto& machine : job.cell.machines) {
    const auto& plan = machine.plan;
    place.emplace(plan.name, place.size());
    text += fmt::format("\n{} {} {} {} {}", plan.name, plan.role, plan.memory_mib, to_string(machine.system.family),
                        machine.golden_digest);
    for (const auto& needed : plan.depends_on) text += " " + needed;
    if (!with_questions) continue;
    text += fmt::format(" {} {}", plan.address, job.cell.network.subnet);
    for (const auto& check : plan.checks)
      text += fmt::format(" {} {} {}", check.id, check.kind, check.parameters.dump());
  }
  for (const auto& candidate : job.candidates) {
    if (candidate.installs.empty()) continue;
    text += "\n" + candidate.id + " " + candidate.digest;
    for (const auto needed : candidate.prerequisites) text += fmt::format(" {}", needed);
    for (const auto& [machine, install] : candidate.installs) {
      text += fmt::format(",{} {}", place[machine], std::max(install.expected.size(), install.packages.size()));
    }
  }
  return text;
}

}  // namespace

std::shared_ptr<const ForeseenDepartment> Foresight::of(const DepartmentJob& job) {
  const auto [known, is_new] = known_.try_emplace(likeness(job, !bad_.empty()));
  if (!is_new) return known->second;
  auto same = as_it_is_run(job);
  if (kept_.convictions) {
    // And what needs it with it.
    for (auto& candidate : same.candidates) {
      const bool lacks = std::ranges::any_of(candidate.prerequisites, [&](auto needed) {
        return !job.candidates[needed].installs.empty() && same.candidates[needed].installs.empty();
      });
      if (lacks || bad_.contains(candidate.id)) candidate.installs.clear();
    }
  }
  auto foreseen = std::make_shared<ForeseenDepartment>();
  for (const auto& machine : same.cell.machines) {
    foreseen->machines.push_back(
        {machine.plan.name, machine.plan.role, machine.plan.memory_mib, machine.system.family});
  }
  for (const auto& candidate : same.candidates) foreseen->candidates.push_back({candidate.id, candidate.digest});
  foreseen->stability_ms = same.cell.policy.stability.count();
  NotingCell cell(same, bad_);
  TrialMemo memo;
  NoTime clock;
  static_cast<void>(DepartmentRun(same, cell, memo, clock, {}).run());
  foreseen->trials = cell.take();
  if (kept_.controls)
    std::erase_if(foreseen->trials, [](const auto& trial) { return trial.purpose == Purpose::control; });
  known->second = std::move(foreseen);
  return known->second;
}

ForeseenDepartment trials_of(const reports::RunRecord& record, const reports::DepartmentRecord& department) {
  ForeseenDepartment foreseen;
  std::map<std::string, std::size_t> machine, candidate;
  for (const auto& one : department.machines) {
    machine[one.name] = foreseen.machines.size();
    foreseen.machines.push_back({one.name, one.role, one.memory_mib, GuestFamily::debian});
  }
  for (const auto& one : record.candidates) {
    candidate[one.id] = foreseen.candidates.size();
    foreseen.candidates.push_back({one.id, one.digest});
    // It says of no machine what it is; who takes such files is Windows.
    if (one.kind == "deb") continue;
    for (const auto& verdict : department.verdicts) {
      for (const auto& name : verdict.machines) {
        if (verdict.candidate == one.id && machine.contains(name))
          foreseen.machines[machine[name]].family = GuestFamily::windows;
      }
    }
  }
  std::set<std::string> answers;  // trials that others took their answer from
  for (const auto& other : record.departments) {
    for (const auto& trial : other.trials) answers.insert(trial.reused_from);
  }
  std::vector<const TrialRecord*> in_order;
  for (const auto& trial : department.trials) {
    if (trial.purpose != Purpose::baseline && trial.reused_run.empty()) in_order.push_back(&trial);
  }
  std::ranges::stable_sort(in_order, {}, &TrialRecord::started);
  for (const auto* trial : in_order) {
    ForeseenTrial one{.purpose = trial->purpose, .phases = {}, .machines = {}, .key = {}};
    const auto& ran = trial->reused_from.empty() ? trial->id : trial->reused_from;
    if (answers.contains(ran)) one.key = ran;
    for (const auto& phase : reports::planned_phases(department, *trial)) {
      const bool seen = std::ranges::any_of(trial->phases, [&](const auto& looked) {
        return looked.phase == phase && looked.outcome != Outcome::not_reached;
      });
      if (seen) one.phases.push_back(phase);
    }
    for (const auto& name : trial->machines) {
      if (!machine.contains(name)) continue;
      OnMachine on{.machine = machine[name],
                   .installs = {},
                   .may_use_installs = trial->purpose != Purpose::confirm,
                   .looked_at = {}};
      for (const auto& install : trial->installs) {
        if (install.machine == name && candidate.contains(install.candidate))
          on.installs.push_back(candidate[install.candidate]);
      }
      on.packages = on.installs.size();
      on.is_restarted = !on.installs.empty() || trial->purpose == Purpose::control;
      on.looked_at.assign(one.phases.size(), false);
      for (const auto& looked : trial->phases) {
        const auto place = std::ranges::find(one.phases, looked.phase);
        if (looked.machine != name || place == one.phases.end() || looked.outcome == Outcome::not_reached) continue;
        on.looked_at[static_cast<std::size_t>(place - one.phases.begin())] = true;
        on.fails = on.fails || looked.outcome == Outcome::fail;
      }
      one.machines.push_back(std::move(on));
    }
    foreseen.trials.push_back(std::move(one));
  }
  return foreseen;
}

std::set<std::string> evenly_spread(const std::vector<DepartmentJob>& jobs, std::size_t count) {
  std::vector<std::string> all;
  std::set<std::string> applies;
  for (const auto& job : jobs) {
    for (const auto& candidate : job.candidates) {
      if (!candidate.installs.empty() && applies.insert(candidate.id).second) all.push_back(candidate.id);
    }
  }
  std::set<std::string> chosen;
  count = std::min(count, all.size());
  for (std::size_t i = 0; i < count; ++i) chosen.insert(all[(2 * i + 1) * all.size() / (2 * count)]);
  return chosen;
}

}  // namespace patchlab::runners::forecast
