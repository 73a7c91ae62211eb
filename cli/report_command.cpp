// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "reports/csv/csv.hpp"
#include "reports/html/html.hpp"
#include "reports/junit/junit.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/run_exit_code.hpp"
#include "reports/tap/tap.hpp"

namespace patchlab::cli {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string run = "latest";
  fs::path runs = "runs";
  std::string format = "html";
  std::string candidate;
  bool json = false;
};

ExitCode show(const Arguments& arguments) {
  const auto record = history::RunArchive(arguments.runs).read(arguments.run);
  if (!record) return report_input(record.error(), ExitCode::bad_data);
  if (arguments.format == "html") write_out(reports::html_report(*record));
  if (arguments.format == "junit") write_out(reports::junit_xml(*record));
  if (arguments.format == "json") say_json(Json(*record));
  if (arguments.format == "tap") write_out(reports::tap_lines(*record));
  if (arguments.format == "csv") write_out(reports::csv_table(*record));
  return ExitCode::ok;
}

// Why a candidate may or may not be promoted, per department, in the words of the record.
ExitCode explain(const Arguments& arguments) {
  const auto record = history::RunArchive(arguments.runs).read(arguments.run);
  if (!record) return report_input(record.error(), ExitCode::bad_data);
  if (reports::find_candidate(*record, arguments.candidate) == nullptr) {
    std::vector<std::string> known;
    for (const auto& candidate : record->candidates) known.push_back(candidate.id);
    return report(configuration_error(fmt::format("candidate '{}' is not part of run {}; there are: {}",
                                                  arguments.candidate, record->id, fmt::join(known, ", "))),
                  ExitCode::bad_data);
  }
  if (record->departments.empty())
    return report(configuration_error(fmt::format("run {} has no department: nothing is known of '{}'", record->id,
                                                  arguments.candidate)),
                  ExitCode::not_tested);
  Json all = Json::array();
  bool promoted_everywhere = true;
  for (const auto& department : record->departments) {
    const auto* verdict = reports::find_verdict(department, arguments.candidate);
    const bool promoted = std::ranges::count(department.promotion.candidates, arguments.candidate) > 0;
    promoted_everywhere = promoted_everywhere && promoted;
    Json facts{{"department", department.name}, {"promoted", promoted}};
    if (verdict != nullptr) {
      facts["outcome"] = to_string(verdict->outcome);
      facts["reason"] = verdict->reason;
      facts["failed"] = verdict->failed;
      facts["together_with"] = verdict->group;
      facts["trials"] = verdict->trials;
    }
    if (!promoted) facts["missing"] = department.promotion.reasons;
    all.push_back(facts);
    if (arguments.json) continue;
    say("{}: {}{}\n", department.name, verdict == nullptr ? "no verdict" : to_string(verdict->outcome),
        promoted ? ", promoted" : "");
    if (verdict != nullptr) say("  {}\n  trials: {}\n", verdict->reason, listed(verdict->trials));
    if (!promoted) {
      for (const auto& reason : department.promotion.reasons) say("  missing: {}\n", reason);
    }
  }
  if (arguments.json) say_json(all);
  return promoted_everywhere ? ExitCode::ok : ExitCode::policy;
}

}  // namespace

void add_report(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* showing = app.add_subcommand("report", "write a run's report to standard output");
  showing->add_option("run", arguments->run, "run folder, id, or latest")->capture_default_str();
  showing->add_option("--format", arguments->format, "html, junit, json, tap or csv")
      ->check(CLI::IsMember({"html", "junit", "json", "tap", "csv"}))
      ->capture_default_str();
  showing->add_option("--runs", arguments->runs, "folder of runs")->capture_default_str()->envname("PATCHLAB_RUNS");
  showing->callback([arguments, &chosen] { chosen = [arguments] { return show(*arguments); }; });

  auto* explaining =
      app.add_subcommand("explain", "what is known of a candidate, and what is missing before it may be promoted");
  explaining->add_option("candidate", arguments->candidate, "candidate id")->required();
  explaining->add_option("--run", arguments->run, "run folder, id, or latest")->capture_default_str();
  explaining->add_option("--runs", arguments->runs, "folder of runs")->capture_default_str()->envname("PATCHLAB_RUNS");
  explaining->add_flag("--json", arguments->json, "as JSON");
  explaining->callback([arguments, &chosen] { chosen = [arguments] { return explain(*arguments); }; });
}

}  // namespace patchlab::cli
