// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/queue_look.hpp"
#include "cli/terminal.hpp"
#include "lab/core/time.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  QueueQuestion question;
  bool json = false;
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

ExitCode queue(const Arguments& arguments) {
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
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return queue(*arguments); }; });
}

}  // namespace patchlab::cli
