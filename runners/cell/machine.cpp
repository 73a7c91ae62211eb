// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/machine.hpp"

#include <fmt/format.h>

#include "checks/state/rules.hpp"
#include "lab/core/files.hpp"
#include "lab/facts/facts.hpp"
#include "lab/guest/agent_loss.hpp"
#include "lab/guest/reboot.hpp"
#include "reports/record/effect.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::runners::cell {
namespace {

// The guest names its logs.
std::string safe_name(const std::string& name) {
  constexpr std::size_t longest = 200;
  auto safe = name.substr(0, longest);
  const auto is_odd = [](char c) { return c <= ' ' || c > '~' || c == '/' || c == '\\'; };
  std::ranges::replace_if(safe, is_odd, '_');
  return safe.empty() || safe.front() == '.' ? "_" + safe : safe;
}

using checks::state::StateDifference;
using reports::InstallRecord;
using reports::PhaseRecord;

}  // namespace

Outcome machine_outcome(const PhaseRecord& phase) {
  if (phase.error) return Outcome::error;
  auto outcome = checks::state::has_failure(phase.differences) ? Outcome::fail : Outcome::pass;
  // What was skipped was looked at by nobody: a patch has not passed it.
  for (const auto& check : phase.checks)
    outcome = combine(outcome, check.outcome == Outcome::skipped ? Outcome::error : check.outcome);
  return outcome;
}

CellMachine::CellMachine(CellContext& context, const MachineJob& job)
    : guest_(context, job), secrets_(redactor_for(context.job)) {}

Result<void> CellMachine::boot(const std::string& trial) {
  turns_.runs();
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  {
    const auto step = guest_.begin_step(trial, "boot", "the guest's start-up to finish");
    PATCHLAB_TRY(guest_.context.hypervisor.start(name()));
    PATCHLAB_ASSIGN(baseline_boot_id_,
                    lab::guest::await_boot(*guest_.adapter, guest_.agent, guest_.context.clock, {},
                                           guest_.context.job.policy.boot_timeout, guest_.context.stop,
                                           guest_.adapter->restart_habits().by_itself));
    expected_.boot_id = baseline_boot_id_;
  }
  turn.release_slot();
  return readiness_.wait(trial, Readiness::After::baseline);
}

Result<void> CellMachine::go_on_from_kept(const std::string& trial, const KeptBaseline& kept) {
  turns_.runs();
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  {
    const auto step = guest_.begin_step(trial, "revert", "the baseline of an earlier run to be back");
    const auto baseline = snapshots::SnapshotName::baseline().text();
    auto& hypervisor = guest_.context.hypervisor;
    PATCHLAB_TRY(hypervisor.adopt_snapshot(name(), baseline));
    if (const auto useless = kept.useless.find(name()); useless != kept.useless.end()) {
      for (const auto& snapshot : useless->second) {
        if (hypervisor.adopt_snapshot(name(), snapshot)) (void)hypervisor.delete_snapshot(name(), snapshot);
      }
    }
    if (const auto patched = kept.patched.find(name()); patched != kept.patched.end())
      kept_states_.adopt(patched->second);
    PATCHLAB_TRY(hypervisor.revert(name(), baseline));
    PATCHLAB_TRY(await_agent_and_set_clock());
    PATCHLAB_ASSIGN(baseline_boot_id_,
                    lab::guest::await_boot(*guest_.adapter, guest_.agent, guest_.context.clock, {},
                                           guest_.context.job.policy.boot_timeout, guest_.context.stop, 0));
    expected_.boot_id = baseline_boot_id_;
  }
  turn.release_slot();
  PATCHLAB_TRY(readiness_.wait(trial, Readiness::After::baseline));
  readiness_.set_usual(kept.usual_ready.at(name()));  // of a start; the ports were open already
  return {};
}

