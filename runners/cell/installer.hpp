// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"
#include "runners/cell/expectation.hpp"
#include "runners/cell/observer_trouble.hpp"

namespace patchlab::runners::cell {

// Puts one candidate on a machine, or takes it away, and accounts for what the machine should hold then. `error` is set
// when it is not known how that ended.
class Installer {
 public:
  Installer(Guest& guest, ObserverTrouble& trouble) : guest_(guest), trouble_(trouble) {}

  // With the medium in the drive. Fills in `record`, which names machine and candidate.
  void install(const InstallJob& job, Expectation& expected, reports::InstallRecord& record,
               std::optional<Error>& error);
  // As far as the guest's family and the packages allow. What is expected afterwards is the baseline's.
  [[nodiscard]] reports::InstallRecord remove(const InstallJob& job, const InstalledSet& baseline,
                                              Expectation& expected, std::optional<Error>& error);

 private:
  [[nodiscard]] Result<void> account_for(const InstallJob& job, const lab::guest::InstallOutcome& outcome,
                                         Expectation& expected);
  [[nodiscard]] Result<void> adopt_installed(Expectation& expected);
  void keep_outcome(const Result<lab::guest::InstallOutcome>& outcome, reports::InstallRecord& record,
                    std::optional<Error>& error);

  Guest& guest_;
  ObserverTrouble& trouble_;
};

}  // namespace patchlab::runners::cell
