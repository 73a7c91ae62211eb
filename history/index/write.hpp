// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "history/index/database.hpp"
#include "history/index/ledger_events.hpp"
#include "reports/record/record.hpp"

// Rows of one record, and of one line of the ledger; called within a transaction that writes.
namespace patchlab::history {

// Text as every database takes it: UTF-8 without NUL, and not longer than anybody reads in a table.
[[nodiscard]] std::string storable(const std::string& text);

class Writer {
 public:
  explicit Writer(Database& database) : database_(database) {}

  // A run that is not there yet, and what it adds to the sums of its month.
  [[nodiscard]] Result<void> add(const reports::RunRecord& record);
  [[nodiscard]] Result<void> add(const LedgerEvent& event);
  // Looks up which candidates are in the sets that lines of the ledger name of this run, where nobody did yet.
  [[nodiscard]] Result<void> name_candidates(const reports::RunRecord& record);

 private:
  [[nodiscard]] Result<void> add_run(const reports::RunRecord& record);
  [[nodiscard]] Result<void> add_department(const reports::RunRecord& record,
                                            const reports::DepartmentRecord& department);
  [[nodiscard]] Result<void> add_verdict(const reports::RunRecord& record, const std::string& department,
                                         const reports::VerdictRecord& verdict);
  [[nodiscard]] Result<void> add_machine(const std::string& run, const std::string& department,
                                         const reports::MachineRecord& machine);
  [[nodiscard]] Result<void> add_sums(const reports::RunRecord& record);
  [[nodiscard]] Result<void> add_tried(const reports::RunRecord& record);
  [[nodiscard]] Result<void> add_machines_said(const LedgerEvent& event);

  Database& database_;
  std::set<std::string> check_lists_;  // that this object has written
};

}  // namespace patchlab::history