Result<void> CellMachine::await_agent_and_set_clock() {
  const Wait wait{.awaited = fmt::format("the guest agent of reverted machine '{}'", name()),
                  .deadline = std::chrono::seconds(60),
                  .interval = Milliseconds(50),
                  .last_seen = {},
                  .stop = guest_.context.stop};
  PATCHLAB_TRY(wait_until(guest_.context.clock, wait, [&] { return guest_.agent.answers(std::chrono::seconds(2)); }));
  later_ = Milliseconds(0);
  return guest_.agent.set_time_to_host();
}

PhaseRecord CellMachine::observe_baseline() {
  PhaseRecord record{.phase = "baseline",
                     .machine = name(),
                     .outcome = Outcome::not_reached,
                     .checks = {},
                     .differences = {},
                     .error = {}};
  auto turn = turns_.take();
  if (!turn) {
    record.error = turn.error();
    record.outcome = Outcome::error;
    return record;
  }
  {
    const auto step = guest_.begin_step("", "checks", "the role's checks");
    role_checks_.forget_phases();
    RoleChecks::Round round(role_checks_, Learning::yes);
    record.checks = round.ask();
    round.learn_durations(record.checks);
    for (const auto& check : record.checks) {
      const auto& seen = check.evidence;
      if (check.kind == "dhcp.lease" && seen.is_object() && seen.contains("rebinding_s") &&
          seen["rebinding_s"].is_number_integer())
        lease_t2_ = std::chrono::seconds(seen["rebinding_s"].get<std::int64_t>());
    }
    role_checks_.account_for_flaky(record, Learning::yes);
    // Before the logs are looked at: what a plugin leaves there is known from then on.
    record.beside = cell::ask_beside(guest_);
  }
  {
    const auto step = guest_.begin_step("", reports::state_step, "what the guest is like when all is well");
    if (guest_.context.job.facts) keep_facts();
    if (const auto seen = observation_.learn(record); !seen)
      record.error = lab::guest::observer_trouble(trouble_.unobserved(seen.error()));
    else if (const auto watched = watch_.remember(*guest_.adapter, guest_.context.job.policy.server_state
                                                                       ? ChangeWatch::Servers::asked
                                                                       : ChangeWatch::Servers::not_asked);
             !watched)
      record.error = lab::guest::observer_trouble(trouble_.unobserved(watched.error()));
    for (const auto& [what, why] : watch_.unseen()) record.not_observed.push_back(fmt::format("{}: {}", what, why));
    expected_.installed = observation_.baseline_installed();
  }
  const auto quiet = readiness_.settle("");  // a guest that always has something to do is saved as it is
  baseline_was_quiet_ = quiet && *quiet;
  if (!quiet && !record.error) record.error = trouble_.unobserved(quiet.error());
  host_share_.phase_is_over();
  record.outcome = machine_outcome(record);
  return record;
}

Result<void> CellMachine::revert(const std::string& trial, const std::vector<InstallJob>& jobs,
                                 Checkpoints checkpoints) {
  turns_.runs();
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  use_checkpoints_ = checkpoints;
  candidates_.clear();
  for (const auto& job : jobs) candidates_.push_back(job.candidate);
  for (;;) {
    const auto start =
        kept_states_.start_for(jobs, checkpoints, {observation_.baseline_installed(), baseline_boot_id_});
    auto back = go_back_to(start, trial);
    if (back || !start.is_of_earlier_run() || guest_.context.stop.stop_requested()) return back;
    kept_states_.forget(start.snapshot);  // it costs no trial
    (void)guest_.context.hypervisor.power_off(name());
  }
}

Result<void> CellMachine::go_back_to(const KeptStates::Start& start, const std::string& trial) {
  const auto step = guest_.begin_step(
      trial, "revert",
      start.installs.empty() ? "the baseline to be back"
                             : fmt::format("the state with {} candidates installed to be back", start.installs.size()));
  applied_ = start.installs;
  expected_ = start.expected;
  observation_.begin_trial();
  ran_on_ = {};
  cycled_ = {};
  logged_by_cycles_.clear();
  next_package_.reset();
  role_checks_.begin_trial();
  trouble_.forget();
  patched_ = Observation::Patched::no;
  if (auto reverted = guest_.context.hypervisor.revert(name(), start.snapshot.text()); !reverted) {
    kept_states_.forget(start.snapshot);  // the trial is tried again, and must not meet the same trouble
    return reverted;
  }
  return await_agent_and_set_clock();
}

