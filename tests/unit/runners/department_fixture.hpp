// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reports/record/queries.hpp"
#include "runners/cell/control_knowledge.hpp"
#include "runners/engine/baseline.hpp"
#include "runners/engine/department.hpp"

// A department without machines: a cell that behaves as planted, and what it takes to run a department in it.
namespace patchlab::runners {

// A cell that behaves: a machine fails when all members of one of its planted groups are installed on it. Trouble can
// be scripted.
class FakeCell final : public cell::CellClient {
 public:
  std::map<std::string, std::vector<std::set<std::string>>> breaks;  // machine -> groups of candidates
  std::map<std::string, std::vector<std::set<std::string>>>
      breaks_late;                                // likewise, seen only when the machines have run on
  std::map<std::string, std::string> breaks_too;  // first candidate of a group -> another check that it breaks
  // Trials of whole sets say what else they saw behind each first failure, made of these facts: "works", "delivery".
  std::function<std::vector<std::string>(const cell::TrialJob&, const std::string& machine)> behind;
  bool sorts = false;  // signatures, as a cell does
  Outcome baseline = Outcome::pass;
  std::optional<Error> baseline_error = guest_error("broken baseline: dns/a-record failed");
  int lost_baselines = 0;  // that many fail before one is as `baseline` says
  int baselines = 0;
  bool kept_is_broken = false;  // a baseline that goes on from a kept state fails
  bool control_fails = false;
  bool control_of_kept_fails = false;
  std::map<std::string, std::set<std::string>> declines;             // machine -> candidates that it does not take
  std::map<std::string, std::pair<std::string, std::string>> needs;  // candidate -> machine, and candidate without
                                                                     // which that one does not take it
  std::string not_installable;
  int lab_errors = 0;                           // that many of the next trials end in error
  std::map<std::string, std::string> silences;  // candidate -> machine whose agent it silences
  int stray_silences = 0;                       // that many of the next trials lose the agent of 'mail' by chance
  std::vector<cell::TrialJob> trials;
  std::optional<reports::Purpose> dies_in;  // the cell ends in such a trial
  std::function<void(const cell::TrialJob&)> on_trial;
  std::function<std::string(const cell::TrialJob&)>
      passing_trouble;                               // one failing fact that has nothing to do with the patches
  std::function<bool(const cell::TrialJob&)> flaky;  // the check "works" fails and then passes, on each machine

  // What machines of this night log by themselves, as "dns/a line": it fails every trial, unless a control taught it.
  std::set<std::string> habits;
  std::function<checks::state::FindingClass(const cell::TrialJob&)> remarks;  // each trial sees a change of this class
  // What the guest listed of each candidate, in each trial that installs it; none: installations are not on record.
  std::function<std::optional<std::vector<reports::BroughtRecord>>(const std::string& candidate)> brings;
  int told_knowledge = 0;
  bool takes_no_knowledge = false;

  // What an earlier run installed, as a cell knows it; a trial that begins there behaves as `began_there` says: it does
  // whatever that changes in its record.
  cell::PatchedStates patched;
  std::function<void(const cell::TrialJob&, reports::TrialRecord&)> began_there;
  int forgot_installs = 0;

  std::function<Milliseconds(const cell::TrialJob&)> takes;  // the check "works", which may take 50 ms more than usual

  Result<reports::TrialRecord> prepare(const cell::CellJob& job) override {
    reports::TrialRecord record{
        .id = fmt::format("{}/baseline{}", job.department, baselines == 0 ? "" : fmt::format("-{}", baselines + 1)),
        .purpose = reports::Purpose::baseline,
        .outcome = baselines < lost_baselines ? Outcome::error : baseline};
    ++baselines;
    if (job.kept_baseline) {
      record.state_of_run = job.kept_baseline->run;
      if (kept_is_broken) record.outcome = Outcome::error;
    }
    goes_on_from_kept_ = job.kept_baseline.has_value();
    keeps_installs_ = job.keep_installs;
    patched = job.kept_baseline ? job.kept_baseline->patched : cell::PatchedStates();
    if (record.outcome != Outcome::pass) {
      record.error = baseline_error;
      record.signature = {"dns/a-record"};
    }
    return record;
  }

