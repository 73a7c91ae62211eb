// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "promotion/chain/head.hpp"
#include "promotion/statement/statement.hpp"
#include "reports/record/record.hpp"

// What is said of a run before its first machine and behind its last. Pure functions, so that two people who have the
// same record write the same bytes: whoever takes such a statement from somebody else makes it himself and compares.
namespace patchlab::promotion {

// What a statement can hold of a text that may be anybody's: one line that can be shown, cut off where it is too long.
[[nodiscard]] std::string statable(const std::string& text, const std::string& otherwise);

[[nodiscard]] SeenLedger seen(const ChainHead& head);

// Of each department the candidates that it was asked about, in the order that statements have.
[[nodiscard]] std::vector<StatementSubject> planned_subjects(const reports::RunRecord& planned);
// What narrowed the run, as on the command line: "--role dns".
[[nodiscard]] std::vector<std::string> asked_of(const reports::AskedRecord& asked);

// What a record does not know of the run that it plans.
struct BeginVoice {
  std::string by;
  std::string submitter;  // empty: not said
  std::string policy;     // digest; anything else: not said
  SeenLedger ledger;
  std::uint64_t attempt = 1;
};
[[nodiscard]] Statement begin_statement(const reports::RunRecord& planned, const BeginVoice& voice);

// `begun`: the bytes of the statement with which the run began. An error when that cannot be read.
[[nodiscard]] Result<Statement> end_statement(const reports::RunRecord& record, const std::string& run_json,
                                              const std::string& begun, const std::string& by,
                                              const SeenLedger& ledger);

// Why this record cannot be what came of a run that began so: another run, scenario, department, candidate, or one that
// was narrowed otherwise. Empty when it can.
[[nodiscard]] std::string why_not_of_this_run(const reports::RunRecord& record, const Statement& begun);

// Digests and sizes of the files of what final trials applied: what may be published of it.
[[nodiscard]] std::map<std::string, std::uint64_t> tested_files(const reports::RunRecord& record);

}  // namespace patchlab::promotion
