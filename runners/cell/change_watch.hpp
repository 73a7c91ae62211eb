// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/state/allowances.hpp"
#include "checks/state/state_difference.hpp"
#include "lab/guest/adapter.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::runners::cell {

// What a guest as a whole looks like when all is well, and what of it changed since then without being explained: by
// what the installed candidates bring, by what the guest did without them, or by the scenario. Of one machine; asked by
// one thread at a time. What the guest said first is kept here, outside of it, where no patch can change it.
class ChangeWatch {
 public:
  // `shipped`: what candidates bring for this machine, by their ids; must outlive this object.
  using Shipped = std::map<std::string, std::vector<ShippedPackage>>;
  explicit ChangeWatch(const Shipped& shipped) : shipped_(shipped) {}

  // Before anything is installed. An Error, of this and the next: it was not seen.
  [[nodiscard]] Result<void> remember(lab::guest::GuestAdapter& adapter);
  // What the guest has no means to tell by.
  [[nodiscard]] const std::map<std::string, std::string>& unseen() const { return baseline_.state.absent_sources; }
  // `candidates`: that are installed. Nothing for families that are not watched.
  [[nodiscard]] Result<std::vector<checks::state::StateDifference>> differences(
      lab::guest::GuestAdapter& adapter, const std::vector<std::string>& candidates,
      const checks::state::Allowances& allowances, const std::set<std::string>& learnt);

 private:
  [[nodiscard]] Result<std::vector<checks::state::StateDifference>> changed_files(
      lab::guest::GuestAdapter& adapter, const std::vector<std::string>& candidates, const GuestView& now,
      bool accounts_told, const checks::state::Allowances& allowances, const std::set<std::string>& learnt);

  const Shipped& shipped_;
  GuestView baseline_;
  bool watched_ = false;
};

// Whether a guest is looked at as a whole in this phase: when something was installed, and when all restarts are over.
// Between them nothing could hide that the last look does not see.
[[nodiscard]] bool is_watched(const std::string& phase, const TrialPolicy& policy);

}  // namespace patchlab::runners::cell
