// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/acquire/wanted.hpp"
#include "process/scan/scan.hpp"

// Which files the assessment asks for: a function over values.
namespace patchlab::process {

// An outcome of a decision table as a word of the command line: "fix on system upgrade" is "fix-on-system-upgrade".
[[nodiscard]] std::string timeline_word(const std::string& timeline);
// Those of the table, each once, in its order; and "none" for what closes no vulnerability.
[[nodiscard]] std::vector<std::string> timeline_words(const DecisionTable& table);

// The files of what is missing on any machine and has one of these timelines (all, when there are none), most urgent
// first; of an update that several machines lack each file once. Those of an update that is known to be bad are among
// them, and say so. `machines` are those of which the result is.
[[nodiscard]] std::vector<WantedFile> due_files(const ScanResult& result, const std::vector<ScannedMachine>& machines,
                                                const std::set<std::string>& timelines);

// The files of all that is on offer for any machine, due or not: SHA-256, and the update.
[[nodiscard]] std::map<std::string, std::string> offered_files(const std::vector<ScannedMachine>& machines);

}  // namespace patchlab::process