  Result<reports::TrialRecord> run_trial(const cell::TrialJob& job) override {
    auto record = answer(job);
    if (record && keeps_installs_) install(job, *record);
    const bool whole = job.purpose == reports::Purpose::batch || job.purpose == reports::Purpose::final;
    if (record && behind && whole) go_on(job, *record);
    if (record && sorts) std::ranges::sort(record->signature);
    return record;
  }
  // A machine starts where the most of its candidates are installed, in their order; what comes behind them is
  // installed in this trial, and that is a state as well.
  void install(const cell::TrialJob& job, reports::TrialRecord& record) {
    const std::lock_guard lock(mutex_);
    if (record.outcome == Outcome::error || record.outcome == Outcome::not_reached) return;
    bool began = false;
    for (const auto& [machine, jobs] : job.installs) {
      cell::PatchedState state{.digests = {}, .jobs = {}, .installs = {}, .expected = {}, .baseline = {}, .since = {}};
      state.since = "2026-11-28T02:00:00Z";
      for (const auto& install : jobs) {
        state.digests.push_back(install.digest);
        state.jobs.push_back(install.digest);
        state.installs.push_back({.machine = machine, .candidate = install.candidate, .outcome = Outcome::pass});
      }
      if (!job.from_baseline) {
        const cell::PatchedState* longest = nullptr;
        for (const auto& known : patched[machine]) {
          const auto& first = known.digests;
          if (first.size() > state.digests.size() || !std::equal(first.begin(), first.end(), state.digests.begin()))
            continue;
          if (longest == nullptr || longest->digests.size() < first.size()) longest = &known;
        }
        if (longest != nullptr) std::ranges::copy(longest->installs, state.installs.begin());
      }
      for (const auto& install : state.installs) began = began || !install.installed_run.empty();
      record.installs.insert(record.installs.end(), state.installs.begin(), state.installs.end());
      for (auto& install : state.installs) {
        if (install.installed_in.empty()) install.installed_in = job.id;
      }
      patched[machine].push_back(std::move(state));
    }
    if (began && began_there) began_there(job, record);
  }
  Result<void> forget_installs() override {
    ++forgot_installs;
    for (auto& [machine, states] : patched) {
      std::erase_if(states, [](const auto& state) {
        return std::ranges::any_of(state.installs, [](const auto& install) { return !install.installed_run.empty(); });
      });
    }
    return {};
  }
  Result<Json> installs_for_later(const std::map<std::string, std::vector<std::string>>& digests) override {
    auto later = Json::object();
    for (const auto& [machine, wanted] : digests) {
      for (const auto& state : patched[machine]) {
        const auto& first = state.digests;
        if (first.size() <= wanted.size() && std::equal(first.begin(), first.end(), wanted.begin()))
          later[machine] = std::vector{state};
      }
    }
    return later;
  }
  // The same trial as a cell tells it that goes on: phase by phase.
  void go_on(const cell::TrialJob& job, reports::TrialRecord& record) const {
    if (record.outcome != Outcome::fail) return;
    std::set<std::string> late;
    for (const auto& phase : record.phases) late.insert(phase.machine);
    std::map<std::string, reports::PhaseRecord> first;
    for (const auto& fact : record.signature) {
      const auto machine = reports::machine_of_key(fact);
      if (fact.find("/install:") != std::string::npos) return;
      auto& phase = first[machine];
      phase.phase = late.contains(machine) ? reports::stability_phase : reports::after_install_phase;
      phase.machine = machine;
      phase.outcome = Outcome::fail;
      phase.checks.push_back({.id = fact.substr(machine.size() + 1), .outcome = Outcome::fail});
    }
    record.phases.clear();
    for (auto& [machine, phase] : first) {
      record.phases.push_back(phase);
      if (phase.phase == reports::stability_phase) continue;
      for (const char* name : {"after-reboot-1", reports::stability_phase}) {
        reports::PhaseRecord later{.phase = name, .machine = machine, .outcome = Outcome::pass};
        for (const auto& id : behind(job, machine)) {
          later.outcome = Outcome::fail;
          later.checks.push_back({.id = id, .outcome = Outcome::fail});
        }
        record.phases.push_back(later);
      }
    }
    record.signature = reports::failure_signature(record);
  }
  Result<reports::TrialRecord> answer(const cell::TrialJob& job) {
    const std::lock_guard lock(mutex_);
    trials.push_back(job);
    if (on_trial) on_trial(job);
    if (job.purpose == dies_in) return infrastructure_error("the cell is gone: its process ended");
    reports::TrialRecord record{.id = job.id,
                                .purpose = job.purpose,
                                .candidates = job.candidates,
                                .set_digest = job.set_digest,
                                .machines = job.machines,
                                .outcome = Outcome::pass};
    if (lab_errors > 0) {
      --lab_errors;
      record.outcome = Outcome::error;
      record.error = infrastructure_error("the disk is full");
      return record;
    }
    for (const auto& [candidate, machine] : silences) {
      if (std::ranges::count(job.candidates, candidate) > 0) return silent(std::move(record), machine);
    }
    if (stray_silences > 0 && !job.candidates.empty()) {
      --stray_silences;
      return silent(std::move(record), "mail");
    }
    if (const auto fact = passing_trouble ? passing_trouble(job) : ""; !fact.empty()) {
      record.outcome = Outcome::fail;
      record.signature = {fact};
      return record;
    }
    if (job.purpose == reports::Purpose::control) known_habits_.insert(habits.begin(), habits.end());
    for (const auto& habit : habits) {
      const auto machine = reports::machine_of_key(habit);
      if (known_habits_.contains(habit) || std::ranges::count(job.machines, machine) == 0) continue;
      checks::state::StateDifference line{checks::state::log_kind, habit.substr(machine.size() + 1), "", "new"};
      line.finding = checks::state::FindingClass::breach;
      record.phases.push_back({.phase = "after-install",
                               .machine = machine,
                               .outcome = Outcome::fail,
                               .checks = {},
                               .differences = {line}});
      record.outcome = Outcome::fail;
      record.signature = reports::failure_signature(record);
    }
    if (job.purpose == reports::Purpose::control && (control_fails || (control_of_kept_fails && goes_on_from_kept_))) {
      record.outcome = Outcome::fail;
      record.signature = {"dns/a-record"};
    }
    for (const auto& machine : job.machines) {
      if (!flaky || !flaky(job)) break;
      checks::CheckResult check{.id = "works", .outcome = Outcome::pass};
      check.tries = {{Outcome::fail, {}, "no-answer", "", Json()}, {Outcome::pass, {}, "", "", Json()}};
      record.phases.push_back(
          {.phase = "after-install", .machine = machine, .outcome = Outcome::pass, .checks = {check}});
    }
    if (takes) time(job, record);
    if (remarks) {
      checks::state::StateDifference change{"file", "/etc/x", "a", "b"};
      change.finding = remarks(job);
      record.phases.push_back({.phase = "after-install",
                               .machine = "dns",
                               .outcome = Outcome::pass,
                               .checks = {},
                               .differences = {change}});
    }
    if (job.purpose == reports::Purpose::removal) {
      for (const auto& [machine, installs] : job.installs) {
        for (const auto& install : installs) {
          record.removals.push_back({.machine = machine, .candidate = install.candidate, .outcome = Outcome::pass});
          if (install.candidate.starts_with("sticky")) {
            record.removals.back().outcome = record.outcome = Outcome::fail;
            record.removals.back().exit_code = 0x800F0825;
            record.removals.back().end = "failed";
            record.signature = {machine + "/removal:" + install.candidate};
          } else if (install.candidate.starts_with("permanent")) {
            record.removals.back().outcome = Outcome::skipped;
            record.removals.back().log = "it says itself that it cannot be removed";
          }
        }
      }
      return record;
    }
    for (const auto& [machine, installs] : job.installs) {
      if (std::ranges::count(installs, not_installable, &cell::InstallJob::candidate) == 0) continue;
      record.outcome = Outcome::fail;
      record.signature = {reports::install_key(machine, not_installable)};
      return record;
    }
    for (const auto& machine : job.machines) {
      std::set<std::string> before;
      for (const auto& install :
           job.installs.contains(machine) ? job.installs.at(machine) : std::vector<cell::InstallJob>{}) {
        const auto need = needs.find(install.candidate);
        const bool lacks =
            need != needs.end() && need->second.first == machine && !before.contains(need->second.second);
        before.insert(install.candidate);
        if (!lacks && !declines[machine].contains(install.candidate)) continue;
        record.installs.push_back(
            {.machine = machine, .candidate = install.candidate, .outcome = Outcome::skipped, .exit_code = 0x80240017});
        record.installs.back().end = "not applicable";
        record.outcome = Outcome::not_reached;
      }
    }
    if (record.outcome == Outcome::not_reached) return record;
    for (const auto& machine : job.machines) {
      std::set<std::string> installed;
      if (const auto found = job.installs.find(machine); found != job.installs.end()) {
        for (const auto& install : found->second) installed.insert(install.candidate);
      }
      for (const auto& group : breaks[machine]) {
        if (!std::ranges::includes(installed, group)) continue;
        record.outcome = Outcome::fail;
        record.signature.push_back(machine + "/works");
        if (const auto also = breaks_too.find(*group.begin()); also != breaks_too.end())
          record.signature.push_back(machine + "/" + also->second);
      }
      const bool broken = std::ranges::count(record.signature, machine + "/works") > 0;
      for (const auto& group : breaks_late[machine]) {
        if (broken || !job.stability || !std::ranges::includes(installed, group)) continue;
        record.outcome = Outcome::fail;
        record.signature.push_back(machine + "/works");
        record.phases.push_back({.phase = reports::stability_phase, .machine = machine, .outcome = Outcome::fail});
      }
    }
    if (brings) {
      for (const auto& [machine, installs] : job.installs) {
        for (const auto& install : installs) {
          record.installs.push_back({.machine = machine, .candidate = install.candidate, .outcome = Outcome::pass});
          record.installs.back().brought = brings(install.candidate);
        }
      }
    }
    return record;
  }
  static reports::TrialRecord silent(reports::TrialRecord record, const std::string& machine) {
    const Error error{ErrorClass::silent, "the guest agent of '" + machine + "' gives no answer", {}};
    record.phases.push_back(
        {.phase = reports::after_install_phase, .machine = machine, .outcome = Outcome::error, .error = error});
    record.outcome = Outcome::error;
    record.error = error;
    return record;
  }
  // As a cell does: the control is learnt from, and everything else is held against what was learnt.
  void time(const cell::TrialJob& job, reports::TrialRecord& record) {
    const auto taken = takes(job);
    const bool control = job.purpose == reports::Purpose::control;
    if (control) usual_ = std::max(usual_, taken);
    const auto limit = usual_ + Milliseconds(50);
    checks::CheckResult check{.id = "works", .outcome = taken > limit ? Outcome::fail : Outcome::pass};
    if (taken > limit) check.reason = "slower";
    check.slowness = checks::Slowness{.judged = true, .quickest = taken, .limit = limit, .why_not = {}};
    for (const auto& machine : job.machines) {
      record.phases.push_back(
          {.phase = "after-install", .machine = machine, .outcome = check.outcome, .checks = {check}});
      if (check.outcome == Outcome::pass) continue;
      record.outcome = Outcome::fail;
      record.signature.push_back(machine + "/works");
    }
  }
  Result<Json> control_knowledge() override {
    std::map<std::string, cell::ControlKnowledge> taught;
    for (const auto& machine : trials.back().machines) taught[machine];
    for (const auto& habit : known_habits_) {
      const auto machine = reports::machine_of_key(habit);
      taught[machine].log_kinds.insert(habit.substr(machine.size() + 1));
    }
    return Json(taught);
  }
  Result<void> know(const Json& knowledge) override {
    if (takes_no_knowledge) return Error{ErrorClass::bug, "of other machines", {}};
    ++told_knowledge;
    known_habits_.clear();
    for (const auto& [machine, taught] : knowledge.items()) {
      for (const auto& kind : cell::control_knowledge_from_json(taught).value().log_kinds)
        known_habits_.insert(fmt::format("{}/{}", machine, kind));
    }
    return {};
  }
  Result<void> probe_fence(const std::string&) override { return {}; }
  void close() override {}

