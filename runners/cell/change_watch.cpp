// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/change_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/state/certificate_ends.hpp"
#include "checks/state/compare.hpp"
#include "checks/state/file_changes.hpp"
#include "checks/state/learnt.hpp"
#include "checks/state/server_changes.hpp"
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

// Whether a server's settings changed because its package brings other ones, and for no other reason that is known.
bool comes_with(const std::string& kind, const std::set<std::string>& configuration, const Differences& unexplained) {
  const auto folder = checks::state::folder_of_settings(kind);
  const auto below = [&](const std::string& path) { return path.starts_with(folder); };
  return !folder.empty() && std::ranges::any_of(configuration, below) &&
         std::ranges::none_of(unexplained, [&](const auto& one) { return below(one.item); });
}

}  // namespace

namespace {

// What services that were stopped under load leave in files is chance.
std::vector<std::string> quiet_phases(const TrialPolicy& policy) {
  auto planned = planned_phases(policy);
  std::erase(planned, reports::services_phase);
  std::erase(planned, reports::next_package_phase);  // its package brings files
  return planned;
}

}  // namespace

bool is_watched(const std::string& phase, const TrialPolicy& policy) {
  const auto planned = quiet_phases(policy);
  const auto last =
      std::find_if(planned.rbegin(), planned.rend(), [](const auto& one) { return !reports::is_clock_phase(one); });
  return phase == reports::after_install_phase || (last != planned.rend() && phase == *last) ||
         (!planned.empty() && phase == planned.back());
}

ChangeWatch::Servers servers_in(const std::string& phase, const TrialPolicy& policy) {
  const auto planned = quiet_phases(policy);
  const bool last = !planned.empty() && phase == planned.back();
  return policy.server_state && last ? ChangeWatch::Servers::asked : ChangeWatch::Servers::not_asked;
}

std::map<std::string, std::string> ChangeWatch::unseen() const {
  auto unseen = baseline_.state.absent_sources;
  if (servers_) unseen.merge(checks::state::servers_not_asked(*servers_));
  return unseen;
}

Result<void> ChangeWatch::remember(lab::guest::GuestAdapter& adapter, Servers servers) {
  std::set<std::string> packages;
  for (const auto& [candidate, shipped] : shipped_) {
    for (const auto& package : shipped) packages.insert(package.package);
  }
  PATCHLAB_ASSIGN(auto view, adapter.view(lab::guest::GuestAdapter::Look::all, {packages.begin(), packages.end()}));
  watched_ = view.has_value();
  baseline_ = watched_ ? std::move(*view) : GuestView{};
  servers_.reset();
  if (servers == Servers::asked) {
    PATCHLAB_ASSIGN(servers_, adapter.servers());
  }
  // Said as what was not tested: what cannot be compared is not as it was.
  for (const auto& [kind, why] : baseline_.unreadable)
    baseline_.state.absent_sources[kind] = "could not be read: " + why;
  return {};
}

Result<Differences> ChangeWatch::differences(lab::guest::GuestAdapter& adapter,
                                             const std::vector<std::string>& candidates,
                                             const checks::state::Allowances& allowances,
                                             const std::set<std::string>& learnt, Servers servers,
                                             Certificates certificates) {
  if (!watched_) return Differences{};
  PATCHLAB_ASSIGN(auto now, adapter.view(lab::guest::GuestAdapter::Look::changes, {}));
  if (!now) return Error(infrastructure_error("a guest that could be looked at cannot be looked at any more"));
  for (const auto& [kind, why] : now->unreadable) {
    if (!baseline_.unreadable.contains(kind))
      return guest_error(fmt::format("what was there of kind '{}' cannot be read any more: {}", kind, why));
    now->state.absent_sources[kind] = "could not be read: " + why;
  }
  auto found = checks::state::compare(baseline_.state, now->state, {});
  const bool accounts_told =
      std::ranges::any_of(found, [](const auto& one) { return one.kind == "account" || one.kind == "group"; });
  const checks::state::Shipped shipped(packages_of(shipped_, candidates), baseline_.files, baseline_.owned);
  std::erase_if(found, [&](const auto& one) {
    return one.kind == "unit" && one.before.empty() && shipped.brings_unit(one.item);
  });
  leave_out_known(found, allowances, learnt);
  PATCHLAB_ASSIGN(auto changes, changed_files(adapter, candidates, *now, accounts_told, allowances, learnt));
  if (servers == Servers::asked && servers_) {
    PATCHLAB_ASSIGN(const auto said, adapter.servers());
    if (!said) return Error(infrastructure_error("servers that could be asked cannot be asked any more"));
    auto told = checks::state::compare_servers(*servers_, *said);
    leave_out_known(told, allowances, learnt);
    for (auto& one : told) {
      if (one.finding == checks::state::FindingClass::review &&
          comes_with(one.kind, changes.configuration, changes.files)) {
        one.finding = checks::state::FindingClass::notice;
        one.why = "its package brings this configuration";
      }
    }
    checks::state::say_which_end_sooner(told);
    std::ranges::move(told, std::back_inserter(found));
    auto ends = checks::state::certificate_ends(*said, certificates.today, certificates.within);
    leave_out_known(ends, allowances, {});
    std::ranges::move(ends, std::back_inserter(found));
  }
  std::ranges::move(changes.files, std::back_inserter(found));
  return found;
}

Result<ChangeWatch::Explained> ChangeWatch::changed_files(lab::guest::GuestAdapter& adapter,
                                                          const std::vector<std::string>& candidates,
                                                          const GuestView& now, bool accounts_told,
                                                          const checks::state::Allowances& allowances,
                                                          const std::set<std::string>& learnt) {
  using checks::state::Accounts;
  const checks::state::Shipped shipped(packages_of(shipped_, candidates), baseline_.files, baseline_.owned);
  const auto changes = checks::state::changed_files(baseline_.files, now.files);
  PATCHLAB_ASSIGN(const auto digests, adapter.digests(checks::state::to_be_read(changes)));
  auto found = checks::state::unexplained_files(changes, shipped, {baseline_.digests, digests}, now,
                                                accounts_told ? Accounts::told : Accounts::as_before);
  Explained explained;
  for (const auto& change : changes) {
    const bool is_explained =
        std::ranges::none_of(found, [&](const auto& one) { return one.kind == "file" && one.item == change.path; });
    if (change.after != nullptr && shipped.is_conffile(change.path) && is_explained)
      explained.configuration.insert(change.path);
  }
  leave_out_known(found, allowances, learnt);
  std::vector<std::string> shown;
  for (const auto& one : found) {
    const auto file = now.files.find(one.item);
    const bool can_be = one.kind == "file" && file != now.files.end() &&
                        checks::state::may_be_shown(one.item, file->second) &&
                        (one.before.empty() || baseline_.texts.contains(one.item)) && shown.size() < most_diffs;
    if (can_be) shown.push_back(one.item);
  }
  explained.files = std::move(found);
  if (shown.empty()) return explained;
  PATCHLAB_ASSIGN(const auto texts, adapter.texts(shown));
  for (auto& one : explained.files) {
    const auto after = texts.find(one.item);
    if (one.kind != "file" || after == texts.end()) continue;
    const auto before = baseline_.texts.find(one.item);
    one = checks::state::with_diff(one, before == baseline_.texts.end() ? "" : before->second, after->second);
  }
  return explained;
}

}  // namespace patchlab::runners::cell
