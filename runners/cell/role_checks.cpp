// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/role_checks.hpp"

#include "checks/registry/registry.hpp"

namespace patchlab::runners::cell {
namespace {

std::vector<checks::PlannedCheck> planned(const Guest& guest, const std::vector<checks::CheckSpec>& checks) {
  std::vector<checks::PlannedCheck> planned;
  const checks::Target target{guest.job.plan.address, guest.context.job.network.client, guest.context.check_interface,
                              guest.job.plan.name, guest.job.plan.role};
  for (const auto& spec : checks) planned.push_back({spec, target});
  return planned;
}

}  // namespace

checks::CheckWorkers check_workers(const Guest& guest) {
  checks::CheckWorkers workers;
  workers.program = checks::check_worker_of(guest.context.job.worker_program);
  workers.find = checks::find_check;
  workers.department = guest.context.asked.get();
  return workers;
}

std::vector<checks::CheckResult> ask_beside(Guest& guest) {
  return checks::run_checks(guest.context.processes, check_workers(guest), planned(guest, guest.job.plan.beside),
                            guest.context.stop);
}

RoleChecks::Round::Round(RoleChecks& checks, Learning learning)
    : checks_(checks),
      learning_(learning),
      planned_(planned(checks.guest_, checks.guest_.job.plan.checks)),
      workers_(check_workers(checks.guest_)),
      asking_(
          checks.guest_.context.processes, workers_,
          [this](const auto& check) { return checks_.second_chance(check, learning_); },
          [&guest = checks.guest_] { return guest.context.hypervisor.waited_for_processor(guest.name()); },
          checks.guest_.context.stop, &checks.memories_) {
  workers_.places = &places_;
}

// A few at a time: what is asked next may be answered, and that is work.
void RoleChecks::Round::let_more_in() { places_.let_in(4); }

void RoleChecks::Round::learn_durations(std::vector<checks::CheckResult>& results) {
  checks::learn_at_baseline(asking_, planned_, results, checks_.usual_durations_, checks_.guest_.context.clock);
}

void RoleChecks::Round::compare_durations(const std::string& phase, std::vector<checks::CheckResult>& results) {
  auto& clock = checks_.guest_.context.clock;
  if (learning_ == Learning::yes)
    checks::learn_in_control(asking_, planned_, phase, results, checks_.usual_durations_, clock);
  else
    checks::judge_slowness(asking_, planned_, phase, results, checks_.usual_durations_, clock);
}

void RoleChecks::begin_trial() {
  memories_.clear();
  laid_to_checks_.clear();
  failed_ = false;
  failed_checks_.clear();
}

std::function<checks::CheckResult(std::size_t)> RoleChecks::as_load() {
  auto all = planned(guest_, guest_.job.plan.checks);
  // Others have to be served meanwhile.
  std::erase_if(all, [](const auto& one) {
    const auto* check = checks::find_check(one.spec.kind);
    return check != nullptr && check->wants_to_be_alone();
  });
  if (all.empty()) return {};
  return [this, all = std::move(all)](std::size_t number) {
    const auto workers = check_workers(guest_);
    checks::Asking asking(
        guest_.context.processes, workers, [](const auto&) { return checks::SecondChance::always; },
        [this] { return guest_.context.hypervisor.waited_for_processor(guest_.name()); }, guest_.context.stop,
        &memories_);
    return asking.ask({all[number % all.size()]}).front();
  };
}

// A check that was steady without any patch gets one second chance in a night: what fails once after each restart, or
// now and then since the patch is there, is not taken for a flake each time.
checks::SecondChance RoleChecks::second_chance(const std::string& check, Learning learning) const {
  if (learning == Learning::yes) return checks::SecondChance::always;
  if (failed_checks_.contains(check)) return checks::SecondChance::used;
  if (flaky_without_patch_.contains(check)) return checks::SecondChance::always;
  return flaky_with_patch_.contains(check) ? checks::SecondChance::used : checks::SecondChance::once;
}

void RoleChecks::account_for_flaky(reports::PhaseRecord& record, Learning learning) {
  lay_log_to_flaky(record);
  if (failed_) return;
  for (const auto& result : record.checks) {
    if (!checks::is_flaky(result)) continue;
    (learning == Learning::yes ? flaky_without_patch_ : flaky_with_patch_).insert(result.id);
  }
}

void RoleChecks::lay_log_to_flaky(reports::PhaseRecord& record) {
  const auto steady_before = [&](const auto& check) {
    return checks::is_flaky(check) && second_chance(check.id, Learning::no) == checks::SecondChance::once;
  };
  const auto check = std::ranges::find_if(record.checks, steady_before);
  auto lines = Json::array();
  std::erase_if(record.differences, [&](const auto& difference) {
    if (difference.kind != checks::state::log_kind) return false;
    if (check == record.checks.end()) return laid_to_checks_.contains(difference.item);
    laid_to_checks_.insert(difference.item);
    lines.push_back(difference.item);
    return true;
  });
  if (lines.empty()) return;
  auto& failed = *std::ranges::find(check->tries, Outcome::fail, &checks::CheckTry::outcome);
  failed.evidence = Json{{"observed", std::move(failed.evidence)}, {"logged_in_this_phase", std::move(lines)}};
}

void RoleChecks::remember_failure(const reports::PhaseRecord& record) {
  failed_ = failed_ || record.outcome != Outcome::pass;
  for (const auto& check : record.checks) {
    if (check.outcome == Outcome::fail) failed_checks_.insert(check.id);
  }
}

}  // namespace patchlab::runners::cell
