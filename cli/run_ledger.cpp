// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_ledger.hpp"

#include "cli/output.hpp"
#include "cli/run_reports.hpp"
#include "cli/run_table.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "runners/inquiry/lab_today.hpp"

namespace patchlab::cli {
namespace {

constexpr const char* old_ledger_name = "ledger.jsonl";

}  // namespace

Result<std::string> begin_run(const RunFrame& frame, const reports::RunRecord& planned) {
  const auto now = system_clock_source().wall();
  PATCHLAB_ASSIGN(const auto runs, absolute_path(frame.runs).while_doing("--runs"));
  // Which policy is in force is no matter of the run: the desk asks again, and refuses then.
  const auto policy = promotion::policy_at_desk(frame.stage, now);
  promotion::LabBook book(frame.stage, runs / old_ledger_name, frame.scribe);
  auto told = book.begin(planned, policy ? policy->digest : std::string(), now);
  for (const auto& sentence : book.notes()) tell(printable_format("patchlab: {}\n", sentence));
  return std::move(told).while_doing(
      fmt::format("telling the ledger of '{}' that a run begins; nothing was started", frame.stage.string()));
}

ExitCode end_run(const RunFrame& frame, const std::string& begun, const runners::FinishedRun& finished,
                 promotion::Desk::Ask ask, Show show) {
  const auto& [record, folder] = finished;
  const history::RunArchive archive(folder.parent_path());
  if (auto kept = archive.keep(record); !kept) return report(kept.error(), ExitCode::error);
  const auto now = system_clock_source().wall();
  const promotion::Desk desk({.stage = frame.stage, .ledger = folder.parent_path() / old_ledger_name},
                             promotion::policy_at_desk_or_trouble(frame.stage, now), runners::lab_after_the_run(), now,
                             frame.scribe);
  const auto settled = desk.settle(record, ask, begun, folder / reports::run_file_name);
  for (const auto& sentence : settled.finished) tell(printable_format("patchlab: {}\n", sentence));
  if (settled.trouble) report(*settled.trouble);
  if (auto kept = keep_reports(archive, record, settled.decisions); !kept) report(kept.error());
  if (show == Show::json)
    say_json(Json(record));
  else
    write_out(run_table(record, settled.decisions, folder));
  return settled.exit_code;
}

}  // namespace patchlab::cli
