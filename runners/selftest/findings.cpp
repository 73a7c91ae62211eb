// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/findings.hpp"

#include <algorithm>
#include <set>

#include "reports/record/queries.hpp"

namespace patchlab::runners {
namespace {

using checks::state::FindingClass;
using reports::Purpose;
using reports::TrialRecord;

bool is_of(const TrialRecord& trial, const Fault& fault) {
  return trial.purpose == Purpose::final && trial.candidates == std::vector{fault.id};
}

struct Means {
  std::set<std::string> failed;
  std::set<std::string> reviewed;
};

Means means_of(const TrialRecord& trial) {
  Means means;
  for (const auto& install : trial.installs) {
    if (install.outcome == Outcome::fail) means.failed.insert("install");
  }
  for (const auto& phase : trial.phases) {
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::fail) means.failed.insert(check.kind);
    }
    for (const auto& difference : phase.differences) {
      switch (difference.finding) {
        case FindingClass::breach: means.failed.insert("state:" + difference.kind); break;
        case FindingClass::review: means.reviewed.insert("state:" + difference.kind); break;
        case FindingClass::notice: break;
      }
    }
  }
  return means;
}

const checks::CheckResult* result_in(const TrialRecord& trial, const std::string& phase, const std::string& machine,
                                     const std::string& beside) {
  for (const auto& seen : trial.phases) {
    if (seen.phase != phase || seen.machine != machine) continue;
    const auto result = std::ranges::find(seen.beside, beside, &checks::CheckResult::id);
    if (result != seen.beside.end()) return &*result;
  }
  return nullptr;
}

// A package that does not install is a fault of its own, when it is meant to be. Of any other nobody knows whether it
// was made.
std::string why_not_made(const Fault& fault, const TrialRecord& trial) {
  if (std::ranges::count(fault.by, "install") > 0) return {};
  for (const auto& install : trial.installs) {
    if (install.outcome != Outcome::pass)
      return "its package was not installed" + (install.end.empty() ? "" : ": " + install.end);
  }
  return {};
}

std::string first_trouble(const TrialRecord& trial) {
  if (trial.error) return trial.error->message;
  for (const auto& phase : trial.phases) {
    if (phase.error) return phase.phase + ": " + phase.error->message;
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::error)
        return phase.phase + ": " + check.id + ": " + (check.error ? check.error->message : check.reason);
    }
  }
  return "not everything could be observed";
}

void judge(const Fault& fault, const TrialRecord& trial, FaultResult& result) {
  result.trial = trial.id;
  if (trial.outcome == Outcome::error || trial.error) {
    result.found = Found::lab_error;
    result.why = first_trouble(trial);
    return;
  }
  if (trial.outcome != Outcome::pass && trial.outcome != Outcome::fail) return;
  result.why = why_not_made(fault, trial);
  if (!result.why.empty()) {
    result.found = Found::not_made;
    return;
  }
  const auto means = means_of(trial);
  result.failed_by.assign(means.failed.begin(), means.failed.end());
  result.reviewed_by.assign(means.reviewed.begin(), means.reviewed.end());
  if (trial.outcome == Outcome::fail)
    result.found = Found::failed;
  else
    result.found = result.reviewed_by.empty() ? Found::passed : Found::review;
}

}  // namespace

const char* to_string(Found found) {
  switch (found) {
    case Found::failed: return "failed";
    case Found::review: return "review";
    case Found::passed: return "passed";
    case Found::not_made: return "not-made";
    case Found::lab_error: return "lab-error";
    case Found::not_run: return "not-run";
  }
  return "";
}

const char* to_string(Said said) {
  switch (said) {
    case Said::alarm: return "alarm";
    case Said::quiet: return "quiet";
    case Said::untold: return "untold";
    case Said::not_asked: return "not-asked";
  }
  return "";
}

