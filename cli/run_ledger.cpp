// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_ledger.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cli/output.hpp"
#include "cli/run_reports.hpp"
#include "cli/run_table.hpp"
#include "cli/separation.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/handover/handover.hpp"
#include "runners/inquiry/lab_today.hpp"

namespace patchlab::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* old_ledger_name = "ledger.jsonl";

void tell_all(const std::vector<std::string>& sentences) {
  for (const auto& sentence : sentences) tell(printable_format("patchlab: {}\n", sentence));
}

// Whose the stage is, when it is somebody else's; empty: ours, or nobody's yet.
std::string other_writer(const fs::path& stage) {
  for (const auto& folder : {stage / promotion::chain_folder_name, stage}) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) continue;
    if (::access(folder.c_str(), W_OK) == 0) return {};
    return name_of_user(info.st_uid);
  }
  return {};
}

std::string hint_for(const fs::path& stage, const std::string& owner) {
  return fmt::format(
      "'{0}' is written by '{1}': hand the run over with --desk or PATCHLAB_DESK, for example --desk 'sudo -n -u {1} "
      "patchlab ledger take --stage {0} --runs FOLDER'; patchlab stage setup prints all of it (docs/two-users.md)",
      stage.string(), owner);
}

void show_run(const reports::RunRecord& record, const reports::Decisions& decisions, const fs::path& folder,
              Show show) {
  if (show == Show::json)
    say_record(Json(record));
  else
    write_out(run_table(record, decisions, folder));
}

// The desk writes, publishes and decides; what is shown beside it is what the stage tells whoever may read it.
ExitCode end_at_desk(const RunFrame& frame, const reports::RunRecord& record, const fs::path& folder,
                     promotion::Desk::Ask ask, Show show) {
  auto code = hand_over_end(frame, record, folder, ask == promotion::Desk::Ask::promote);
  const auto now = system_clock_source().wall();
  reports::Decisions decisions;
  if (::access((frame.stage / promotion::chain_folder_name / promotion::chain_file_name).c_str(), R_OK) == 0) {
    decisions =
        promotion::Desk({.stage = frame.stage, .ledger = folder.parent_path() / old_ledger_name, .run = folder},
                        promotion::policy_at_desk_or_trouble(frame.stage, now), runners::lab_after_the_run(), now)
            .decisions(record);
  }
  if (auto kept = keep_reports(history::RunArchive(folder.parent_path()), record, decisions); !kept)
    report(kept.error());
  show_run(record, decisions, folder, show);
  return code ? *code : report(code.error(), ExitCode::error);
}

}  // namespace

Result<std::string> begin_run(const RunFrame& frame, const reports::RunRecord& planned) {
  const auto doing =
      fmt::format("telling the ledger of '{}' that a run begins; nothing was started", frame.stage.string());
  if (!frame.desk.words.empty()) {
    promotion::Handover handover(dial(frame.desk), frame.scribe, frame.desk.key);
    auto told = handover.begin(planned);
    tell_all(handover.notes());
    if (!told) return std::move(told).error().while_doing(doing);
    return std::string();
  }
  const auto now = system_clock_source().wall();
  PATCHLAB_ASSIGN(const auto runs, absolute_path(frame.runs).while_doing("--runs"));
  // Which policy is in force is no matter of the run: the desk asks again, and refuses then.
  const auto policy = promotion::policy_at_desk(frame.stage, now);
  promotion::LabBook book(frame.stage, runs / old_ledger_name, frame.scribe);
  auto told = book.begin(planned, policy ? policy->digest : std::string(), now);
  tell_all(book.notes());
  if (told) return told;
  auto error = std::move(told).error().while_doing(doing);
  if (auto owner = other_writer(frame.stage); !owner.empty()) error.hint = hint_for(frame.stage, owner);
  return error;
}

Result<ExitCode> hand_over_end(const RunFrame& frame, const reports::RunRecord& record, const fs::path& folder,
                               bool promote) {
  PATCHLAB_ASSIGN(const auto run_json, read_file(folder / reports::run_file_name));
  promotion::Handover handover(dial(frame.desk), frame.scribe, frame.desk.key);
  auto settled = handover.end(record, run_json, promote, runners::lab_after_the_run().file, folder);
  tell_all(handover.notes());
  if (!settled) {
    auto error = std::move(settled).error().while_doing(
        fmt::format("handing the end of run {} over to the ledger of its stage", record.id));
    const auto again = fmt::format("the run is kept; once that is mended: patchlab ledger hand '{}'", folder.string());
    error.hint = error.hint.empty() ? again : error.hint + "; " + again;
    return error;
  }
  tell_all(settled->notes);
  const auto known =
      std::ranges::find_if(exit_codes, [&](const auto& meaning) { return number(meaning.code) == settled->exit_code; });
  return known == exit_codes.end() ? ExitCode::error : known->code;
}

ExitCode end_run(const RunFrame& frame, const std::string& begun, const runners::FinishedRun& finished,
                 promotion::Desk::Ask ask, Show show) {
  const auto& [record, folder] = finished;
  const history::RunArchive archive(folder.parent_path());
  if (auto kept = archive.keep(record); !kept) return report(kept.error(), ExitCode::error);
  if (!frame.desk.words.empty()) return end_at_desk(frame, record, folder, ask, show);
  const auto now = system_clock_source().wall();
  const promotion::Desk desk({.stage = frame.stage, .ledger = folder.parent_path() / old_ledger_name, .run = folder},
                             promotion::policy_at_desk_or_trouble(frame.stage, now), runners::lab_after_the_run(), now,
                             frame.scribe);
  const auto settled = desk.settle(record, ask, begun, folder / reports::run_file_name);
  tell_all(settled.finished);
  if (settled.trouble) report(*settled.trouble);
  if (auto kept = keep_reports(archive, record, settled.decisions); !kept) report(kept.error());
  show_run(record, settled.decisions, folder, show);
  return settled.exit_code;
}

}  // namespace patchlab::cli
