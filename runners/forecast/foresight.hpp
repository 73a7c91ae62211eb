// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/engine/department_job.hpp"

// Which trials a department comes to: asked of the engine itself, which runs the department in a cell that only says
// what it was told to do; or read from the record of a run.
namespace patchlab::runners::forecast {

struct ForeseenMachine {
  std::string name;
  std::string role;
  std::uint32_t memory_mib = 0;
  GuestFamily family = GuestFamily::debian;
};

// What happens on one machine in a trial.
struct OnMachine {
  std::size_t machine = 0;            // index into ForeseenDepartment::machines
  std::vector<std::size_t> installs;  // indexes into its candidates, in their order
  std::size_t packages = 0;           // that change with them: who has more begins first
  bool may_use_installs = true;       // that other trials left (ADR 7)
  bool is_restarted = false;
  bool fails = false;           // at the first look after the installation
  std::vector<bool> looked_at;  // in each phase of the trial
  bool operator==(const OnMachine&) const = default;
};

struct ForeseenTrial {
  reports::Purpose purpose = reports::Purpose::batch;
  std::vector<std::string> phases;  // that it comes to
  std::vector<OnMachine> machines;
  std::string key;  // of the question, where another department's answer would do; empty: it is run in any case
  bool operator==(const ForeseenTrial&) const = default;
};

struct ForeseenCandidate {
  std::string id;
  std::string digest;
};

// Nothing in it is of one department alone: those that are alike share it.
struct ForeseenDepartment {
  std::vector<ForeseenMachine> machines;
  std::vector<ForeseenCandidate> candidates;
  std::vector<ForeseenTrial>
      trials;  // behind the baseline; what is before another one, and has a machine with it, ends first
  std::int64_t stability_ms = 0;
};

// What an earlier night has left, where the scenario lets it be used: docs/adr/0023, 0025, 0027.
struct KeptFrom {
  bool states = false;  // baselines
  bool controls = false;
  bool convictions = false;  // what was convicted is held back, and not tried
};

// The engine's own run of the department, in which each of `bad` breaks every machine that it is installed on, at once
// and always. Departments whose machines, candidates and policy are the same come to the same.
class Foresight {
 public:
  Foresight(std::set<std::string> bad, KeptFrom kept) : bad_(std::move(bad)), kept_(kept) {}
  [[nodiscard]] std::shared_ptr<const ForeseenDepartment> of(const DepartmentJob& job);
  // How many departments were really run for it.
  [[nodiscard]] std::size_t different() const { return known_.size(); }

 private:
  std::set<std::string> bad_;
  KeptFrom kept_;
  std::map<std::string, std::shared_ptr<const ForeseenDepartment>> known_;
};

// The trials that a run had, as far as they were not answered by an earlier one.
[[nodiscard]] ForeseenDepartment trials_of(const reports::RunRecord& record,
                                           const reports::DepartmentRecord& department);

// `count` of those that apply somewhere, evenly spread over all of these.
[[nodiscard]] std::set<std::string> evenly_spread(const std::vector<DepartmentJob>& jobs, std::size_t count);

}  // namespace patchlab::runners::forecast
