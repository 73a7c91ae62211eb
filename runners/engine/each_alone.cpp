// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/each_alone.hpp"

#include <algorithm>
#include <set>
#include <thread>

#include "runners/engine/controls.hpp"

namespace patchlab::runners {
namespace {

using reports::Purpose;
using reports::TrialRecord;

bool share_a_machine(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::ranges::any_of(some, [&](const auto& name) { return std::ranges::count(others, name) > 0; });
}

void join(Lane& into, const Lane& other) {
  std::set<std::string> machines(into.machines.begin(), into.machines.end());
  machines.insert(other.machines.begin(), other.machines.end());
  into.machines.assign(machines.begin(), machines.end());
  into.candidates.insert(into.candidates.end(), other.candidates.begin(), other.candidates.end());
  std::ranges::sort(into.candidates);
}

class EachAlone {
 public:
  EachAlone(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, Clock& clock, const std::stop_token& stop)
      : job_(job), lab_(lab), stop_(stop), trials_(job, lab, memo, clock, stop) {}

  reports::DepartmentRecord run() {
    record_ = run_controls(job_, lab_, stop_);
    for (const auto& candidate : job_.candidates) record_.verdicts.push_back(planned(candidate));
    if (record_.error) return std::move(record_);
    trials_.take_over(std::move(record_.trials));
    {
      std::vector<std::jthread> threads;
      for (auto& lane : lanes_of(trials_, job_.candidates)) {
        threads.emplace_back([this, lane = std::move(lane)] {
          for (const auto index : lane.candidates) try_one(index);
        });
      }
    }
    record_.trials = trials_.take_records();
    if (stop_.stop_requested()) {
      record_.error = Error{ErrorClass::cancelled, "the run was cancelled", {}};
      record_.outcome = Outcome::error;
    }
    return std::move(record_);
  }

 private:
  static reports::VerdictRecord planned(const PlannedCandidate& candidate) {
    reports::VerdictRecord verdict{.candidate = candidate.id};
    for (const auto& [machine, install] : candidate.installs) verdict.machines.push_back(machine);
    if (candidate.installs.empty()) {
      verdict.outcome = Outcome::skipped;
      verdict.reason = candidate.skipped_because;
    }
    return verdict;
  }

  void try_one(std::size_t index) {
    if (trials_.must_stop()) return;
    const auto machines = machines_for_one(trials_, job_.candidates[index]);
    auto trial = trials_.run(Purpose::final, machines, {index});
    // As in every run: a check that was steady without a patch and failed once has its first failure count.
    if (trial.outcome == Outcome::pass && trials_.made_a_check_flaky(trial))
      trial = trials_.run(Purpose::final, machines, {index});
    auto& verdict = record_.verdicts[index];  // no other lane has this candidate
    verdict.trials.push_back(trial.id);
    verdict.failed = trial.signature;
    switch (trial.outcome) {
      case Outcome::fail:
        verdict.outcome = Outcome::fail;
        verdict.reason = "fails alone";
        break;
      case Outcome::error:
        verdict.outcome = Outcome::error;
        verdict.reason = trial.error ? trial.error->message : "not everything could be observed";
        break;
      case Outcome::pass: verdict.reason = "passes alone; it was not asked whether it may be promoted"; break;
      case Outcome::skipped:
      case Outcome::not_reached: break;
    }
  }

  const DepartmentJob& job_;
  cell::CellClient& lab_;
  const std::stop_token& stop_;
  DepartmentTrials trials_;
  reports::DepartmentRecord record_;
};

}  // namespace

std::vector<std::string> machines_for_one(const DepartmentTrials& trials, const PlannedCandidate& candidate) {
  std::set<std::string> machines;
  for (const auto& [machine, install] : candidate.installs) {
    const auto closed = trials.with_dependencies(machine);
    machines.insert(closed.begin(), closed.end());
  }
  return {machines.begin(), machines.end()};
}

std::vector<Lane> lanes_of(const DepartmentTrials& trials, const std::vector<PlannedCandidate>& candidates) {
  std::vector<Lane> lanes;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].installs.empty()) continue;
    Lane lane{machines_for_one(trials, candidates[i]), {i}};
    for (auto other = lanes.begin(); other != lanes.end();) {
      if (share_a_machine(other->machines, lane.machines)) {
        join(lane, *other);
        other = lanes.erase(other);
      } else {
        ++other;
      }
    }
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

reports::DepartmentRecord run_each_alone(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, Clock& clock,
                                         const std::stop_token& stop) {
  return EachAlone(job, lab, memo, clock, stop).run();
}

}  // namespace patchlab::runners