  [[nodiscard]] int count(reports::Purpose purpose) const {
    return static_cast<int>(std::ranges::count(trials, purpose, &cell::TrialJob::purpose));
  }

 private:
  std::mutex mutex_;
  Milliseconds usual_{0};
  std::set<std::string> known_habits_;
  bool goes_on_from_kept_ = false;
  bool keeps_installs_ = false;
};

// With one state of an earlier run, if it is told so.
class FakeStates final : public BaselineStates {
 public:
  std::optional<cell::KeptBaseline> stored;
  std::vector<std::string> calls;

  std::optional<cell::KeptBaseline> bring() override {
    calls.push_back("bring");
    return stored;
  }
  void refuse() override {
    calls.push_back("refuse");
    stored.reset();
  }
  void heard(const Json&) override {}
  void keep(const reports::TrialRecord& baseline) override {
    calls.push_back("keep " + baseline.id);
    stored = cell::KeptBaseline{"tonight", {}};
  }
  void keep_installs(cell::PatchedStates states) override {
    calls.push_back("keep installs");
    if (stored) stored->patched = std::move(states);
  }
};

class StillClock final : public Clock {
 public:
  Milliseconds time{0};
  Milliseconds now() const override { return time; }
  std::chrono::system_clock::time_point wall() const override { return {}; }
  void pause(Milliseconds) override {}
};

// Of several nights.
class NightClock final : public Clock {
 public:
  std::chrono::system_clock::time_point time = *parse_rfc3339("2026-11-28T02:00:00Z");
  Milliseconds now() const override { return {}; }
  std::chrono::system_clock::time_point wall() const override { return time; }
  void pause(Milliseconds) override {}
};

struct Fixture {
  DepartmentJob job;
  FakeCell lab;
  TrialMemo memo;
  StillClock clock;
  std::stop_source stop;