Result<void> CellMachine::compare_whole(PhaseRecord& record) {
  PATCHLAB_ASSIGN(auto found,
                  watch_.differences(*guest_.adapter, candidates_, guest_.job.plan.allowances, known_changes_,
                                     servers_in(record.phase, guest_.context.job.policy),
                                     {std::chrono::floor<std::chrono::days>(guest_.context.clock.wall() + later_),
                                      guest_.context.job.policy.certificate_days}));
  // The lab moved it.
  if (reports::is_clock_phase(record.phase))
    std::erase_if(found, [](const auto& one) { return one.kind == "clock" && one.after.ends_with(" minutes ahead"); });
  std::ranges::move(found, std::back_inserter(record.differences));
  return {};
}

void CellMachine::compare_growth(const RanOn& seen, PhaseRecord& record, Learning learning) {
  if (!seen.watched) return;
  if (learning == Learning::yes) {
    usual_growth_ = *seen.watched;
    record.growth = checks::growth::judged_alone(*seen.watched, seen.why_unwatched);
    return;
  }
  const auto* usual = usual_growth_ ? &*usual_growth_ : nullptr;
  record.growth = checks::growth::judged(*seen.watched, usual, seen.why_unwatched);
  for (auto& finding : checks::growth::findings(*record.growth, usual == nullptr ? 0 : usual->failed)) {
    if (!guest_.job.plan.allowances.covers(finding)) record.differences.push_back(std::move(finding));
  }
}

void CellMachine::compare_cycles(Cycled seen, PhaseRecord& record, Learning learning) {
  const bool is_its_phase = record.phase == reports::services_phase;
  // Which check meets which stop is chance, and so is what servers log of clients that they left: no line of these is
  // held against a patch, here or later in the trial. It is recorded once.
  std::erase_if(record.differences, [&](auto& difference) {
    if (difference.kind != checks::state::log_kind || learning == Learning::yes) return false;
    if (!is_its_phase) return logged_by_cycles_.contains(difference.item);
    logged_by_cycles_.insert(difference.item);
    difference.finding = checks::state::FindingClass::notice;
    difference.why = "logged while services were stopped under load, where it depends on chance";
    return false;
  });
  if (!is_its_phase) return;
  std::ranges::copy_if(seen.findings, std::back_inserter(record.differences),
                       [&](const auto& finding) { return !guest_.job.plan.allowances.covers(finding); });
  record.service_cycles = std::move(seen.record);
}

void CellMachine::compare_next(std::optional<reports::NextPackage> next, PhaseRecord& record) {
  if (record.phase != reports::next_package_phase) return;
  record.next_package = std::move(next);
  if (!record.next_package || !record.next_package->install) return;
  const auto& install = *record.next_package->install;
  if (install.outcome == Outcome::pass) return;
  const auto finding = checks::state::classified(
      {checks::state::next_package_kind, install.candidate, "installed",
       fmt::format("{}, exit code {}: {}", install.end.empty() ? "not installed" : install.end, install.exit_code,
                   install.log.substr(install.log.size() - std::min<std::size_t>(install.log.size(), 500)))});
  if (!guest_.job.plan.allowances.covers(finding)) record.differences.push_back(finding);
}

// What may fail without a patch is held against one only beside a control that was put to the same.
void CellMachine::compare_with_control(PhaseRecord& record, Learning learning) {
  if (!reports::may_fail_without_patch(record.phase)) return;
  if (learning == Learning::yes) {
    usual_phases_.insert(record.phase);
    return;
  }
  leave_out_usual_failures(record);
  const bool fails = checks::state::has_failure(record.differences) ||
                     std::ranges::count(record.checks, Outcome::fail, &checks::CheckResult::outcome) > 0;
  if (!fails || record.error || usual_phases_.contains(record.phase) || reports::is_clock_phase(record.phase)) return;
  record.error = infrastructure_error(
      fmt::format("something failed on '{}' in phase '{}', and no control was put to the same", name(), record.phase));
}

