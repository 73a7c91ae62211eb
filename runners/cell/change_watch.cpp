// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/change_watch.hpp"

#include <algorithm>

#include "checks/state/compare.hpp"
#include "checks/state/file_changes.hpp"
#include "checks/state/learnt.hpp"
#include "reports/record/record.hpp"

namespace patchlab::runners::cell {
namespace {

using checks::state::StateDifference;
using Differences = std::vector<StateDifference>;

constexpr std::size_t most_diffs = 60;

std::vector<const ShippedPackage*> packages_of(const ChangeWatch::Shipped& shipped,
                                               const std::vector<std::string>& candidates) {
  std::vector<const ShippedPackage*> packages;
  for (const auto& candidate : candidates) {
    const auto found = shipped.find(candidate);
    if (found == shipped.end()) continue;
    for (const auto& package : found->second) packages.push_back(&package);
  }
  return packages;
}

void leave_out_known(Differences& differences, const checks::state::Allowances& allowances,
                     const std::set<std::string>& learnt) {
  std::erase_if(differences, [&](const auto& difference) {
    return allowances.covers(difference) || learnt.contains(checks::state::learnt_key(difference));
  });
}

}  // namespace

bool is_watched(const std::string& phase, const TrialPolicy& policy) {
  const auto planned = planned_phases(policy);
  return phase == reports::after_install_phase || (!planned.empty() && phase == planned.back());
}

Result<void> ChangeWatch::remember(lab::guest::GuestAdapter& adapter) {
  std::set<std::string> packages;
  for (const auto& [candidate, shipped] : shipped_) {
    for (const auto& package : shipped) packages.insert(package.package);
  }
  PATCHLAB_ASSIGN(auto view, adapter.view(lab::guest::GuestAdapter::Look::all, {packages.begin(), packages.end()}));
  watched_ = view.has_value();
  baseline_ = watched_ ? std::move(*view) : GuestView{};
  return {};
}

Result<Differences> ChangeWatch::differences(lab::guest::GuestAdapter& adapter,
                                             const std::vector<std::string>& candidates,
                                             const checks::state::Allowances& allowances,
                                             const std::set<std::string>& learnt) {
  if (!watched_) return Differences{};
  PATCHLAB_ASSIGN(const auto now, adapter.view(lab::guest::GuestAdapter::Look::changes, {}));
  if (!now) return Error(infrastructure_error("a guest that could be looked at cannot be looked at any more"));
  auto found = checks::state::compare(baseline_.state, now->state, {});
  const bool accounts_told =
      std::ranges::any_of(found, [](const auto& one) { return one.kind == "account" || one.kind == "group"; });
  const checks::state::Shipped shipped(packages_of(shipped_, candidates), baseline_.files, baseline_.owned);
  std::erase_if(found, [&](const auto& one) {
    return one.kind == "unit" && one.before.empty() && shipped.brings_unit(one.item);
  });
  leave_out_known(found, allowances, learnt);
  PATCHLAB_ASSIGN(auto files, changed_files(adapter, candidates, *now, accounts_told, allowances, learnt));
  std::ranges::move(files, std::back_inserter(found));
  return found;
}

Result<Differences> ChangeWatch::changed_files(lab::guest::GuestAdapter& adapter,
                                               const std::vector<std::string>& candidates, const GuestView& now,
                                               bool accounts_told, const checks::state::Allowances& allowances,
                                               const std::set<std::string>& learnt) {
  using checks::state::Accounts;
  const checks::state::Shipped shipped(packages_of(shipped_, candidates), baseline_.files, baseline_.owned);
  const auto changes = checks::state::changed_files(baseline_.files, now.files);
  PATCHLAB_ASSIGN(const auto digests, adapter.digests(checks::state::to_be_read(changes)));
  auto found = checks::state::unexplained_files(changes, shipped, {baseline_.digests, digests}, now,
                                                accounts_told ? Accounts::told : Accounts::as_before);
  leave_out_known(found, allowances, learnt);
  std::vector<std::string> shown;
  for (const auto& one : found) {
    const auto file = now.files.find(one.item);
    const bool can_be = one.kind == "file" && file != now.files.end() &&
                        checks::state::may_be_shown(one.item, file->second) &&
                        (one.before.empty() || baseline_.texts.contains(one.item)) && shown.size() < most_diffs;
    if (can_be) shown.push_back(one.item);
  }
  if (shown.empty()) return found;
  PATCHLAB_ASSIGN(const auto texts, adapter.texts(shown));
  for (auto& one : found) {
    const auto after = texts.find(one.item);
    if (one.kind != "file" || after == texts.end()) continue;
    const auto before = baseline_.texts.find(one.item);
    one = checks::state::with_diff(one, before == baseline_.texts.end() ? "" : before->second, after->second);
  }
  return found;
}

}  // namespace patchlab::runners::cell
