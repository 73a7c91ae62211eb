// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include "reports/record/remarks.hpp"
#include "tests/support/binomial_bound.hpp"

// False alarms of a lab, counted from runs with --controls: no patch is in them, so whatever fails is one.
namespace patchlab::test {

struct NoiseFigures {
  std::size_t departments = 0;
  std::size_t lost_departments = 0;  // the baseline, or the control that the others are held against, did not pass
  std::size_t controls = 0;          // trials of a whole department
  std::size_t errors = 0;            // of them
  std::size_t false_fails = 0;       // of them
  std::size_t executions = 0;        // of checks
  std::size_t failed_executions = 0;
  std::vector<std::string> remarks;  // and what failed

  [[nodiscard]] bool clean() const { return lost_departments + errors + false_fails == 0; }
};

// Why a trial ended without a verdict, where the trial itself has no error: what could not be observed in its phases.
inline std::vector<std::string> unobserved(const reports::TrialRecord& trial) {
  std::vector<std::string> sentences;
  for (const auto& phase : trial.phases) {
    const auto where = phase.machine + ", " + phase.phase + ": ";
    if (phase.error) sentences.push_back(where + phase.error->message);
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::error) sentences.push_back(where + check.id + ": " + check.reason);
    }
  }
  return sentences;
}

inline void add(NoiseFigures& figures, const reports::RunRecord& record) {
  for (const auto& department : record.departments) {
    const auto say = [&](const std::string& sentence) { figures.remarks.push_back(department.name + ": " + sentence); };
    const bool cancelled = department.error && department.error->error_class == ErrorClass::cancelled;
    if (!department.trials.empty() || (department.error && !cancelled)) ++figures.departments;
    if (department.error && !cancelled) {
      ++figures.lost_departments;
      say("lost: " + department.error->message);
    }
    for (const auto& trial : department.trials) {
      for (const auto& phase : trial.phases) {
        for (const auto& check : phase.checks) {
          figures.executions += check.tries.empty() ? 1 : check.tries.size();
          figures.failed_executions += checks::count_tries(check, Outcome::fail);
        }
      }
      if (trial.purpose != reports::Purpose::control || trial.outcome == Outcome::not_reached) continue;
      if (trial.error && trial.error->error_class == ErrorClass::cancelled) continue;
      ++figures.controls;
      if (trial.outcome == Outcome::error) ++figures.errors;
      if (trial.outcome == Outcome::fail) ++figures.false_fails;
      for (const auto& key : trial.signature) say(trial.id + " failed: " + key);
      if (trial.error) say(trial.id + ": " + trial.error->message);
      if (trial.outcome == Outcome::error) {
        for (const auto& sentence : unobserved(trial)) say(trial.id + ": " + sentence);
      }
    }
    for (const auto& remark : reports::remarks(department)) say(remark);
  }
}

inline std::string told(const NoiseFigures& figures) {
  const auto line = [](const char* what, std::size_t seen, std::size_t of, const char* unit) {
    return fmt::format("{:<17} {} of {} {}; with 95 % confidence at most {:.2f} %\n", what, seen, of, unit,
                       100 * upper_bound(seen, of));
  };
  auto text = line("lost departments:", figures.lost_departments, figures.departments, "departments") +
              line("errors:", figures.errors, figures.controls, "department-controls") +
              line("false fails:", figures.false_fails, figures.controls, "department-controls") +
              line("failed tries:", figures.failed_executions, figures.executions, "executions of checks");
  for (const auto& remark : figures.remarks) text += "  " + remark + "\n";
  return text;
}

}  // namespace patchlab::test
