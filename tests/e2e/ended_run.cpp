// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// ended_run RECORD STAGE RUNS: what `patchlab run` does before its first machine and behind its last, of a record that
// there is already. A program of its own, so that a test can kill it anywhere without waiting for machines.
#include <cstdio>
#include <cstdlib>

#include "cli/run_ledger.hpp"
#include "lab/core/paths.hpp"

int main(int argc, char** argv) {
  using namespace patchlab;
  if (argc != 4) return EXIT_FAILURE;
  auto record = reports::read_run_record(argv[1]);
  if (!record) return EXIT_FAILURE;
  record->digest.clear();  // it is made here
  cli::RunFrame frame{absolute_path(argv[2]).value(), argv[3], {.by = "lab@x", .submitter = "alice@x"}};
  if (const char* desk = std::getenv("PATCHLAB_DESK"); desk != nullptr) {
    const char* key = std::getenv("PATCHLAB_SIGN_WITH");
    auto at = cli::at_desk({desk}, {"lab@x", key == nullptr ? "" : key});
    if (!at) return EXIT_FAILURE;
    at->scribe.submitter = "alice@x";
    frame.scribe = std::move(at->scribe);
    frame.desk = std::move(at->desk);
  }
  auto planned = *record;
  for (auto& department : planned.departments) {
    department.trials.clear();
    department.final_trial.clear();
    for (auto& verdict : department.verdicts) verdict = {.candidate = verdict.candidate};
  }
  const auto begun = cli::begin_run(frame, planned);
  if (!begun) {
    std::fprintf(stderr, "%s\n%s\n", begun.error().message.c_str(), begun.error().hint.c_str());
    return EXIT_FAILURE;
  }
  const auto folder = absolute_path(frame.runs).value() / record->id;
  if (!create_folders(folder)) return EXIT_FAILURE;
  return number(cli::end_run(frame, *begun, {*record, folder}, promotion::Desk::Ask::promote, cli::Show::table));
}
