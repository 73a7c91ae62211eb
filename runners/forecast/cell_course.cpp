// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/forecast/cell_course.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include "reports/record/queries.hpp"
#include "runners/cell/kept_states.hpp"
#include "runners/cell/trial_course.hpp"
#include "snapshots/tree/retention.hpp"

namespace patchlab::runners::forecast {
namespace {

using Index = Course::Index;
using reports::Purpose;

class Maker {
 public:
  Maker(const ForeseenDepartment& department, const std::string& name, const Durations& durations)
      : department_(department), name_(name), durations_(durations) {
    for (const auto& machine : department.machines) {
      Machine known;
      known.times = durations.of(name, machine.name, machine.role, machine.family);
      known.kinds.resize(step_kinds);
      machines_.push_back(std::move(known));
    }
    kinds_.resize(step_kinds);
  }

  CellCourse make(bool kept_baseline) {
    baseline(kept_baseline);
    for (const auto& trial : department_.trials) run(trial);
    made_.course.finish();
    return std::move(made_);
  }

 private:
  struct Machine {
    Durations::OfMachine times;
    std::vector<std::optional<std::int64_t>> kinds;
    std::map<std::size_t, std::int64_t> installs;
    std::deque<std::vector<std::size_t>> kept;  // installed candidates of kept states, the one used last at the end
    Index free = 0;                             // the step that its last trial ended with
  };

  std::int64_t ms(std::size_t machine, StepKind kind) {
    auto& known = machines_[machine].kinds[static_cast<std::size_t>(kind)];
    if (!known) {
      auto time = machines_[machine].times.of(kind);
      if (kind == StepKind::stability && time.said == Said::assumed && department_.stability_ms > 0)
        time = {department_.stability_ms, Said::by_scenario, 0};
      known = time.ms;
      made_.times.push_back({department_.machines[machine].name, kind, {}, time});
    }
    return *known;
  }
  std::int64_t ms(StepKind kind) {
    auto& known = kinds_[static_cast<std::size_t>(kind)];
    if (!known) {
      const auto time = durations_.of_department(name_, kind);
      known = time.ms;
      made_.times.push_back({{}, kind, {}, time});
    }
    return *known;
  }
  std::int64_t install_ms(std::size_t machine, std::size_t candidate) {
    const auto [known, is_new] = machines_[machine].installs.try_emplace(candidate);
    if (is_new) {
      const auto& [id, digest] = department_.candidates[candidate];
      const auto time = machines_[machine].times.install(id, digest);
      known->second = time.ms;
      made_.times.push_back({department_.machines[machine].name, StepKind::install, id, time});
    }
    return known->second;
  }

  Index step(std::int64_t duration, bool takes_slot, std::vector<Index> after) {
    return made_.course.add({duration, takes_slot}, after);
  }
  // All of them are over.
  Index barrier(const std::vector<Index>& after) { return step(0, false, after); }

  Index examine(std::size_t machine, bool fails, Index after) {
    const auto works = ms(machine, StepKind::checks);
    auto last = after;
    if (!fails) {
      last = step(works + ms(machine, StepKind::state), true, {last});
    } else {
      // Of a check that waits for an answer that never comes, the slot is given up.
      const auto whole = ms(machine, StepKind::failing_checks);
      last = step(std::min(works, whole), true, {last});
      if (whole > works) last = step(whole - works, false, {last});
      last = step(ms(machine, StepKind::state), true, {last});
    }
    return last;
  }

  void baseline(bool kept) {
    auto last = step(ms(StepKind::fence), false, {});
    std::vector<Index> up;
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const auto began = step(ms(i, kept ? StepKind::revert : StepKind::boot), true, {last});
      up.push_back(step(ms(i, StepKind::ready) + ms(i, StepKind::fence_inside), false, {began}));
    }
    last = barrier(up);
    std::vector<Index> seen;
    for (std::size_t i = 0; i < machines_.size(); ++i)
      seen.push_back(step(ms(i, StepKind::checks) + ms(i, StepKind::state) + ms(i, StepKind::settle), true, {last}));
    last = step(ms(StepKind::snapshot), false, seen);
    for (auto& machine : machines_) machine.free = last;
  }

  // What is left to be installed on a machine, and the states that this leaves (runners/cell/kept_states.hpp).
  std::int64_t left_to_install(const OnMachine& on) {
    auto& kept = machines_[on.machine].kept;
    std::size_t there = 0;
    if (on.may_use_installs) {
      auto start = kept.end();
      for (auto state = kept.begin(); state != kept.end(); ++state) {
        if (state->size() > there && snapshots::begins_with(on.installs, *state)) there = state->size(), start = state;
      }
      if (start != kept.end()) std::rotate(start, start + 1, kept.end());
    }
    std::int64_t sum = 0;
    for (auto i = there; i < on.installs.size(); ++i) {
      const auto one = install_ms(on.machine, on.installs[i]);
      sum += one;
      if (!on.may_use_installs ||
          !cell::KeptStates::is_worth_saving({.machine = {}, .candidate = {}, .log = {}, .duration_ms = one}))
        continue;
      kept.emplace_back(on.installs.begin(), on.installs.begin() + static_cast<std::ptrdiff_t>(i + 1));
      if (kept.size() <= most_kept) continue;
      std::vector<const std::vector<std::size_t>*> by_use;
      for (const auto& state : kept) by_use.push_back(&state);
      kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(snapshots::missed_least(by_use)));
    }
    return sum;
  }

