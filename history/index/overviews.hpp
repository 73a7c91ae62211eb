// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "history/index/queries.hpp"

// What pages show of an index, beside what the command line asks (queries.hpp). The same rules hold.
namespace patchlab::history {

// --- one run
struct RunVerdict {
  std::string department;
  std::string candidate;
  std::string title;
  std::string severity;
  std::string kind;
  std::string digest;
  std::string outcome;
  std::string reason;
  std::string failed;         // "mail/deliver, mail/relay"
  std::string together_with;  // candidates
  std::string known_from;     // the earlier run that saw it fail, where this one did not try it
  std::string removal;
  std::string effect;  // of one that passed, whether what it brings was there; empty: not recorded
  bool operator==(const RunVerdict&) const = default;
};
struct RunMachine {
  std::string department;
  std::string machine;
  std::string role;
  std::string golden;
  bool operator==(const RunMachine&) const = default;
};
struct RunDetails {
  RunRow run;
  std::vector<RunVerdict> verdicts;  // by department, in the order of the run's candidates
  std::vector<RunMachine> machines;  // by department and name
  std::vector<CandidateLine> lines;  // of the ledger about it, in its order
};
// Nothing: there is no such run.
[[nodiscard]] Result<std::optional<RunDetails>> run_details(Database& database, const std::string& id);

// --- candidates
struct CandidateRow {
  std::string id;
  std::string title;  // as the newest run that had it names it
  std::string severity;
  std::string kind;
  std::string month;  // in which it was tested last
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t undecided = 0;
  bool operator==(const CandidateRow&) const = default;
};
struct CandidatesAnswer {
  std::vector<CandidateRow> candidates;  // those tested last first, then by name
  std::size_t of = 0;
};
[[nodiscard]] Result<CandidatesAnswer> candidates(Database& database, std::size_t most, std::size_t skip);

// --- departments
struct DepartmentRow {
  std::string name;
  // Of the newest run that has verdicts for it.
  std::string run;
  std::string started;
  bool complete = false;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t undecided = 0;
  std::size_t skipped = 0;
  std::string tested_in{};  // the department that was tested for it in that run, whose machines are alike; else empty
  bool operator==(const DepartmentRow&) const = default;
};
// In the order of their names.
[[nodiscard]] Result<std::vector<DepartmentRow>> departments(Database& database);
// What failed in the newest run that has verdicts for its department.
struct FailedVerdict {
  std::string department;
  std::string candidate;
  std::string run;
  std::string started;
  std::string reason;
  std::string failed;    // "mail/deliver, mail/relay"
  std::string machines;  // on which it was tried
  std::string known_from;
  std::string tested_in{};  // it failed there, and the department was not tested itself; empty: it failed here
  bool operator==(const FailedVerdict&) const = default;
};
// By department, then by candidate. What failed in a department fails in those that it was tested for.
[[nodiscard]] Result<std::vector<FailedVerdict>> failed_in_newest(Database& database,
                                                                  const std::vector<DepartmentRow>& departments);

}  // namespace patchlab::history
