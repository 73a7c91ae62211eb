// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runners/engine/department.hpp"
#include "tests/support/culprit_runs.hpp"

// The real engine in a simulated lab, to hold the small copy of it in culprit_runs.cpp against it.
namespace patchlab::runners::tests {

// A cell that answers at once, as `fill` says of a trial that would pass.
class AnsweringCell : public cell::CellClient {
 public:
  Result<reports::TrialRecord> prepare(const cell::CellJob& job) override {
    return reports::TrialRecord{
        .id = job.department + "/baseline", .purpose = reports::Purpose::baseline, .outcome = Outcome::pass};
  }
  Result<reports::TrialRecord> run_trial(const cell::TrialJob& job) override {
    reports::TrialRecord record{.id = job.id,
                                .purpose = job.purpose,
                                .candidates = job.candidates,
                                .set_digest = job.set_digest,
                                .machines = job.machines,
                                .outcome = Outcome::pass};
    fill(job, record);
    return record;
  }
  Result<void> probe_fence(const std::string&) override { return {}; }
  void close() override {}

 private:
  virtual void fill(const cell::TrialJob& job, reports::TrialRecord& record) = 0;
};

class SimulatedCell final : public AnsweringCell {
 public:
  explicit SimulatedCell(SimulatedLab& lab) : lab_(lab) {}

 private:
  void fill(const cell::TrialJob& job, reports::TrialRecord& record) override {
    const auto trial = answer(job);
    record.outcome = trial.outcome;
    if (trial.outcome == Outcome::fail) record.signature = {trial.failed};
    if (trial.outcome == Outcome::error) record.error = infrastructure_error("the disk is full");
  }
  SimulatedTrial answer(const cell::TrialJob& job) {
    CandidateSet set;
    for (const auto& id : job.candidates) set.push_back(std::stoul(id));
    switch (job.purpose) {
      case reports::Purpose::baseline:
      case reports::Purpose::control:
      case reports::Purpose::removal: break;
      case reports::Purpose::batch: return lab_.batch();
      case reports::Purpose::search: return lab_.run(set, TrialKind::search);
      case reports::Purpose::confirm: return lab_.run(set, TrialKind::confirm);
      case reports::Purpose::final: return lab_.run(set, TrialKind::final);
    }
    return {Outcome::pass, {}};
  }
  SimulatedLab& lab_;
};

// What the real engine says: who was named, who is held back though he was not, and what was tried.
[[nodiscard]] inline std::string engine_says(const World& world, Noise noise, std::uint64_t seed) {
  DepartmentJob job;
  job.cell.department = "finance";
  job.medium = [](const auto&, const auto&) -> Result<std::filesystem::path> {
    return std::filesystem::path("medium.iso");
  };
  cell::MachineJob machine;
  machine.plan.name = machine.plan.role = "server";
  job.cell.machines.push_back(std::move(machine));
  for (const auto& candidate : world.candidates) {
    PlannedCandidate planned{.id = candidate.id,
                             .digest = "digest-" + candidate.id,
                             .prerequisites = candidate.prerequisites,
                             .installs = {},
                             .skipped_because = {}};
    planned.installs["server"] = {.candidate = candidate.id, .packages = {{.file_name = "a.deb"}}, .expected = {}};
    job.candidates.push_back(std::move(planned));
  }
  SimulatedLab lab(world, noise, seed);
  SimulatedCell cell(lab);
  TrialMemo memo;
  const auto record = DepartmentRun(job, cell, memo, system_clock_source(), {}).run();
  CandidateSet named, held;
  for (const auto& verdict : record.verdicts) {
    if (verdict.outcome == Outcome::fail) named.push_back(std::stoul(verdict.candidate));
    if (verdict.outcome == Outcome::error && !record.error) held.push_back(std::stoul(verdict.candidate));
  }
  return fmt::format("named {}, held {}, trials {} + {} + {}, {:.0f} s", named, held, lab.count(TrialKind::search),
                     lab.count(TrialKind::confirm), lab.count(TrialKind::final), lab.seconds());
}

[[nodiscard]] inline std::string simulation_says(const World& world, Noise noise, std::uint64_t seed) {
  SimulatedLab lab(world, noise, seed);
  const auto run = simulate(lab);
  return fmt::format("named {}, held {}, trials {} + {} + {}, {:.0f} s", run.named, run.quarantined,
                     lab.count(TrialKind::search), lab.count(TrialKind::confirm), lab.count(TrialKind::final),
                     lab.seconds());
}

}  // namespace patchlab::runners::tests
