// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/test_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lab/core/digest.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

using reports::Purpose;

std::vector<std::string> ascending(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

// fail apart, which may be waived.
TestWord word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass: return TestWord::passed;
    case Outcome::skipped: return TestWord::warned;
    case Outcome::fail:
    case Outcome::error:
    case Outcome::not_reached: break;
  }
  return TestWord::failed;
}

class Summing {
 public:
  Summing(const reports::RunRecord& record, const std::vector<std::string>& candidates,
          const std::set<std::string>& waived)
      : record_(record), candidates_(ascending(candidates)), waived_(waived) {}

  TestResult of(const std::string& name) {
    add("run", record_.complete && !record_.error ? TestWord::passed : TestWord::failed);
    const auto& asked = record_.asked;
    if (!asked.roles.empty() || !asked.candidates.empty() || asked.controls > 0)
      add("run: asked to be less than its scenario", TestWord::warned);
    if (!asked.with.empty()) add("run: with candidates that its scenario does not name", TestWord::warned);
    const auto found = reports::find_as_tested(record_, name);
    look_at_where(name);
    if (found == nullptr) {
      add(name, TestWord::failed);
    } else {
      look_at(*found);
    }
    TestResult result;
    for (const auto& [test, word] : words_) {
      auto& list = word == TestWord::passed ? result.passed : word == TestWord::warned ? result.warned : result.failed;
      list.push_back(test);
    }
    return result;
  }

 private:
  void add(const std::string& test, TestWord word) {
    auto& known = words_.try_emplace(test, word).first->second;
    known = std::max(known, word);
  }
  void add(const std::string& test, const std::string& key, Outcome outcome) {
    const bool is_waived = outcome == Outcome::fail && waived_.contains(key);
    add(test, is_waived ? TestWord::warned : word_of(outcome));
  }

  // Whoever trusts the result shall know that these machines were not tested, but others.
  void look_at_where(const std::string& name) {
    const auto carrying = reports::carrying_of(record_, name);
    if (carrying.tested_in.empty()) return;
    add(fmt::format("tested in '{}' of run {}, and not here", carrying.tested_in, record_.id), TestWord::warned);
    for (const auto& one : carrying.alike) {
      add(fmt::format("{} is like {}/{}: golden {}, definition {}", one.machine, carrying.tested_in, one.machine,
                      one.golden_digest, one.definition_digest),
          TestWord::passed);
    }
    for (const auto& one : carrying.obstacles)
      add(fmt::format("not alike: {}{}{}", one.machine, one.machine.empty() ? "" : ": ", one.text), TestWord::failed);
  }

  void look_at(const reports::DepartmentRecord& department) {
    if (department.error || department.outcome == Outcome::error || department.outcome == Outcome::not_reached)
      add("department", TestWord::failed);
    look_at_fence(department.fence);
    for (const auto& machine : department.machines) {
      const bool is_same = is_sha256(machine.golden_digest) && machine.golden_digest == machine.golden_digest_after;
      add("golden image of " + machine.name, is_same ? TestWord::passed : TestWord::failed);
    }
    if (department.machines.empty()) add("machines", TestWord::failed);
    for (const auto& flaky : department.flaky) add("flaky: " + flaky.fact, TestWord::warned);
    for (const auto& candidate : candidates_) look_at_verdict(department, candidate);
    if (candidates_.empty()) add("candidates", TestWord::failed);
    bool was_tried = false;
    bool has_control = false;
    for (const auto& trial : department.trials) {
      const bool is_control = trial.candidates.empty();
      if (!is_control && ascending(trial.candidates) != candidates_) continue;
      if (reports::is_lost(trial)) {
        add("lost: trial " + trial.id, TestWord::warned);
        continue;
      }
      if (trial.purpose == Purpose::removal) {
        add("removal", trial.outcome == Outcome::pass && !trial.error ? TestWord::passed : TestWord::warned);
        continue;
      }
      look_at_trial(department, trial);
      has_control = has_control || is_control;
      was_tried = was_tried || (!is_control && trial.machines.size() == department.machines.size());
    }
    if (!was_tried) add("a trial of this very set", TestWord::failed);
    if (!has_control) add("a trial without a patch", TestWord::failed);
  }

  void look_at_fence(const reports::FenceRecord& fence) {
    const bool held = fence.answers() == 0 && fence.tries() > 0 && fence.troubles.empty();
    add("fence", held ? TestWord::passed : TestWord::failed);
  }

