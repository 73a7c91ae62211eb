// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "lab/core/exit_code.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// Each adds its subcommands and sets `chosen` to what is to be done when one was given.
using Chosen = std::function<ExitCode()>;
void add_doctor(CLI::App& app, Chosen& chosen);
void add_init(CLI::App& app, Chosen& chosen);
void add_image(CLI::App& app, Chosen& chosen);
void add_content(CLI::App& app, Chosen& chosen);  // content publish, fetch, trim
void add_patch(CLI::App& app, Chosen& chosen);
void add_learn(CLI::App& app, Chosen& chosen);
void add_guest(CLI::App& app, Chosen& chosen);  // guest record, replay, scrub
void add_run(CLI::App& app, Chosen& chosen);    // validate, run
void add_plan(CLI::App& app, Chosen& chosen);
void add_selftest(CLI::App& app, Chosen& chosen);
void add_report(CLI::App& app, Chosen& chosen);  // report, explain
void add_stage(CLI::App& app, Chosen& chosen);   // promote
void add_trust(CLI::App& app, Chosen& chosen);   // trust check, add, retire, sign
void add_decide(CLI::App& app, Chosen& chosen);  // approve, reject, waive, withdraw, decide
void add_desk(CLI::App& app, Chosen& chosen);    // desk serve
void add_serve(CLI::App& app, Chosen& chosen);
void add_queue(CLI::App& app, Chosen& chosen);  // queue
void add_attempts(CLI::App& app, Chosen& chosen);
void add_health(CLI::App& app, Chosen& chosen);
void add_history(CLI::App& app, Chosen& chosen);  // history rebuild, runs, candidate, flaky, durations, trend, changed
void add_notify(CLI::App& app, Chosen& chosen);
void add_schedule(CLI::App& app, Chosen& chosen);  // schedule install, show, remove
void add_policy(CLI::App& app, Chosen& chosen);    // policy check, policy test
void add_verify(CLI::App& app, Chosen& chosen);
void add_evidence(CLI::App& app, Chosen& chosen);  // evidence export
void add_calendar(CLI::App& app, Chosen& chosen);
void add_deploy(CLI::App& app, Chosen& chosen);  // deploy export, record, status, change
void add_witness(CLI::App& app, Chosen& chosen);
void add_stage_setup(CLI::App& app, Chosen& chosen);  // stage setup
void add_ledger(CLI::App& app, Chosen& chosen);       // ledger take, ledger hand
void add_lab(CLI::App& app, Chosen& chosen);          // lab clean, lab cache
void add_feed(CLI::App& app, Chosen& chosen);         // feed status, feed check
void add_acquire(CLI::App& app, Chosen& chosen);
void add_inventory(CLI::App& app, Chosen& chosen);
void add_likeness(CLI::App& app, Chosen& chosen);  // likeness script, likeness compare
void add_scan(CLI::App& app, Chosen& chosen);
void add_schema(CLI::App& app, Chosen& chosen);
void add_completion(CLI::App& app, Chosen& chosen);  // completion, manual

// All of the above: what people can call.
void add_commands(CLI::App& app, Chosen& chosen);

}  // namespace patchlab::cli