PhaseRecord CellMachine::examine(const std::string& trial, const std::string& phase, Learning learning) {
  PhaseRecord record{
      .phase = phase, .machine = name(), .outcome = Outcome::not_reached, .checks = {}, .differences = {}, .error = {}};
  auto turn = turns_.take();
  if (!turn) {
    record.error = turn.error();
    record.outcome = Outcome::error;
    return record;
  }
  RoleChecks::Round round(role_checks_, learning);
  {
    const auto step = guest_.begin_step(trial, "checks", "the role's checks");
    const IdleWatch watch(guest_, [&](IdleWatch::Because because) {
      turn->release_slot();
      if (because == IdleWatch::Because::idle) round.let_more_in();
    });
    record.checks = round.ask();
  }
  if (auto taken = turn->take_slot_again(); !taken) {
    record.error = std::move(taken).error();
    record.outcome = Outcome::error;
    return record;
  }
  {
    const auto step = guest_.begin_step(trial, "checks", "what checks say that were slower than before");
    round.compare_durations(phase, record.checks);
  }
  Result<void> looked;
  {
    const auto step = guest_.begin_step(trial, reports::state_step, "what changed in the guest");
    looked = observation_.compare(record, expected_, patched_);
    if (looked && is_watched(phase, guest_.context.job.policy)) looked = compare_whole(record);
  }
  role_checks_.account_for_flaky(record, learning);
  const auto seen = std::exchange(ran_on_, {});
  compare_growth(seen, record, learning);
  const auto ran_on = seen.compare(guest_.job, record);
  if (looked) looked = ran_on;
  compare_cycles(std::exchange(cycled_, {}), record, learning);
  compare_next(std::exchange(next_package_, {}), record);
  compare_with_control(record, learning);
  if (!looked) {
    record.error = lab::guest::observer_trouble(trouble_.unobserved(std::move(looked).error()));
    if (record.error->error_class == ErrorClass::silent) {
      const bool role = std::ranges::count(record.checks, Outcome::pass, &checks::CheckResult::outcome) > 0;
      const auto loss = lab::guest::agent_loss({false, role, lab::MachineState::running});
      record.error = std::move(*record.error).while_doing(lab::guest::described(loss));
    }
  }
  record.outcome = machine_outcome(record);
  if (record.outcome == Outcome::fail) {
    // A machine that QEMU itself lost says nothing about a patch.
    const auto state = guest_.context.hypervisor.state(name());
    if (!state)
      record.error = state.error();
    else if (*state != lab::MachineState::running)
      record.error = infrastructure_error(fmt::format("machine '{}' is not running any more", name()));
    record.outcome = machine_outcome(record);
  }
  host_share_.excuse_log_of_starved(record);
  if (learning == Learning::no) role_checks_.remember_failure(record);
  return record;
}

std::vector<checks::CheckResult> CellMachine::ask_beside(const std::string& trial) {
  auto turn = turns_.take();
  if (!turn) return {};
  const auto step = guest_.begin_step(trial, "beside", "what others than the role's checks say");
  return cell::ask_beside(guest_);
}

