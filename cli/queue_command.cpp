// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/calendar_argument.hpp"
#include "cli/commands.hpp"
#include "cli/history_argument.hpp"
#include "cli/output.hpp"
#include "cli/queue_look.hpp"
#include "cli/serve_look.hpp"
#include "cli/terminal.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "process/page/monday.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  QueueQuestion question;
  bool json = false;
  bool monday = false;
  std::filesystem::path scan, acquired, calendar;
  std::string history;
  int scan_max_age_days = 8;
};

void show(const promotion::Waiting& waiting) {
  say("{}: run {}, ended {}: {}\n", waiting.department, waiting.run, waiting.since, listed(waiting.set));
  say("  worst severity: {}\n", waiting.severity);
  if (waiting.missing.empty()) say("  nothing is missing but that somebody promotes it\n");
  for (const auto& one : waiting.missing) say("  missing: {}\n", to_string(one));
  for (const auto& waived : waiting.waived) say("  waived: {}\n", to_string(waived));
  if (!waiting.whom.empty()) say("  waits for: {}\n", listed(waiting.whom));
  if (!waiting.command.empty()) say("  {}\n", waiting.command);
}

void show(const promotion::Review& review) {
  say("{}: run {}, promoted {}: {}\n", review.department, review.run, rfc3339(review.promoted), listed(review.set));
  say("  emergency ({}): {}: review by {}\n", review.ticket, review.reason, rfc3339(review.due));
  for (const auto& one : review.missing) say("  missing: {}\n", one);
  if (!review.whom.empty()) say("  waits for: {}\n", listed(review.whom));
  say("  patchlab approve {} --department {} --reason REASON --key KEY\n", review.run, review.department);
}

Result<process::page::Monday> monday_at(const Arguments& arguments) {
  ServeLook look;
  PATCHLAB_ASSIGN(look.stage, absolute_path(arguments.question.desk.stage).while_doing("--stage"));
  PATCHLAB_ASSIGN(look.runs, absolute_path(arguments.question.desk.runs).while_doing("--runs"));
  PATCHLAB_ASSIGN(look.place, history_place(look.runs, arguments.history));
  look.lab_cache = arguments.question.desk.lab_cache;
  look.scan = arguments.scan;
  look.acquired = arguments.acquired;
  look.calendar = arguments.calendar;
  look.scan_max_age_days = arguments.scan_max_age_days;
  auto monday = process::page::monday_of(look_for_monday(look));
  if (const auto& only = arguments.question.department; !only.empty())
    std::erase_if(monday.rows, [&](const auto& row) { return row.department != only; });
  return monday;
}

Json monday_json(const process::page::Monday& monday) {
  Json rows = Json::array();
  for (const auto& row : monday.rows) {
    rows.push_back({{"department", row.department},
                    {"update", row.update},
                    {"machines", row.machines},
                    {"overdue", row.overdue},
                    {"at_risk", row.at_risk},
                    {"blocked", row.blocked},
                    {"due", row.due},
                    {"why", row.why},
                    {"next", row.next},
                    {"run", row.run}});
  }
  return {{"scan", monday.scan_day}, {"rows", std::move(rows)}, {"not_known", monday.not_known}};
}

// 3 when the list may be too short.
ExitCode show_monday(const Arguments& arguments) {
  const auto monday = monday_at(arguments);
  if (!monday) return report_input(monday.error(), ExitCode::bad_data);
  const auto code = monday->not_known.empty() ? ExitCode::ok : ExitCode::not_tested;
  if (arguments.json) {
    say_json("monday", monday_json(*monday));
    return code;
  }
  for (const auto& row : monday->rows) {
    say("{}: {}: {}{}\n", row.update, row.department, words_of(row),
        row.machines.empty() ? "" : " on " + listed(row.machines));
    for (const auto& why : row.why) say("  {}\n", why);
    say("  next: {}\n", row.next);
  }
  for (const auto& one : monday->not_known) say("not known: {}\n", one);
  if (monday->rows.empty())
    say("{}\n", monday->not_known.empty() ? "nothing is overdue, at risk or blocked"
                                          : "nothing of what is known is overdue, at risk or blocked");
  return code;
}

ExitCode queue(const Arguments& arguments) {
  if (arguments.monday) return show_monday(arguments);
  const auto read = queue_of(arguments.question);
  if (!read) return report_input(read.error(), ExitCode::bad_data);
  if (arguments.json) {
    say_json("queue", Json{{"stage", arguments.question.desk.stage.string()},
                           {"runs", read->runs},
                           {"reviews", read->reviews},
                           {"waiting", read->waiting},
                           {"notes", read->notes}});
    return ExitCode::ok;
  }
  for (const auto& review : read->reviews) show(review);
  for (const auto& waiting : read->waiting) show(waiting);
  if (read->waiting.empty() && read->reviews.empty())
    say("nothing waits{}\n", arguments.question.by.empty() ? "" : " for " + arguments.question.by);
  for (const auto& note : read->notes) say("  {}\n", note);
  say("looked at {} of the newest runs in '{}' for stage '{}'\n", read->runs.size(),
      arguments.question.desk.runs.string(), arguments.question.desk.stage.string());
  return ExitCode::ok;
}

}  // namespace

void add_queue(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("queue", "what waits for whom before it may be promoted");
  command->add_option("--stage", arguments->question.desk.stage, "stage folder")->capture_default_str();
  command->add_option("--runs", arguments->question.desk.runs, "folder of runs")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  command->add_option("--ledger", arguments->question.desk.ledger,
                      "ledger that knows the runs; default: beside their folders");
  add_lab_cache(*command, arguments->question.desk);
  command->add_option("--department", arguments->question.department, "only this department");
  command->add_option("--by", arguments->question.by, "only what waits for this person, as in the list of signers");
  command->add_option("--newest", arguments->question.runs, "so many runs are looked at")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  auto* monday =
      command->add_flag("--monday", arguments->monday,
                        "instead: what is overdue, at risk or blocked by a failed test, and what to do next");
  monday->excludes("--by")->excludes("--newest")->excludes("--ledger");
  command->add_option("--scan", arguments->scan, "with --monday: what 'patchlab scan --output' wrote last")
      ->needs(monday);
  command
      ->add_option("--scan-max-age", arguments->scan_max_age_days,
                   "with --monday: days after which a scan does not say everything")
      ->capture_default_str()
      ->check(CLI::Range(1, 3650))
      ->needs(monday);
  command->add_option("--acquired", arguments->acquired, "with --monday: what 'patchlab acquire --json' printed last")
      ->needs(monday);
  command
      ->add_option("--history", arguments->history, "index of history; default: history.sqlite3 in the folder of runs")
      ->envname("PATCHLAB_HISTORY");
  add_calendar_option(*command, arguments->calendar);
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return queue(*arguments); }; });
}

}  // namespace patchlab::cli
