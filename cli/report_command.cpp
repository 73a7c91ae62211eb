// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/desk_argument.hpp"
#include "cli/output.hpp"
#include "cli/run_reports.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "promotion/gate/reasons.hpp"
#include "reports/brief/brief.hpp"
#include "reports/csv/csv.hpp"
#include "reports/html/html.hpp"
#include "reports/junit/junit.hpp"
#include "reports/record/queries.hpp"
#include "reports/tap/tap.hpp"

namespace patchlab::cli {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  DeskArguments desk;
  std::string format = "html";
  std::string candidate;
  bool json = false;
};

ExitCode show(const Arguments& arguments) {
  const auto asked = run_at_desk(arguments.desk, runners::Look::at_names);
  if (!asked) return report_input(asked.error(), ExitCode::bad_data);
  const auto& [file, record, desk] = *asked;
  if (arguments.format == "json") {
    // As it is on disk, of whichever schema.
    const auto json = read_json_file(file, JsonTexts::any);
    if (!json) return report_input(json.error(), ExitCode::bad_data);
    say_record(*json);
    return ExitCode::ok;
  }
  const auto decisions = desk.decisions(record);
  // The run lies in a folder of runs, whether it was named by its id or by its file.
  const auto changes = [&, &file = file, &record = record] {
    const auto place = absolute_path(file);
    return place ? changes_in(history::RunArchive(place->parent_path().parent_path()), record) : reports::RunChanges{};
  };
  if (arguments.format == "html") write_out(reports::html_report(record, decisions, changes()));
  if (arguments.format == "junit") write_out(reports::junit_xml(record, decisions));
  if (arguments.format == "junit-trials") write_out(reports::junit_trials_xml(record));
  if (arguments.format == "tap") write_out(reports::tap_lines(record, decisions));
  if (arguments.format == "markdown") write_out(reports::markdown_summary(record, decisions, changes()));
  if (arguments.format == "text") write_out(reports::text_summary(record, decisions, changes()));
  if (arguments.format == "csv") write_out(reports::csv_table(record, decisions));
  return ExitCode::ok;
}

Json facts_of(const promotion::Explanation& explanation) {
  Json facts{{"department", explanation.department},
             {"promoted", explanation.promoted},
             {"by", explanation.by},
             {"requirements", explanation.requirements}};
  if (const auto* verdict = explanation.verdict; verdict != nullptr) {
    facts["outcome"] = to_string(verdict->outcome);
    facts["reason"] = verdict->reason;
    facts["failed"] = verdict->failed;
    facts["together_with"] = verdict->group;
    facts["trials"] = verdict->trials;
  }
  Json missing = Json::array();
  for (const auto& requirement : explanation.requirements) {
    if (!requirement.met) missing.push_back(to_string(requirement));
  }
  facts["missing"] = missing;
  facts["waived"] = Json::array();
  for (const auto& requirement : explanation.requirements) {
    if (!requirement.waived.empty()) facts["waived"].push_back(to_string(requirement) + ": " + requirement.waived);
  }
  return facts;
}

void say(const promotion::Explanation& explanation) {
  const auto* verdict = explanation.verdict;
  const bool passed = verdict != nullptr && verdict->outcome == Outcome::pass;
  cli::say("{}: {}{}\n", explanation.department, verdict == nullptr ? "no verdict" : to_string(verdict->outcome),
           passed || explanation.goes_along ? ", " + explanation.word : std::string());
  if (explanation.promoted && !explanation.by.empty()) cli::say("  {}\n", explanation.by);
  if (verdict != nullptr) cli::say("  {}\n  trials: {}\n", verdict->reason, listed(verdict->trials));
  for (const auto& requirement : explanation.requirements) {
    if (!requirement.waived.empty()) cli::say("  waived: {}\n    {}\n", to_string(requirement), requirement.waived);
    if (requirement.met) continue;
    cli::say("  missing: {}\n", to_string(requirement));
    const auto next = requirement.command.empty() ? promotion::next_step(requirement.code) : requirement.command;
    if (!next.empty()) cli::say("    {}\n", next);
  }
}

// Why a candidate may or may not be promoted, per department, as the desk sees it now.
ExitCode explain(const Arguments& arguments) {
  const auto asked = run_at_desk(arguments.desk, runners::Look::at_names);
  if (!asked) return report_input(asked.error(), ExitCode::bad_data);
  const auto& [file, record, desk] = *asked;
  if (reports::find_candidate(record, arguments.candidate) == nullptr) {
    std::vector<std::string> known;
    for (const auto& candidate : record.candidates) known.push_back(candidate.id);
    return report(unknown_choice("candidate", arguments.candidate, "is not part of run " + record.id, known),
                  ExitCode::usage);
  }
  if (record.departments.empty())
    return report(configuration_error(fmt::format("run {} has no department: nothing is known of '{}'", record.id,
                                                  arguments.candidate)),
                  ExitCode::not_tested);
  const auto explanations = promotion::explain(record, desk.decisions(record), arguments.candidate);
  Json all = Json::array();
  for (const auto& explanation : explanations) {
    if (arguments.json)
      all.push_back(facts_of(explanation));
    else
      say(explanation);
  }
  if (arguments.json)
    say_json("explain", {{"run", record.id}, {"candidate", arguments.candidate}, {"departments", all}});
  return std::ranges::all_of(explanations, &promotion::Explanation::promoted) ? ExitCode::ok : ExitCode::policy;
}

void add_desk(CLI::App& app, DeskArguments& desk) {
  app.add_option("--stage", desk.stage, "stage folder: what is published there counts")->capture_default_str();
  app.add_option("--ledger", desk.ledger, "ledger that knows the run; default: beside the run's folder");
  add_lab_cache(app, desk);
}

}  // namespace

void add_report(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* showing = app.add_subcommand("report", "write a run's report to standard output");
  showing->add_option("run", arguments->desk.run, "run folder, id, or latest")->capture_default_str();
  showing->add_option("--format", arguments->format, "html, markdown, text, junit, junit-trials, json, tap or csv")
      ->check(CLI::IsMember({"html", "markdown", "text", "junit", "junit-trials", "json", "tap", "csv"}))
      ->capture_default_str();
  showing->add_option("--runs", arguments->desk.runs, "folder of runs")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  add_desk(*showing, arguments->desk);
  showing->callback([arguments, &chosen] { chosen = [arguments] { return show(*arguments); }; });

  auto* explaining =
      app.add_subcommand("explain", "what is known of a candidate, and what is missing before it may be promoted");
  explaining->add_option("candidate", arguments->candidate, "candidate id")->required();
  explaining->add_option("--run", arguments->desk.run, "run folder, id, or latest")->capture_default_str();
  explaining->add_option("--runs", arguments->desk.runs, "folder of runs")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  explaining->add_flag("--json", arguments->json, "as JSON");
  add_desk(*explaining, arguments->desk);
  explaining->callback([arguments, &chosen] { chosen = [arguments] { return explain(*arguments); }; });
}

}  // namespace patchlab::cli