std::vector<InstallRecord> CellMachine::install(const std::string& trial, const std::vector<InstallJob>& jobs,
                                                const std::filesystem::path& medium, std::optional<Error>& error) {
  std::vector<InstallRecord> records;
  for (const auto& job : jobs) {
    records.push_back({.machine = name(),
                       .candidate = job.candidate,
                       .outcome = Outcome::not_reached,
                       .exit_code = 0,
                       .log = {},
                       .duration_ms = 0});
  }
  std::ranges::copy(applied_, records.begin());
  patched_ = Observation::Patched::yes;
  if (applied_.size() == jobs.size()) return records;
  auto turn = turns_.take();
  if (!turn) {
    error = turn.error();
    return records;
  }
  const auto step =
      guest_.begin_step(trial, "install", fmt::format("{} candidates to be installed", jobs.size() - applied_.size()));
  if (auto inserted = guest_.context.hypervisor.change_medium(name(), medium); !inserted) {
    error = inserted.error();
    return records;
  }
  // What is on the machine, which the trial after one that learnt what the guest does not take starts from.
  std::vector<InstallJob> taken(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(applied_.size()));
  auto done = applied_;
  for (auto i = applied_.size(); i < jobs.size(); ++i) {
    auto& record = records[i];
    installer_.install(jobs[i], expected_, record, error);
    if (record.outcome == Outcome::skipped) continue;
    if (record.outcome != Outcome::pass) break;
    taken.push_back(jobs[i]);
    done.push_back(record);
    if (use_checkpoints_ == Checkpoints::no || !KeptStates::is_worth_saving(record)) continue;
    auto saved = kept_states_.save(trial, taken, done, expected_);
    if (saved && i + 1 < jobs.size()) saved = guest_.context.hypervisor.change_medium(name(), medium);
    if (!saved) {
      error = std::move(saved).error().while_doing(
          fmt::format("saving '{}' with {} candidates installed", name(), done.size()));
      return records;
    }
  }
  if (auto ejected = guest_.context.hypervisor.change_medium(name(), {}); !ejected && !error) error = ejected.error();
  return records;
}

std::optional<StateDifference> CellMachine::look_at_effect(InstallRecord& install) const {
  if (install.brought) observation_.tell_what_is_there(*install.brought);
  auto finding = reports::finding_of(install);
  if (finding && guest_.job.plan.allowances.covers(*finding)) finding.reset();
  return finding;
}

std::vector<InstallRecord> CellMachine::remove(const std::string& trial, const std::vector<InstallJob>& jobs,
                                               std::optional<Error>& error) {
  std::vector<InstallRecord> records;
  auto turn = turns_.take();
  if (!turn) {
    error = turn.error();
    return records;
  }
  const auto step = guest_.begin_step(trial, "remove", fmt::format("{} candidates to be removed", jobs.size()));
  for (auto job = jobs.rbegin(); job != jobs.rend() && !error; ++job)
    records.push_back(installer_.remove(*job, observation_.baseline_installed(), expected_, error));
  return records;
}

std::optional<PhaseRecord> CellMachine::reboot(const std::string& trial, const std::string& phase, Reboot kind) {
  PhaseRecord record{
      .phase = phase, .machine = name(), .outcome = Outcome::fail, .checks = {}, .differences = {}, .error = {}};
  auto turn = turns_.take();
  if (!turn) {
    record.error = turn.error();
    record.outcome = Outcome::error;
    return record;
  }
  {
    const auto step = guest_.begin_step(trial, "reboot", "the guest to come back with a new boot id");
    const auto rebooted = restart(guest_, kind, expected_);
    if (!rebooted) {
      const auto trouble = trouble_.missed_restart(rebooted.error());
      if (trouble.error_class == ErrorClass::guest)
        record.differences.push_back({"boot", "start-up", "completes", trouble.message});
      else
        record.error = trouble;
      record.outcome = machine_outcome(record);
      return record;
    }
  }
  // Ports that stay shut are for the checks to report, with what they see; here they only end the wait. Waiting needs
  // no processor slot.
  turn->release_slot();
  if (const auto ready = readiness_.wait(trial, Readiness::After::patch);
      !ready && ready.error().error_class == ErrorClass::cancelled) {
    record.error = ready.error();
    record.outcome = Outcome::error;
    return record;
  }
  return std::nullopt;
}

Result<void> CellMachine::run_on(const std::string& trial, Milliseconds duration) {
  PATCHLAB_TRY(turns_.wake());
  const auto step = guest_.begin_step(trial, reports::stability_phase, "the machine to have run on for a while");
  const Load load{guest_.context.job.policy.stability_load, role_checks_.as_load()};
  auto ended = cell::run_on(guest_, duration, baseline_was_quiet_, load, ran_on_);
  turns_.rest();
  return ended;
}

