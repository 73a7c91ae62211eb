// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace patchlab {

// What the process says to its caller: stable API, the same table as in docs/exit-codes.md. The numbers from 64 on are
// those of sysexits.h. When several apply, the first of this order wins: 7, 2, 6, 1, 3, 5, 4, 0 (a leak voids whatever
// else was seen; an error anywhere means that nothing certain can be said; "nothing was tested" must never look like
// "fine").
enum class ExitCode : int {
  ok = 0,
  candidate_fails = 1,
  error = 2,
  not_tested = 3,
  only_skips = 4,
  policy = 5,
  inconclusive = 6,
  fence_breach = 7,
  usage = 64,
  bad_data = 65,
  cannot_create = 73,
  bad_configuration = 78,
};

struct ExitCodeMeaning {
  ExitCode code;
  const char* word;     // for --json and documents
  const char* meaning;  // one line for people
};

inline constexpr std::array<ExitCodeMeaning, 12> exit_codes{{
    {ExitCode::ok, "ok", "promotable, or promoted; for commands without a verdict: done"},
    {ExitCode::candidate_fails, "candidate-fails", "a candidate fails; the rest was handled as the scenario says"},
    {ExitCode::error, "error", "lab trouble or an internal error: nothing can be said about the candidates"},
    {ExitCode::not_tested, "not-tested", "nothing, or not everything that was planned, was tested"},
    {ExitCode::only_skips, "only-skips", "no candidate applies to any machine"},
    {ExitCode::policy, "policy", "tested, but the policy is not satisfied: promotion refused, with reasons"},
    {ExitCode::inconclusive, "inconclusive", "a set fails, and the search could not name the culprit"},
    {ExitCode::fence_breach, "fence-breach", "something in the lab reached the outside: the whole run is void"},
    {ExitCode::usage, "usage", "the command line is wrong"},
    {ExitCode::bad_data, "bad-data", "an input file is broken: a candidate, a record, a manifest, a ledger"},
    {ExitCode::cannot_create, "cannot-create", "an output file or folder cannot be created"},
    {ExitCode::bad_configuration, "bad-configuration", "the scenario or the configuration is wrong"},
}};

[[nodiscard]] constexpr int number(ExitCode code) { return static_cast<int>(code); }

}  // namespace patchlab
