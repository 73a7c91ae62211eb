// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
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

  // Whether the guest's servers are asked, too, what they have in force.
  enum class Servers { not_asked, asked };
  // The day that the guests live in, and within how many days from it the end of a certificate is told; 0: never.
  struct Certificates {
    std::chrono::sys_days today{};
    std::chrono::days within{0};
  };
  // Before anything is installed. An Error, of this and the next: it was not seen.
  [[nodiscard]] Result<void> remember(lab::guest::GuestAdapter& adapter, Servers servers);
  // What the guest has no means to tell by, and which servers do not answer.
  [[nodiscard]] std::map<std::string, std::string> unseen() const;
  // `candidates`: that are installed. `servers`: nothing is told of them when they were not asked before.
  // Certificates that end are told with and without candidates. Nothing for families that are not watched.
  [[nodiscard]] Result<std::vector<checks::state::StateDifference>> differences(
      lab::guest::GuestAdapter& adapter, const std::vector<std::string>& candidates,
      const checks::state::Allowances& allowances, const std::set<std::string>& learnt, Servers servers,
      Certificates certificates);

 private:
  struct Explained {
    std::vector<checks::state::StateDifference> files;  // what is not
    std::set<std::string> configuration;                // of the packages, which is exactly what they bring: paths
  };
  [[nodiscard]] Result<Explained> changed_files(lab::guest::GuestAdapter& adapter,
                                                const std::vector<std::string>& candidates, const GuestView& now,
                                                bool accounts_told, const checks::state::Allowances& allowances,
                                                const std::set<std::string>& learnt);

  const Shipped& shipped_;
  GuestView baseline_;
  std::optional<HostState> servers_;  // at the baseline
  bool watched_ = false;
};

// Whether a guest is looked at as a whole in this phase: when something was installed, and when all restarts are over,
// and at the end of all, when the clock was moved.
// Between them nothing could hide that the last look does not see.
[[nodiscard]] bool is_watched(const std::string& phase, const TrialPolicy& policy);
// Its servers are asked in the last phase only.
[[nodiscard]] ChangeWatch::Servers servers_in(const std::string& phase, const TrialPolicy& policy);

}  // namespace patchlab::runners::cell