Result<void> CellMachine::cycle_services(const std::string& trial) {
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  cycled_ = {};
  {
    const auto step =
        guest_.begin_step(trial, reports::services_phase, "the role's services to have been stopped and started");
    const Load load{.ask = role_checks_.as_load()};
    if (auto cycled = cell::cycle_services(guest_, expected_.boot_id, load, cycled_); !cycled) {
      if (cycled.error().error_class == ErrorClass::cancelled) return cycled;
      return lab::guest::observer_trouble(trouble_.unobserved(std::move(cycled).error()));
    }
  }
  turn.release_slot();
  // As after a restart: what stays shut is for the checks to report.
  if (auto ready = readiness_.wait(trial, Readiness::After::patch);
      !ready && ready.error().error_class == ErrorClass::cancelled)
    return ready;
  return {};
}

Result<void> CellMachine::install_next(const std::string& trial, const std::filesystem::path& medium) {
  auto& next = next_package_.emplace();
  next.why_not = guest_.job.why_no_next_package;
  if (!guest_.job.next_package) return {};
  const auto& job = *guest_.job.next_package;
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  const auto step =
      guest_.begin_step(trial, reports::next_package_phase, "another package to be installed behind the set");
  PATCHLAB_TRY(guest_.context.hypervisor.change_medium(name(), medium));
  InstallRecord record{.machine = name(),
                       .candidate = job.candidate,
                       .outcome = Outcome::not_reached,
                       .exit_code = 0,
                       .log = {},
                       .duration_ms = 0};
  std::optional<Error> error;
  installer_.install(job, expected_, record, error);
  if (auto ejected = guest_.context.hypervisor.change_medium(name(), {}); !ejected && !error) error = ejected.error();
  if (error) return std::move(*error);
  next.install = std::move(record);
  return {};
}

Result<void> CellMachine::move_clock(const std::string& trial, const std::string& phase, Milliseconds later) {
  PATCHLAB_TRY(turns_.wake());
  role_checks_.forget_phases();
  {
    const auto step = guest_.begin_step(trial, phase, "the machine to live in a later time");
    PATCHLAB_TRY(guest_.agent.set_time_to_host(later));
    later_ = later;
  }
  // What waits for that time begins now: timers, leases that end. Some guests always have something to do.
  const auto quiet = readiness_.settle(trial);
  turns_.rest();
  if (!quiet) return quiet.error();
  return {};
}

namespace {

// Moves what fails and `is_usual` to fails_without_patch.
template <class IsUsual>
void set_aside(PhaseRecord& record, IsUsual is_usual) {
  std::erase_if(record.checks, [&](const auto& check) {
    if (check.outcome != Outcome::fail || !is_usual(check.id)) return false;
    record.fails_without_patch[check.id] = fmt::format("{}: {}", check.reason, check.observed);
    return true;
  });
  std::erase_if(record.differences, [&](const auto& difference) {
    if (!difference.is_failure() || !is_usual(fact_of(difference))) return false;
    record.fails_without_patch[fact_of(difference)] = fmt::format("{} -> {}", difference.before, difference.after);
    return true;
  });
}

}  // namespace

void CellMachine::learn_failures(PhaseRecord& record) {
  set_aside(record, [](const auto&) { return true; });
  for (const auto& [fact, seen] : record.fails_without_patch) usual_failures_[record.phase].insert(fact);
}

void CellMachine::leave_out_usual_failures(PhaseRecord& record) const {
  const auto usual = usual_failures_.find(record.phase);
  if (usual != usual_failures_.end()) set_aside(record, [&](const auto& fact) { return usual->second.contains(fact); });
}

ControlKnowledge CellMachine::control_knowledge() {
  return {.log_kinds = observation_.learnt_log_kinds(),
          .changes = known_changes_,
          .failures = usual_failures_,
          .slower = role_checks_.usual_durations().beyond_baseline(),
          .growth = usual_growth_,
          .phases = usual_phases_};
}

