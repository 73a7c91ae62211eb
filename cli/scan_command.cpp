// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/assessment.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"

namespace patchlab::cli {
namespace {

using process::RowStatus;
using process::ScanResult;
using process::ScanRow;

struct Arguments {
  AssessmentArguments assessment;
  bool all = false;
  bool csv = false;
  bool json = false;
  std::filesystem::path output;
};

// What is not worth a line of its own, unless it was asked for.
bool is_shown(const ScanRow& row, bool all) {
  return all || !row.open_exploited.empty() ||
         (row.status != RowStatus::installed && row.status != RowStatus::not_applicable);
}

std::string cves_text(const ScanRow& row) {
  const auto* decides = row.deciding();
  if (decides == nullptr) return "none named";
  const auto name = decides->cve.empty() ? std::string("unknown") : decides->cve;
  return row.vulnerabilities.size() == 1 ? name : fmt::format("{} and {} more", name, row.vulnerabilities.size() - 1);
}

std::string decided_text(const ScanRow& row) {
  const auto* decides = row.deciding();
  if (decides == nullptr) return row.why;
  return fmt::format("row {}: {}: {}", decides->decision.row.id, process::facts_text(*decides),
                     decides->decision.row.timeline);
}

std::vector<std::string> remarks_of(const ScanRow& row) {
  std::vector<std::string> remarks;
  if (row.deciding() != nullptr && row.status != RowStatus::missing) remarks.push_back(row.why);
  remarks.insert(remarks.end(), row.warnings.begin(), row.warnings.end());
  if (!row.open_exploited.empty())
    remarks.push_back(fmt::format("without a fix, and exploited: {}", fmt::join(row.open_exploited, ", ")));
  return remarks;
}

std::string due_text(const ScanRow& row, process::Day today) {
  const auto* decides = row.deciding();
  if (decides == nullptr || !decides->due) return "-";
  const auto late = (today - *decides->due).count();
  return process::day_text(*decides->due) + (late > 0 ? fmt::format(" ({} late)", process::days_text(late)) : "");
}

void show(const ScanResult& result, bool all) {
  std::vector<std::vector<Cell>> rows{
      {{"due"}, {"machine"}, {"update"}, {"status"}, {"CVEs"}, {"EPSS"}, {"severity"}, {"decided by"}}};
  std::size_t hidden = 0;
  for (const auto& row : result.rows) {
    if (!is_shown(row, all)) {
      ++hidden;
      continue;
    }
    const auto* decides = row.deciding();
    rows.push_back({{due_text(row, result.today)},
                    {row.department + "/" + row.machine},
                    {row.item.empty() ? "-" : row.item},
                    {to_string(row.status)},
                    {cves_text(row)},
                    {decides != nullptr && decides->epss ? process::epss_text(*decides->epss)
                     : decides != nullptr                ? "unknown"
                                                         : "-"},
                    {row.severity.empty() ? "-" : row.severity},
                    {decided_text(row), std::nullopt, fmt::format("{}", fmt::join(remarks_of(row), "; "))}});
  }
  if (rows.size() > 1) write_out(table(rows));
  for (const auto& one : result.not_known) say("unknown: {}: {}\n", one.what, one.why);
  if (const auto hint = process::feeds_hint(result); !hint.empty()) say("{}\n", hint);
  say("{} missing, {} unknown, {} known to be bad, {} superseded, {} not applicable, {} installed as new as there is"
      "{}\n",
      result.count(RowStatus::missing), result.count(RowStatus::unknown), result.count(RowStatus::known_bad),
      result.count(RowStatus::superseded), result.count(RowStatus::not_applicable), result.count(RowStatus::installed),
      hidden == 0 ? "" : fmt::format("; {} of these are not shown: --all", hidden));
  if (result.catalogue_signature) say("{}\n", process::signature_text(*result.catalogue_signature));
  say("{}\n", process::table_text(result.table_digest, result.table_origin));
  if (!result.whole()) say("not everything is known: what counts as worse until it is, stands beside each\n");
}

ExitCode scan(const Arguments& arguments) {
  // Nothing is checked here: that checks or candidates are not there yet is no reason not to look.
  const auto scenario = runners::load_scenario(arguments.assessment.scenario, runners::ScenarioFor::learning);
  if (!scenario) return report(scenario.error());
  auto decisions = decision_table(arguments.assessment.decisions, scenario->stage);
  if (!decisions) return report_input(decisions.error(), ExitCode::bad_data);
  const auto assessed = assess(arguments.assessment, *scenario, std::move(*decisions));
  if (!assessed) return report_input(assessed.error(), ExitCode::bad_data);
  const auto* result = &assessed->result;
  const auto code = result->whole() ? ExitCode::ok : ExitCode::not_tested;
  Json json = *result;
  json["scenario"] = {{"name", scenario->name}, {"digest", scenario->digest}};
  if (!arguments.output.empty()) {
    json["schema"] = "patchlab/scan/v1";
    const auto written = write_file_atomically(arguments.output, pretty(json));
    if (!written) return report(written.error(), ExitCode::cannot_create);
  }
  if (arguments.json) {
    say_json("scan", json);
  } else if (arguments.csv) {
    write_out(process::scan_csv(*result));
  } else {
    show(*result, arguments.all);
  }
  return code;
}

}  // namespace

void add_scan(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("scan", "what each golden machine lacks, what is due when and why, worst first");
  add_assessment_options(*command, arguments->assessment);
  arguments->assessment.runs = "runs";
  command
      ->add_option("--runs", arguments->assessment.runs,
                   "folder of runs: what failed in the newest of them is told beside it")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  command->add_option("--ca-bundle", arguments->assessment.ca_bundle,
                      "certificates (PEM) that the signature of Microsoft's catalogue must lead to");
  command->add_flag("--all", arguments->all, "show also what is installed as new as there is, and what does not apply");
  auto* csv = command->add_flag("--csv", arguments->csv, "as CSV, a line for each machine and update");
  command->add_flag("--json", arguments->json, "as JSON")->excludes(csv);
  command->add_option("-o,--output", arguments->output, "write the JSON to this file as well, whole or not at all");
  command->callback([arguments, &chosen] { chosen = [arguments] { return scan(*arguments); }; });
}

}  // namespace patchlab::cli