  explicit Fixture(const std::string& department = "finance") {
    job.cell.department = department;
    job.medium = [](const std::string& machine, const auto&) -> Result<std::filesystem::path> {
      return std::filesystem::path(machine + ".iso");
    };
  }
  Fixture& machine(const std::string& name, std::vector<std::string> depends_on = {}) {
    cell::MachineJob machine;
    machine.plan.name = machine.plan.role = name;
    machine.plan.depends_on = std::move(depends_on);
    machine.golden_digest = "golden-" + name;
    job.cell.machines.push_back(machine);
    return *this;
  }
  Fixture& candidate(const std::string& id, const std::vector<std::string>& machines,
                     std::vector<std::size_t> prerequisites = {}) {
    PlannedCandidate candidate{.id = id,
                               .digest = sha_like(id),
                               .prerequisites = std::move(prerequisites),
                               .installs = {},
                               .skipped_because = {}};
    for (const auto& name : machines)
      candidate.installs[name] = {
          .candidate = id, .digest = sha_like(id), .packages = {{.file_name = id + ".deb"}}, .expected = {}};
    if (machines.empty()) candidate.skipped_because = "not installed anywhere";
    job.candidates.push_back(candidate);
    return *this;
  }
  static std::string sha_like(const std::string& id) { return "digest-" + id; }
  reports::DepartmentRecord run() { return DepartmentRun(job, lab, memo, clock, stop.get_token()).run(); }
};

inline const reports::VerdictRecord& verdict(const reports::DepartmentRecord& record, const std::string& id) {
  return *std::ranges::find(record.verdicts, id, &reports::VerdictRecord::candidate);
}

inline std::vector<std::vector<std::string>> tried(const Fixture& lab, reports::Purpose purpose) {
  std::vector<std::vector<std::string>> sets;
  for (const auto& trial : lab.lab.trials) {
    if (trial.purpose == purpose) sets.push_back(trial.candidates);
  }
  return sets;
}

inline std::vector<reports::Purpose> purposes(const Fixture& lab) {
  std::vector<reports::Purpose> purposes;
  for (const auto& trial : lab.lab.trials) purposes.push_back(trial.purpose);
  return purposes;
}

}  // namespace patchlab::runners