  // A candidate that was held back and is promoted all the same was waived: its failures say by which word.
  void look_at_verdict(const reports::DepartmentRecord& department, const std::string& candidate) {
    const auto* verdict = reports::find_verdict(department, candidate);
    const auto test = "candidate " + candidate;
    if (verdict == nullptr) return add(test, TestWord::failed);
    add(test, verdict->outcome == Outcome::fail && !waived_.empty() ? TestWord::warned : word_of(verdict->outcome));
  }

  void look_at_trial(const reports::DepartmentRecord& department, const reports::TrialRecord& trial) {
    // The control of another run is on record with all it saw (ADR 27).
    const bool is_kept = trial.candidates.empty() && !trial.reused_run.empty();
    if (is_kept) add("trial " + trial.id + ": of run " + trial.reused_run, TestWord::passed);
    const auto* facts = is_kept ? &trial : reports::facts_of(department, trial);
    if (facts == nullptr) return add("trial " + trial.id, TestWord::failed);
    // What failed in it is said below, by name; that it failed with nothing to name is said here.
    const bool ended = trial.outcome == Outcome::pass || (trial.outcome == Outcome::fail && !facts->signature.empty());
    if (!ended) add("trial " + trial.id, word_of(trial.outcome));
    if (trial.error || facts->error) add("trial " + trial.id, TestWord::failed);
    for (const auto& key : facts->signature) add(key, key, Outcome::fail);
    for (const auto& install : facts->installs) {
      const auto key = reports::install_key(install.machine, install.candidate);
      if (!install.installed_run.empty()) add(key + ": by run " + install.installed_run, TestWord::passed);
      add(key, key, install.outcome);
    }
    for (const auto& phase : facts->phases) look_at_phase(phase);
    for (const auto& missing : reports::missing_checks(department, trial))
      add(fmt::format("{}/{}/{}", missing.phase, missing.machine, missing.check), TestWord::failed);
  }

  void look_at_phase(const reports::PhaseRecord& phase) {
    const auto name = [&](const std::string& what) {
      return fmt::format("{}/{}/{}", phase.phase, phase.machine, what);
    };
    if (phase.error || phase.outcome == Outcome::error || phase.outcome == Outcome::not_reached)
      add(name("phase"), TestWord::failed);
    if (phase.outcome == Outcome::skipped) add(name("phase"), TestWord::warned);
    // Failed, and nothing in it did: whatever that was, nobody could have waived it.
    const bool has_failure =
        checks::state::has_failure(phase.differences) ||
        std::ranges::any_of(phase.checks, [](const auto& check) { return check.outcome == Outcome::fail; });
    if (phase.outcome == Outcome::fail && !has_failure) add(name("phase"), TestWord::failed);
    for (const auto& check : phase.checks) {
      const auto test = name(check.id);
      add(test, reports::check_key(phase.machine, check.id), check.outcome);
      if (check.error) add(test, TestWord::failed);
      if (!check.tries.empty() || check.starved) add(test, TestWord::warned);
      if (check.slowness && !check.slowness->judged) add(test + " (slowness)", TestWord::warned);
    }
    for (const auto& difference : phase.differences) {
      const auto key = reports::difference_key(phase.machine, difference);
      const auto test = phase.phase + "/" + key;
      switch (difference.finding) {
        case checks::state::FindingClass::breach: add(test, key, Outcome::fail); break;
        // A person has to look; whether one did is not a result of a test.
        case checks::state::FindingClass::review: add(test, TestWord::warned); break;
        case checks::state::FindingClass::notice: break;
      }
    }
  }

  const reports::RunRecord& record_;
  std::vector<std::string> candidates_;
  const std::set<std::string>& waived_;
  std::map<std::string, TestWord> words_;
};

}  // namespace

const char* to_string(TestWord word) {
  switch (word) {
    case TestWord::passed: return "PASSED";
    case TestWord::warned: return "WARNED";
    case TestWord::failed: return "FAILED";
  }
  return "FAILED";
}

TestWord TestResult::word() const {
  if (!failed.empty() || passed.empty()) return TestWord::failed;
  return warned.empty() ? TestWord::passed : TestWord::warned;
}

TestResult test_result_of(const reports::RunRecord& record, const std::string& department,
                          const std::vector<std::string>& candidates, const std::set<std::string>& waived) {
  return Summing(record, candidates, waived).of(department);
}

}  // namespace patchlab::promotion
