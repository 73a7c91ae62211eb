// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/desk_argument.hpp"
#include "cli/output.hpp"
#include "cli/run_reports.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  DeskArguments desk;
  std::vector<std::string> departments;
  std::optional<std::string> rollback;
  std::optional<std::string> emergency;
  std::string ticket;
  bool json = false;
};

// A name that the record does not have is a typing mistake, not an empty promotion.
Result<void> check_departments(const Arguments& arguments, const reports::RunRecord& record) {
  std::vector<std::string> known;
  for (const auto& department : record.departments) known.push_back(department.name);
  return check_choice("--department", arguments.departments, "is not part of run " + record.id, known);
}

// What lies beside the run.json would tell of the time before. Who may promote may not be who may write there: that is
// said, and changes nothing of what was done.
ExitCode refresh_reports(const fs::path& file, const reports::RunRecord& record, const promotion::Desk& desk,
                         ExitCode code) {
  const auto folder = file.parent_path();
  if (file.filename() != reports::run_file_name || folder.filename() != record.id) return code;
  const auto kept = keep_reports(history::RunArchive(folder.parent_path()), record, desk.decisions(record));
  if (!kept) report(kept.error());
  return code;
}

// Publishes again from a record, under the same gate as at the end of the run and with what the ledger says of that
// record today; refuses with the gate's reasons and exit code 5. The ledger is told what came of it.
ExitCode promote(const Arguments& arguments) {
  if (const auto& reason = arguments.rollback; reason && !promotion::is_plain_text(*reason, 1000)) {
    return report(configuration_error("--rollback needs the reason: one line that can be shown, up to 1000 bytes",
                                      "patchlab promote RUN --rollback 'mail is slow since the last one'"),
                  ExitCode::usage);
  }
  const auto is_said = [](const std::string& text, std::size_t longest) {
    return promotion::is_plain_text(text, longest);
  };
  if (arguments.emergency && (!is_said(*arguments.emergency, 1000) || !is_said(arguments.ticket, 200))) {
    return report(
        configuration_error("--emergency needs the reason, and --ticket what it is written down under: one line each "
                            "that can be shown",
                            "patchlab promote RUN --emergency 'mail is exploited since noon' --ticket CHG0042"),
        ExitCode::usage);
  }
  const auto asked = run_at_desk(arguments.desk, runners::Look::at_contents);
  if (!asked) return report_input(asked.error(), ExitCode::bad_data);
  const auto& [file, record, desk] = *asked;
  if (const auto known = check_departments(arguments, record); !known) return report(known.error());
  if (record.departments.empty()) {
    return report(configuration_error(fmt::format("run {} has no department: there is nothing to promote", record.id)),
                  ExitCode::not_tested);
  }
  promotion::Desk::Wish wish{.file = file, .rollback = arguments.rollback.value_or(std::string())};
  if (arguments.emergency) wish.emergency = {*arguments.emergency, arguments.ticket};
  const auto promotions = desk.promote(record, arguments.departments, wish);
  for (const auto& sentence : promotions.finished) tell(printable_format("patchlab: {}\n", sentence));
  if (arguments.json) say_json("promote", {{"run", record.id}, {"decisions", promotions.decisions}});
  for (const auto& decision : promotions.decisions) {
    if (arguments.json) break;
    const bool promoted = decision.state == reports::DecisionState::promoted;
    say("{}: {} {}\n", decision.department, to_string(decision.state),
        promoted ? listed(decision.candidates) : std::string());
    if (promoted && !decision.by.empty()) say("  {}\n", decision.by);
    if (decision.emergency.is_one()) say("  {}\n", to_string(decision.emergency));
    for (const auto& waived : decision.waived) say("  waived: {}\n", to_string(waived));
    for (const auto& reason : decision.reasons()) say("  {}\n", reason);
  }
  auto code = promotions.exit_code;
  if (promotions.ledger) {
    report(*promotions.ledger);
    if (code == ExitCode::ok || code == ExitCode::policy) code = ExitCode::error;  // what came of it is not known
    return code;
  }
  return refresh_reports(file, record, desk, code);
}

}  // namespace

void add_stage(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* promoting = app.add_subcommand("promote", "publish exactly what a run passed; refuses with reasons");
  promoting->add_option("run", arguments->desk.run, "run folder, id, or latest")->required();
  promoting->add_option("--stage", arguments->desk.stage, "stage folder")->capture_default_str();
  promoting->add_option("--department", arguments->departments, "only this department (may be given again)");
  promoting->add_option("--runs", arguments->desk.runs, "folder of runs")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  promoting->add_option("--ledger", arguments->desk.ledger,
                        "ledger that knows the run; default: beside the run's folder");
  add_lab_cache(*promoting, arguments->desk);
  promoting->add_option("--rollback", arguments->rollback,
                        "the reason for publishing an older run over a newer one; lifts nothing else");
  auto* emergency = promoting->add_option(
      "--emergency", arguments->emergency,
      "the reason why this cannot wait: by the emergency lane of the policy, to be reviewed afterwards");
  emergency->excludes("--rollback");
  promoting->add_option("--ticket", arguments->ticket, "of the emergency")->needs(emergency);
  add_scribe(*promoting, arguments->desk.scribe);
  promoting->add_flag("--json", arguments->json, "as JSON");
  promoting->callback([arguments, &chosen] { chosen = [arguments] { return promote(*arguments); }; });
}

}  // namespace patchlab::cli
