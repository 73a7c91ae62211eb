// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "runners/engine/run.hpp"
#include "runners/forecast/fleet.hpp"

// How long a run takes, as `plan` and `run --dry-run` say it: by the same records, on a host like this one.
namespace patchlab::cli {

// Complete runs below `runs` with trials and with one accelerator: up to ten, the newest of this scenario first, then,
// where these are fewer, the newest of others. Of many runs the newest hundred are looked at, and 64 MiB of records at
// most.
[[nodiscard]] std::vector<reports::RunRecord> recorded_runs(const std::filesystem::path& runs,
                                                            const std::string& scenario);

// One host with the processors and the memory of this one.
[[nodiscard]] runners::forecast::FleetAsked like_this_host();

// On such a host, with nothing kept and every candidate good. Nothing: it is not known where it will be (an executor
// decides), what it does is no search for what may be promoted, or there is nothing to do here.
[[nodiscard]] std::optional<runners::forecast::FleetPlan> foreseen_here(const runners::Plan& plan,
                                                                        const std::vector<reports::RunRecord>& records);

// How long each department takes by itself, for the order in which they begin.
void expect(runners::Plan& plan, const runners::forecast::FleetPlan& foreseen);

// "when every candidate is good and nothing is kept: 5 min 50 s on this host (12 of 80 times are recorded; ...)"
[[nodiscard]] std::string foreseen_text(const runners::forecast::FleetPlan& plan);
// As it stands in the record of the run, beside what it took.
[[nodiscard]] reports::ForeseenRecord foreseen_record(const runners::forecast::FleetPlan& plan);
[[nodiscard]] Json foreseen_json(const runners::forecast::FleetPlan& plan);

}  // namespace patchlab::cli
