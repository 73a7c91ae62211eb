// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "reports/record/record.hpp"

// A guest agent that gives no answer at all: the patch may have broken it, or it was lost by chance, as agents are. One
// trial cannot tell, so it ends in `error` (class silent). Pure.
namespace patchlab::runners {

// Machines whose guest fell silent in this trial.
[[nodiscard]] std::set<std::string> silent_machines(const reports::TrialRecord& trial);

// Makes a failure of the silence in `trial` where an earlier trial of the same set on the same machines showed it too,
// and no baseline and no control of the department ever did. Trials without a patch, and other troubles, stay what they
// are.
void count_repeated_silence(reports::TrialRecord& trial, const std::vector<reports::TrialRecord>& earlier);

// The silence of a try that began with what an earlier run had installed (docs/adr/0028), where a trial of the same set
// as this run installed it was silent on the same machine, once: as a fact, with both trials. Nobody was blamed for it,
// and it was seen twice.
[[nodiscard]] std::map<std::string, std::vector<std::string>> silent_again(
    const reports::TrialRecord& anew, const std::vector<reports::TrialRecord>& trials);

// How often a trial that ended like this is tried again at least, whatever the policy says: silence that is seen once
// says nothing.
[[nodiscard]] std::size_t least_retries(const reports::TrialRecord& trial);

}  // namespace patchlab::runners