FaultResult result_of(const Fault& fault, const reports::DepartmentRecord& department) {
  FaultResult result{fault.id, fault.role, fault.what, fault.when, fault.expected};
  const TrialRecord* counts = nullptr;
  for (const auto& trial : department.trials) {
    if (!is_of(trial, fault)) continue;
    result.duration_ms += trial.duration_ms;
    if (!reports::is_lost(trial)) counts = &trial;
  }
  if (counts != nullptr) {
    judge(fault, *counts, result);
    return result;
  }
  const auto* verdict = reports::find_verdict(department, fault.id);
  if (verdict != nullptr && verdict->outcome == Outcome::skipped) {
    result.found = Found::not_made;
    result.why = verdict->reason;
  }
  return result;
}

bool tells_something(const FaultResult& result) {
  return result.found == Found::failed || result.found == Found::review || result.found == Found::passed;
}

bool is_as_expected(const FaultResult& result) {
  if (!tells_something(result)) return false;
  switch (result.expected) {
    case Expected::fail: return result.found == Found::failed;
    case Expected::review: return result.found != Found::passed;
    case Expected::clean: return result.found != Found::failed;
  }
  return false;
}

bool is_missed(const FaultResult& result) {
  return result.expected != Expected::clean && result.found == Found::passed;
}

ControlFigures controls_of(const reports::DepartmentRecord& department, std::size_t asked) {
  std::vector<const TrialRecord*> controls;
  for (const auto& trial : department.trials) {
    if (trial.purpose == Purpose::control) controls.push_back(&trial);
  }
  ControlFigures figures;
  // The first is what they are held against; it may have been tried twice.
  const auto others = controls.size() - std::min<std::size_t>(controls.size(), 1);
  const auto judged = std::min(asked, others);
  for (std::size_t i = controls.size() - judged; i < controls.size(); ++i) {
    ++figures.judged;
    if (controls[i]->outcome == Outcome::fail) ++figures.failed;
    if (controls[i]->outcome == Outcome::error) ++figures.errors;
    figures.facts.insert(figures.facts.end(), controls[i]->signature.begin(), controls[i]->signature.end());
  }
  return figures;
}

BesideFigures beside_of(const Beside& beside, const reports::DepartmentRecord& department) {
  BesideFigures figures;
  const TrialRecord* baseline = nullptr;
  for (const auto& trial : department.trials) {
    if (trial.purpose == Purpose::baseline) baseline = &trial;
  }
  std::set<std::string> sets;
  for (const auto& machine : department.machines) {
    const auto planned = beside.find(machine.role);
    if (planned == beside.end()) continue;
    for (const auto& spec : planned->second) {
      const auto set = reports::beside_set(spec.id);
      sets.insert(set);
      BesideCheck check{.machine = machine.name, .set = set, .name = spec.id.substr(set.size() + 1)};
      if (spec.program) {
        check.program = spec.program->found_at.empty() ? spec.program->name : spec.program->found_at;
        check.sha256 = spec.program->sha256;
      }
      const auto* seen = baseline == nullptr ? nullptr : result_in(*baseline, "baseline", machine.name, spec.id);
      check.is_usable = seen != nullptr && seen->outcome == Outcome::pass;
      if (!check.is_usable) check.said = seen == nullptr ? "it was not asked" : seen->reason + ": " + seen->observed;
      figures.checks.push_back(std::move(check));
    }
  }
  for (const auto& set : sets) figures.controls.push_back({.set = set});
  for (const auto& trial : department.trials) {
    if (trial.purpose != Purpose::control || reports::is_lost(trial)) continue;
    for (const auto& said : said_of(trial, figures, department)) {
      auto& control = *std::ranges::find(figures.controls, said.set, &SetControls::set);
      control.told += said.said == Said::alarm || said.said == Said::quiet ? 1 : 0;
      control.alarms += said.said == Said::alarm ? 1 : 0;
    }
  }
  return figures;
}