  void run(const ForeseenTrial& trial) {
    std::vector<Index> before;
    for (const auto& on : trial.machines) before.push_back(machines_[on.machine].free);
    std::ranges::sort(before);
    before.erase(std::unique(before.begin(), before.end()), before.end());
    const auto begin = barrier(before);
    auto last = begin;
    for (const auto what : cell::steps_of(trial.purpose)) last = carried_out(trial, what, last);
    if (!cell::sees_all(trial.purpose)) last = barrier({last});  // one end, of all its machines
    if (!trial.key.empty()) made_.course.share({begin, last, trial.key});
    for (const auto& on : trial.machines) machines_[on.machine].free = last;
  }

  Index carried_out(const ForeseenTrial& trial, cell::TrialStep what, Index after) {
    std::vector<Index> done;
    switch (what) {
      case cell::TrialStep::revert:
        for (const auto& on : trial.machines) done.push_back(step(ms(on.machine, StepKind::revert), true, {after}));
        return barrier(done);
      case cell::TrialStep::install: return installed(trial, after);
      case cell::TrialStep::remove: return removed(trial, after);
      case cell::TrialStep::phases:
        for (std::size_t i = 0; i < trial.phases.size(); ++i) after = phase(trial, i, after);
        return after;
      case cell::TrialStep::fence:
        done.push_back(step(ms(StepKind::fence), false, {after}));
        for (const auto& on : trial.machines)
          done.push_back(step(ms(on.machine, StepKind::fence_inside), false, {after}));
        return barrier(done);
    }
    return after;
  }

  Index installed(const ForeseenTrial& trial, Index after) {
    std::vector<const OnMachine*> longest_first;
    for (const auto& on : trial.machines) {
      if (!on.installs.empty()) longest_first.push_back(&on);
    }
    if (longest_first.empty()) return after;
    std::ranges::stable_sort(longest_first, std::ranges::greater{}, &OnMachine::packages);
    std::vector<Index> done;
    for (const auto* on : longest_first) {
      const auto left = left_to_install(*on);
      done.push_back(left == 0 ? after : step(left, true, {after}));
    }
    return barrier(done);
  }

  Index removed(const ForeseenTrial& trial, Index after) {
    std::vector<Index> done;
    for (const auto& on : trial.machines) {
      if (on.installs.empty()) continue;
      const auto count = static_cast<std::int64_t>(on.installs.size());
      const auto due = step(ms(on.machine, StepKind::reboot), true, {after});
      done.push_back(step(count * ms(on.machine, StepKind::removal), true, {due}));
    }
    return done.empty() ? after : barrier(done);
  }

  Index phase(const ForeseenTrial& trial, std::size_t number, Index after) {
    const auto begin = cell::begin_of(trial.phases[number]);
    std::vector<Index> done;
    auto ready = after;
    for (const auto& on : trial.machines) {
      if (!on.looked_at[number]) continue;
      switch (begin) {
        case cell::PhaseBegin::nothing: break;
        case cell::PhaseBegin::run_on: done.push_back(step(ms(on.machine, StepKind::stability), false, {after})); break;
        case cell::PhaseBegin::cycle_services:
          if (!on.is_restarted) break;
          done.push_back(step(ms(on.machine, StepKind::ready), false,
                              {step(ms(on.machine, StepKind::service_cycles), true, {after})}));
          break;
        case cell::PhaseBegin::install_next:
          if (on.is_restarted) done.push_back(step(ms(on.machine, StepKind::next_package), true, {after}));
          break;
        case cell::PhaseBegin::move_clocks:
          done.push_back(step(ms(on.machine, StepKind::settle), false, {after}));
          break;
        case cell::PhaseBegin::restart:
          if (!on.is_restarted) break;
          done.push_back(
              step(ms(on.machine, StepKind::ready), false, {step(ms(on.machine, StepKind::reboot), true, {after})}));
          break;
      }
    }
    if (!done.empty()) ready = barrier(done);
    done.clear();
    for (const auto& on : trial.machines) {
      if (on.looked_at[number]) done.push_back(examine(on.machine, on.fails, ready));
    }
    return done.empty() ? ready : barrier(done);
  }

  static constexpr std::size_t most_kept = 6;  // as KeptStates

  const ForeseenDepartment& department_;
  const std::string& name_;
  const Durations& durations_;
  std::vector<Machine> machines_;
  std::vector<std::optional<std::int64_t>> kinds_;
  CellCourse made_;
};

}  // namespace

CellCourse course_of(const ForeseenDepartment& department, const std::string& name, const Durations& durations,
                     bool kept_baseline) {
  return Maker(department, name, durations).make(kept_baseline);
}

}  // namespace patchlab::runners::forecast
