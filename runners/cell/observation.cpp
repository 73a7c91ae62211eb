// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/observation.hpp"

#include <fmt/format.h>

namespace patchlab::runners::cell {
namespace {

// What candidates change was worked out from that set: it must be the guest's own.
std::optional<Error> planned_with_another_set(const MachineJob& job, const InstalledSet& installed) {
  if (job.planned_with.empty() || job.planned_with == installed) return std::nullopt;
  const auto version_in = [](const InstalledSet& set, const std::string& package) {
    const auto found = set.find(package);
    return found == set.end() ? std::string("not installed") : found->second;
  };
  std::set<std::string> differing;
  for (const auto* set : {&job.planned_with, &installed}) {
    for (const auto& [package, version] : *set) {
      if (version_in(job.planned_with, package) != version_in(installed, package)) differing.insert(package);
    }
  }
  const auto& first = *differing.begin();
  return configuration_error(
      fmt::format("'{}' is not the machine that the run was planned with: {} packages differ, such as {}, planned with "
                  "{}, found {}",
                  job.plan.name, differing.size(), first, version_in(job.planned_with, first),
                  version_in(installed, first)),
      job.golden_domain.empty() ? "build the image again: patchlab image build"
                                : "copy /var/lib/dpkg/status from the machine again, for the scenario's 'dpkg_status'");
}

}  // namespace

Result<void> Observation::learn(reports::PhaseRecord& record) {
  const auto state = guest_.adapter->host_state(guest_.job.plan.services);
  const auto installed = guest_.adapter->installed();
  const auto restart_due =
      guest_.adapter->restart_habits().until_clear ? guest_.adapter->reboot_required() : Result<bool>(false);
  const auto effect = installed ? guest_.adapter->not_in_effect(*installed) : Result(lab::guest::NotInEffect{});
  if (!state) return state.error();
  if (!installed) return installed.error();
  if (!restart_due) return restart_due.error();
  if (!effect) return effect.error();
  record.error = planned_with_another_set(guest_.job, *installed);
  // Installers refuse to work then, and what the next restart brings would be blamed on a patch.
  if (*restart_due) record.differences.push_back({"restart", "pending", "none is due", "one is due"});
  // On a machine whose apt refuses to work no patch can be judged.
  if (const auto packages = state->facts.find("package system");
      packages != state->facts.end() && packages->second != "works")
    record.differences.push_back({"fact", packages->first, "works", packages->second});
  baseline_state_ = *state;
  baseline_effect_ = *effect;
  for (const auto* missing : {&state->absent_sources, &effect->unseen}) {
    for (const auto& [what, why] : *missing) record.not_observed.push_back(fmt::format("{}: {}", what, why));
  }
  usual_log_kinds_.insert(state->error_kinds.begin(), state->error_kinds.end());
  baseline_installed_ = seen_installed_ = *installed;
  for (const auto& service : guest_.job.plan.services) {
    const auto found = state->services.find(service);
    const auto now = found == state->services.end() ? std::string("absent") : found->second;
    if (now != "running") record.differences.push_back({"service", service, "running", now});
  }
  return {};
}

Result<void> Observation::compare(reports::PhaseRecord& record, const Expectation& expected, Patched patched) {
  PATCHLAB_TRY(compare_state(record));
  PATCHLAB_TRY(compare_installed(record, expected));
  return patched == Patched::yes ? compare_effect(record, expected) : Result<void>();
}

Result<void> Observation::compare_state(reports::PhaseRecord& record) {
  PATCHLAB_ASSIGN(const auto state, guest_.adapter->host_state(guest_.job.plan.services));
  auto known = usual_log_kinds_;
  known.insert(learnt_log_kinds_.begin(), learnt_log_kinds_.end());
  auto found = checks::state::compare(baseline_state_, state, guest_.job.plan.allowances, known);
  for (auto& difference : found) {
    if (difference.kind != checks::state::log_kind) continue;
    difference.finding = guest_.context.job.policy.new_errors;
    if (!difference.is_failure()) difference.why = "an error that neither the baseline nor the control logged";
  }
  record.differences.insert(record.differences.end(), found.begin(), found.end());
  return {};
}

Result<void> Observation::compare_installed(reports::PhaseRecord& record, const Expectation& expected) {
  PATCHLAB_ASSIGN(const auto installed, guest_.adapter->installed());
  auto found = checks::state::compare_installed(baseline_installed_, expected.installed, installed, expected.restart,
                                                guest_.job.plan.allowances);
  if (!found.widened.empty()) {
    record.error = guest_error(fmt::format("set widened on '{}': {}", guest_.name(), found.widened),
                               "add it to the candidate or declare it as a prerequisite");
  }
  if (!found.differences.empty() && expected.restart == checks::state::Restart::done) {
    PATCHLAB_ASSIGN(const auto undone, guest_.adapter->undone_by_restart(seen_installed_));
    for (const auto& sentence : undone)
      found.differences.push_back({"rollback", "restart", "installations stay", sentence});
  }
  record.differences.insert(record.differences.end(), found.differences.begin(), found.differences.end());
  seen_installed_ = installed;
  looked_at_installed_ = true;
  return {};
}

void Observation::tell_what_is_there(std::vector<reports::BroughtRecord>& brought) const {
  for (auto& one : brought) {
    one.found.reset();
    if (!looked_at_installed_) continue;
    const auto there = seen_installed_.find(one.item);
    one.found = there == seen_installed_.end() ? std::string() : there->second;
  }
}

// What was installed and never came into effect was not tested, however well everything else works.
Result<void> Observation::compare_effect(reports::PhaseRecord& record, const Expectation& expected) {
  const auto& policy = guest_.context.job.policy;
  const bool none_planned = policy.warm_reboots + policy.cold_reboots == 0;
  if (expected.restart == checks::state::Restart::outstanding && !none_planned) return {};
  PATCHLAB_ASSIGN(auto now, guest_.adapter->not_in_effect(seen_installed_));
  const bool waits = expected.restart == checks::state::Restart::outstanding;
  if (waits && guest_.adapter->restart_habits().until_clear) {
    PATCHLAB_ASSIGN(const bool due, guest_.adapter->reboot_required());
    if (due) now.pending["restart"] = "one is due";
  }
  const auto without_known = [](auto& found, const auto& known) {
    std::erase_if(found, [&](const auto& entry) {
      const auto same = known.find(entry.first);
      return same != known.end() && same->second == entry.second;
    });
  };
  without_known(now.pending, baseline_effect_.pending);
  without_known(now.unseen, baseline_effect_.unseen);
  for (const auto& [what, why] : now.unseen) {
    return configuration_error(fmt::format("whether what was installed on '{}' is in effect cannot be seen: {}: {}",
                                           guest_.name(), what, why));
  }
  for (const auto& [what, why] : now.pending) {
    const checks::state::StateDifference difference{"effect", what, "what is installed", why};
    if (guest_.job.plan.allowances.covers(difference)) continue;
    if (waits) {
      return configuration_error(fmt::format("installed on '{}', but not in effect: {}: {}", guest_.name(), what, why),
                                 "the trial plans no restart: raise 'warm_reboots', or allow it where nothing would "
                                 "run it in production either");
    }
    record.differences.push_back(difference);
  }
  return {};
}

}  // namespace patchlab::runners::cell
