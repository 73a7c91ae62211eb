// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "reports/html/page.hpp"
#include "reports/record/changes.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/record.hpp"

// The sections of the page in reading order; html.cpp puts them together.
namespace patchlab::reports::html {

// `facts`: facts_of_run of the same record and decisions.
void write_header(Page& page, const RunRecord& record, const Decisions& decisions, const std::vector<RunFact>& facts,
                  const RunChanges& changes);
void write_decisions(Page& page, const RunRecord& record, const Decisions& decisions,
                     const std::vector<RunFact>& facts);
// Above so many, each department is told of in short.
inline constexpr std::size_t few_departments = 4;
// What the departments before told of changes: the same one is told once, and all together stay a page that a phone can
// load.
struct ToldChanges {
  std::map<std::string, std::string> in{};  // by name of the change: the department
  std::size_t room = 300'000;               // bytes, of what was there before and after
  std::size_t open = 5;        // in each department that are shown at once, and printed; of many departments none
  std::size_t articles = 100;  // of the others
};
void write_department(Page& page, const RunRecord& record, const DepartmentRecord& department,
                      const DecisionRecord& decision, const std::vector<RunFact>& facts, ToldChanges& told);
// Whether the table of trials has it: of many, those that passed with some patches are only counted, but for the final
// one.
[[nodiscard]] bool is_shown(const DepartmentRecord& department, const TrialRecord& trial);
// Parts of a department's section.
void write_matrix(Page& page, const RunRecord& record, const DepartmentRecord& department);
void write_failures(Page& page, const RunRecord& record, const DepartmentRecord& department);
// Changes that nothing explains and that failed nobody, with before and after.
void write_findings(Page& page, const DepartmentRecord& department, const DecisionRecord& decision, ToldChanges& told);
// Whether what the machines use up grows, and from which pace on that would have been seen.
void write_growth(Page& page, const DepartmentRecord& department);
void write_service_cycles(Page& page, const DepartmentRecord& department);
void write_next_package(Page& page, const DepartmentRecord& department);
void write_fence(Page& page, const FenceRecord& fence, const RunFact& fact);
// Parts of the whole run.
void write_timings(Page& page, const RunRecord& record);
void write_not_tested(Page& page, const RunRecord& record);
void write_inputs(Page& page, const RunRecord& record);

}  // namespace patchlab::reports::html
