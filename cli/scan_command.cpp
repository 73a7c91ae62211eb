// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/feeds_argument.hpp"
#include "cli/output.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/time.hpp"
#include "process/scan/first_named.hpp"
#include "process/survey/survey.hpp"
#include "runners/engine/progress.hpp"

namespace patchlab::cli {
namespace {

using process::RowStatus;
using process::ScanResult;
using process::ScanRow;

constexpr const char* shipped_table = "cisa-bod-26-04.csv";
constexpr std::uintmax_t largest_table = 1U << 20U;

struct Arguments {
  std::filesystem::path scenario;
  FeedsArgument feeds;
  std::filesystem::path decisions;
  std::vector<std::string> departments;
  bool all = false;
  bool csv = false;
  bool json = false;
};

Result<process::DecisionTable> decision_table(const std::filesystem::path& named) {
  auto file = named;
  if (file.empty()) {
    PATCHLAB_ASSIGN(const auto share, share_folder(own_program()));
    file = share / "scenarios" / "policies" / shipped_table;
  }
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_table));
  return process::parse_decision_table(text, file.string());
}

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
  if (!result.whole()) say("not everything is known: what counts as worse until it is, stands beside each\n");
}

Result<ScanResult> result_of(const Arguments& arguments, const runners::Scenario& scenario,
                             process::DecisionTable decisions) {
  process::SurveyRequest request;
  request.cache = cache_folder();
  request.departments = arguments.departments;
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  request.progress = [&](const std::string& line) { progress.say("updates: " + line); };
  request.stop = interruption();
  PATCHLAB_ASSIGN(auto survey, process::survey(scenario, host_processes(), request));
  process::ScanInput input;
  input.today = std::chrono::floor<std::chrono::days>(system_clock_source().wall());
  process::FeedsWanted wanted;
  wanted.today = input.today;
  wanted.sources = process::sources_of(survey.machines);
  wanted.cves = process::cves_of(survey.machines);
  auto feeds = arguments.feeds.read(wanted);
  if (!feeds) return std::move(feeds).error();
  input.feeds = std::move(*feeds);
  input.machines = std::move(survey.machines);
  input.not_known = std::move(survey.not_known);
  input.table = std::move(decisions);
  const auto note = request.cache / "scan" / "first-named.json";
  PATCHLAB_ASSIGN(input.first_named, process::read_first_named(note));
  auto result = process::scan(input);
  PATCHLAB_TRY(process::note_first_named(note, result));
  return result;
}

ExitCode scan(const Arguments& arguments) {
  // Nothing is checked here: that checks or candidates are not there yet is no reason not to look.
  const auto scenario = runners::load_scenario(arguments.scenario, runners::ScenarioFor::learning);
  if (!scenario) return report(scenario.error());
  auto decisions = decision_table(arguments.decisions);
  if (!decisions) return report_input(decisions.error(), ExitCode::bad_data);
  const auto result = result_of(arguments, *scenario, std::move(*decisions));
  if (!result) return report_input(result.error(), ExitCode::bad_data);
  const auto code = result->whole() ? ExitCode::ok : ExitCode::not_tested;
  if (arguments.json) {
    Json json = *result;
    json["scenario"] = {{"name", scenario->name}, {"digest", scenario->digest}};
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
  command->add_option("scenario", arguments->scenario, "scenario file")->required();
  add_feeds_options(*command, arguments->feeds);
  command->add_option("--decisions", arguments->decisions,
                      "decision table (CSV) that says what is due when; default: CISA's BOD 26-04, as shipped");
  command->add_option("--department", arguments->departments, "only this department (may be given again)");
  command->add_flag("--all", arguments->all, "show also what is installed as new as there is, and what does not apply");
  auto* csv = command->add_flag("--csv", arguments->csv, "as CSV, a line for each machine and update");
  command->add_flag("--json", arguments->json, "as JSON")->excludes(csv);
  command->callback([arguments, &chosen] { chosen = [arguments] { return scan(*arguments); }; });
}

}  // namespace patchlab::cli
