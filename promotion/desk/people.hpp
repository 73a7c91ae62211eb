// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "promotion/approval/decisions.hpp"
#include "promotion/book/book.hpp"
#include "promotion/gate/people.hpp"
#include "promotion/policy/waivers.hpp"
#include "reports/record/record.hpp"

// What people decided (promotion/approval), as a policy takes it (promotion/policy) and the gate asks about it.
namespace patchlab::promotion {

// What a decision about these candidates of a run would be about.
[[nodiscard]] DecisionTarget target_of(const reports::RunRecord& record, const std::string& department,
                                       const std::vector<std::string>& set, const Policy& policy);

// Pure. `set`: ids of the candidates that the question is about.
[[nodiscard]] PeopleOn people_in(const Decisions& decisions, const Trust& trust, const Policy& policy,
                                 std::vector<std::string> set);
[[nodiscard]] ReasonCode code_of(WhyNot why);
// The waivers among them, one for each failure, in the order of the ledger: as a policy judges them.
[[nodiscard]] std::vector<WaiverGiven> waivers_given(const Decisions& decisions);

// What people decided about this department's sets in this very record, under this policy: first about what passed,
// then about each other set of the run that somebody named, if it was tried on the whole department. A ledger that
// cannot be read may hold a rejection: that is an objection.
[[nodiscard]] std::vector<PeopleOn> people_on(const DecisionBook& book, const reports::RunRecord& record,
                                              const reports::DepartmentRecord& department, const Policy& policy,
                                              Moment now);

}  // namespace patchlab::promotion
