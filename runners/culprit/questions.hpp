// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "runners/culprit/costs.hpp"
#include "runners/culprit/fault_model.hpp"

namespace patchlab::runners {

// The set whose outcome tells most about which fault it is, for what its trial costs. Sets are prefixes of the order in
// which candidates are installed: those can be installed, and begin with a state that an earlier trial has left. Likely
// culprits are added to a prefix or left out of it, to look for who comes besides them; `never_asked` are always left
// out. Nothing when no set tells anything.
[[nodiscard]] std::optional<CandidateSet> most_telling_set(const FaultModel& model, const Prerequisites& prerequisites,
                                                           const CandidateSet& never_asked, const ExpectedCosts& costs);

}  // namespace patchlab::runners