void CellMachine::know(const ControlKnowledge& knowledge) {
  observation_.learn_only(knowledge.log_kinds);
  known_changes_ = knowledge.changes;
  usual_failures_ = knowledge.failures;
  role_checks_.usual_durations().was_beyond_baseline(knowledge.slower);
  usual_growth_ = knowledge.growth;
  usual_phases_ = knowledge.phases;
}

Result<checks::learn::Learnt> CellMachine::learn(const LearnJob::Wanted& wanted) {
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  return learn_checks(guest_, wanted);
}

Result<GuestReplies> CellMachine::record() {
  turns_.runs();
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  PATCHLAB_TRY(guest_.context.hypervisor.start(name()));
  return replies_of(guest_);
}

Result<CellMachine::PackageList> CellMachine::package_list() {
  if (guest_.job.system.family != GuestFamily::debian)
    return configuration_error(fmt::format("'{}' has no list of packages", name()));
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  PackageList list;
  PATCHLAB_ASSIGN(list.installed, guest_.adapter->installed());
  constexpr std::size_t largest_list = 16U << 20U;
  PATCHLAB_ASSIGN(list.text, guest_.agent.read_file("/var/lib/dpkg/status", largest_list));
  // From now on why_not_here() knows what of it is not in effect.
  PATCHLAB_TRY(guest_.adapter->not_in_effect(list.installed));
  return list;
}

Result<void> CellMachine::shut_down(const std::string& trial) {
  PATCHLAB_ASSIGN(auto turn, turns_.take());
  const auto step = guest_.begin_step(trial, "shutdown", "the guest to switch itself off");
  return lab::guest::power_off_cleanly(*guest_.adapter, guest_.agent, guest_.context.hypervisor, guest_.context.clock,
                                       guest_.context.job.policy.boot_timeout, guest_.context.stop);
}

Result<lab::guest::OutreachSeen> CellMachine::reach_out(const lab::guest::Outreach& wanted) {
  PATCHLAB_TRY(turns_.wake());
  auto seen = guest_.adapter->reach_out(wanted);
  turns_.rest();
  return seen;
}

void CellMachine::keep_evidence(const std::filesystem::path& file, const std::string& text) const {
  (void)write_file_atomically(file, secrets_.text(text));
}

// Before anything is remembered of the guest: nothing that this leaves there is taken for a patch's. It decides
// nothing, so it is in nobody's way: what could not be asked is not known.
void CellMachine::keep_facts() {
  const auto folder = guest_.context.job.evidence / lab::facts::evidence_folder;
  if (!create_folders(folder)) return;
  const auto file = folder / (name() + ".json");
  const auto not_said = [&](const std::string& why) { keep_evidence(folder / (name() + ".txt"), why + "\n"); };
  std::error_code ignored;
  std::filesystem::remove(file, ignored);  // of another try
  switch (guest_.job.system.family) {
    case GuestFamily::windows: return not_said("a clone that runs Windows is not asked by this version");
    case GuestFamily::debian: break;
  }
  // An emulated guest starts ten programs a second, and a file of configuration needs three.
  constexpr Milliseconds limit = std::chrono::minutes(5);
  const auto said = guest_.agent.run_script(lab::facts::debian_script, {}, limit, guest_.context.stop);
  if (!said) return not_said(said.error().message);
  if (said->exit_code != 0 || said->signalled)
    return not_said(fmt::format("the script ended with {}: {}", said->exit_code, said->errors));
  keep_evidence(file, said->output);
}

void CellMachine::save_evidence(const std::filesystem::path& folder) {
  if (!create_folders(folder)) return;
  if (const auto replies = trouble_.take_replies(); !replies.empty())
    keep_evidence(folder / "guest-replies.txt", replies);
  auto turn = turns_.take();
  if (!turn) return;
  auto texts = guest_.adapter->evidence();
  if (!texts) {
    keep_evidence(folder / "evidence-missing.txt", texts.error().message + "\n");
    return;
  }
  for (const auto& [file, text] : *texts) {
    keep_evidence(folder / safe_name(file), text);
  }
}

}  // namespace patchlab::runners::cell