std::vector<SetResult> said_of(const TrialRecord& trial, const BesideFigures& figures,
                               const reports::DepartmentRecord& department) {
  // After the installation, if there is one, and at the end.
  const auto planned = reports::planned_phases(department, trial);
  std::set<std::string> moments;
  if (std::ranges::count(planned, reports::after_install_phase) > 0) moments.insert(reports::after_install_phase);
  if (!planned.empty()) moments.insert(planned.back());
  const auto is_patched = [&](const std::string& machine) {
    return trial.installs.empty() || std::ranges::count(trial.installs, machine, &reports::InstallRecord::machine) > 0;
  };
  std::vector<SetResult> all;
  for (const auto& control : figures.controls) {
    SetResult result{.set = control.set};
    bool all_asked = !moments.empty();
    for (const auto& check : figures.checks) {
      const bool takes_part = std::ranges::count(trial.machines, check.machine) > 0;
      if (check.set != control.set || !check.is_usable || !takes_part) continue;
      if (result.said == Said::not_asked) result.said = Said::quiet;
      bool alarm = false;
      for (const auto& phase : moments) {
        const auto* seen = result_in(trial, phase, check.machine, check.set + "/" + check.name);
        alarm = alarm || (seen != nullptr && reports::is_alarm(*seen));
        if (is_patched(check.machine)) all_asked = all_asked && seen != nullptr && seen->outcome == Outcome::pass;
      }
      if (alarm) result.by.push_back(check.name);
    }
    // The trial goes on for a set only until it has seen something.
    if (!result.by.empty())
      result.said = Said::alarm;
    else if (result.said == Said::quiet && !all_asked)
      result.said = Said::untold;
    all.push_back(std::move(result));
  }
  return all;
}

namespace {

// Every answer from outside, for who looks for the way by which it came.
std::string leak_of(const reports::DepartmentRecord& department) {
  std::string text;
  for (const auto& attempt : department.fence.attempts) {
    if (!attempt.is_answer_of_a_leak()) continue;
    text += fmt::format("{}{} to {} was answered {} the trials: {}",
                        text.empty() ? "the fence leaks, the run is void: " : "; ", attempt.probe, attempt.target,
                        attempt.phase, attempt.evidence);
  }
  return text;
}

}  // namespace

SelftestResult selftest_result(const std::vector<Fault>& faults, const reports::RunRecord& record, std::uint64_t seed,
                               const Beside& beside) {
  SelftestResult result{.seed = seed, .run = record.id, .started = record.started, .host = record.host};
  static const reports::DepartmentRecord nothing;
  const auto& department = record.departments.empty() ? nothing : record.departments.front();
  result.beside = beside_of(beside, department);
  for (const auto& fault : faults) {
    auto& seen = result.faults.emplace_back(result_of(fault, department));
    const auto trial = std::ranges::find(department.trials, seen.trial, &TrialRecord::id);
    if (tells_something(seen) && trial != department.trials.end())
      seen.beside = said_of(*trial, result.beside, department);
  }
  result.controls = controls_of(department, record.asked.controls);
  if (record.error) result.error = record.error->message;
  if (department.error) result.error = department.error->message;
  if (const auto leak = leak_of(department); !leak.empty()) result.error = leak;
  return result;
}

ExitCode exit_code_for(const SelftestResult& result) {
  const auto any = [&](const auto& is) { return std::ranges::any_of(result.faults, is); };
  const bool lab_trouble =
      any([](const auto& one) { return one.found == Found::lab_error; }) || result.controls.errors > 0;
  if (!result.error.empty() || lab_trouble) return ExitCode::error;
  const bool is_wrong = any([](const auto& one) { return tells_something(one) && !is_as_expected(one); });
  if (is_wrong || result.controls.failed > 0) return ExitCode::candidate_fails;
  return any([](const auto& one) { return !tells_something(one); }) ? ExitCode::not_tested : ExitCode::ok;
}

}  // namespace patchlab::runners
