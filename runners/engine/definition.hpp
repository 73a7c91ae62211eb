// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "lab/core/json.hpp"
#include "reports/record/record.hpp"
#include "runners/engine/run.hpp"

// Whether a department needs no trials, since another one of the same run has the same machines (docs/adr/0041).
namespace patchlab::runners {

// MachineRecord::definition_digest, of the machine of this index: SHA-256 over what is sent to the cell of it (the wire
// form of CellJob), with the network of the department and the policy of the trials, less what is known to decide
// nothing. So a new field counts until somebody says that it does not.
[[nodiscard]] std::string definition_digest(const Json& cell, std::size_t machine);

// "engineering=finance" as the department that is not to be tested, and the one that is; both empty: it is not that.
[[nodiscard]] std::pair<std::string, std::string> carried_words(const std::string& word);

// What must be known of a department before its trials so that it can be compared: the digests of its machines, and
// which candidates are for which of them.
void note_definition(const DepartmentJob& job, reports::DepartmentRecord& planned);

// What is known of a department before anything ran: if nothing ever does, the record says so.
[[nodiscard]] reports::DepartmentRecord planned_department(const Plan& plan, const DepartmentJob& job);

// Compares each department that Plan::carry names with the other one, sets DepartmentJob::tested_in where each of its
// machines is like that one's, and says so, or why not, in Plan::carried. Who is not like the other one is tested, as
// if nobody had asked for anything else.
void carry_over(Plan& plan);

}  // namespace patchlab::runners
