// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/assessment.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "patches/apt/apt_source.hpp"
#include "process/acquire/acquire.hpp"
#include "process/acquire/due.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace process;

constexpr std::uintmax_t largest_ca_bundle = 16U << 20U;

struct Arguments {
  AssessmentArguments assessment;
  std::string due;
  fs::path wanted;
  fs::path drop;
  fs::path wsus;
  fs::path quarantine = "quarantine";
  fs::path ca_bundle;
  bool csv = false;
  bool json = false;
};

std::map<std::string, std::string> known_bad_of(const Feeds& feeds) {
  std::map<std::string, std::string> bad;
  for (const auto& one : feeds.known_bad) {
    for (const auto& match : one.match) {
      if (!match.sha256.empty() && one.is_open)
        bad[match.sha256] = fmt::format("is known to be bad ({}): {}", one.id, one.symptom);
    }
  }
  return bad;
}

struct Done {
  AcquireResult acquired;
  ScanResult assessed;
  std::size_t due = 0;  // files that the assessment asks for
  std::vector<AcquiredRow> not_named;
};

// The files in the store that are of no candidate of the scenario: no scan, plan and run knows of them.
std::vector<AcquiredRow> not_named_in(const runners::Scenario& scenario, const AcquireRequest& request,
                                      const AcquireResult& acquired) {
  // A candidate whose files came just now was not read before.
  const auto is_named = [&](const fs::path& file) {
    return std::ranges::any_of(scenario.candidates, [&](const auto& source) {
      if (source.kind != runners::CandidateSourceKind::path) return false;
      const auto named = source.path.lexically_normal();
      return named == file || named == file.parent_path();
    });
  };
  std::vector<AcquiredRow> rows;
  for (const auto& row : acquired.rows) {
    const bool is_here = row.state == AcquiredState::acquired || row.state == AcquiredState::here;
    if (is_here && !request.offered.contains(row.sha256) && !is_named(row.source)) rows.push_back(row);
  }
  return rows;
}

Result<Done> bring(const Arguments& arguments, const runners::Scenario& scenario, ChosenTable table,
                   const std::set<std::string>& timelines) {
  AcquireRequest request;
  // Before anything else is done: what is wrong with a list is known at once.
  std::vector<WantedFile> by_hand;
  if (!arguments.wanted.empty()) {
    PATCHLAB_ASSIGN(const auto json, read_json_file(arguments.wanted));
    PATCHLAB_ASSIGN(by_hand, parse_wanted(json, arguments.wanted.string()));
  }
  if (!arguments.ca_bundle.empty()) {
    PATCHLAB_TRY(read_file(arguments.ca_bundle, largest_ca_bundle).while_doing("reading the CA bundle"));
  }
  for (const auto& [folder, path] :
       {std::pair{&request.drop, &arguments.drop}, std::pair{&request.wsus, &arguments.wsus}}) {
    if (path->empty()) continue;
    PATCHLAB_ASSIGN(*folder, absolute_path(*path));
    PATCHLAB_TRY(entries_of(*folder));
  }
  request.quarantine = arguments.quarantine;
  request.now = rfc3339(system_clock_source().wall());
  request.processes = &host_processes();
  PATCHLAB_ASSIGN(auto assessment, assess(arguments.assessment, scenario, std::move(table)));
  Done done;
  request.wanted = due_files(assessment.result, assessment.machines, timelines);
  done.due = request.wanted.size();
  for (auto& file : by_hand) {
    const bool is_due = std::ranges::any_of(request.wanted, [&](const auto& one) { return one.sha256 == file.sha256; });
    if (!is_due) request.wanted.push_back(std::move(file));
  }
  request.known_bad = known_bad_of(assessment.feeds);
  request.offered = offered_files(assessment.machines);
  const patches::ContentStore store(cache_folder() / "store");
  patches::AptSource apt(host_processes(), store, {.folder = cache_folder() / "apt"});
  request.fetch = [&](const WantedFile& file) {
    return apt.package(file.package, file.version, file.architecture, interruption());
  };
  const patches::Authenticode authenticode(host_processes(), {arguments.ca_bundle, patches::Unsigned::refuse});
  PATCHLAB_ASSIGN(done.acquired, process::acquire(store, authenticode, request));
  done.not_named = not_named_in(scenario, request, done.acquired);
  done.assessed = std::move(assessment.result);
  return done;
}

std::string size_text(const AcquiredRow& row) {
  return row.bytes ? fmt::format("{} bytes", *row.bytes) : "size unknown";
}

void show(const Done& done) {
  const auto& rows = done.acquired.rows;
  std::vector<std::vector<Cell>> lines{{{"state"}, {"update"}, {"file"}, {"why"}}};
  for (const auto& row : rows) {
    if (row.state == AcquiredState::to_bring || row.state == AcquiredState::here ||
        row.state == AcquiredState::not_asked)
      continue;
    lines.push_back({{to_string(row.state)}, {row.item.empty() ? "-" : row.item}, {row.name}, {row.why}});
  }
  if (lines.size() > 1) write_out(table(lines));
  for (const auto& row : rows) {
    if (row.state == AcquiredState::quarantined && !row.quarantine.empty())
      say("'{}' is in {}\n", row.name, row.quarantine);
  }
  for (const auto& row : rows) {
    if (row.state != AcquiredState::to_bring) continue;
    say("to bring: {}, {}, sha256 {}{}{}\n", row.name, size_text(row), row.sha256,
        row.from.empty() ? "" : ", from " + row.from, row.source.empty() ? "" : "; " + row.why);
  }
  for (const auto& row : done.not_named) {
    say("'{}' is no candidate of the scenario: no plan or run knows of it before \"candidates\" has {{\"path\": {}, "
        "\"sha256\": \"{}\"}}\n",
        row.name, Json(row.source.empty() ? row.name : row.source).dump(-1, ' ', false, Json::error_handler_t::replace),
        row.sha256);
  }
  for (const auto& one : done.assessed.not_known) say("unknown: {}: {}\n", one.what, one.why);
  say("{} acquired, {} here before, {} to bring, {} in quarantine, {} could not be looked at\n",
      done.acquired.count(AcquiredState::acquired), done.acquired.count(AcquiredState::here),
      done.acquired.count(AcquiredState::to_bring), done.acquired.count(AcquiredState::quarantined),
      done.acquired.count(AcquiredState::failed));
  if (const auto count = done.acquired.count(AcquiredState::not_asked); count > 0)
    say("{} brought, and nobody asks for {}: {} (--csv lists them)\n",
        count == 1 ? "1 file was" : fmt::format("{} files were", count), count == 1 ? "it" : "them",
        count == 1 ? "it stays where it is" : "they stay where they are");
  if (!done.assessed.whole()) say("not everything is known of what is missing: patchlab scan says what\n");
}

ExitCode code_of(const Done& done) {
  if (done.acquired.count(AcquiredState::quarantined) > 0) return ExitCode::bad_data;
  const bool all_here =
      done.acquired.count(AcquiredState::to_bring) == 0 && done.acquired.count(AcquiredState::failed) == 0;
  return all_here && done.assessed.whole() ? ExitCode::ok : ExitCode::not_tested;
}

ExitCode acquire(const Arguments& arguments) {
  const auto scenario = runners::load_scenario(arguments.assessment.scenario, runners::ScenarioFor::learning);
  if (!scenario) return report(scenario.error());
  auto decisions = decision_table(arguments.assessment.decisions, scenario->stage);
  if (!decisions) return report_input(decisions.error(), ExitCode::bad_data);
  const auto timelines = timelines_in(arguments.due, decisions->table);
  if (!timelines) return report(timelines.error());
  const auto done = bring(arguments, *scenario, std::move(*decisions), *timelines);
  if (!done) return report_input(done.error(), ExitCode::bad_data);
  if (arguments.json) {
    Json json = done->acquired;
    json["scenario"] = {{"name", scenario->name}, {"digest", scenario->digest}};
    json["today"] = day_text(done->assessed.today);
    json["due"] = done->due;
    json["assessment_whole"] = done->assessed.whole();
    say_json("acquire", json);
  } else if (arguments.csv) {
    write_out(acquire_csv(done->acquired));
  } else {
    show(*done);
  }
  return code_of(*done);
}

}  // namespace

void add_acquire(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand(
      "acquire",
      "bring what is due into the content store, verified; what is certainly not what it should be into quarantine");
  add_assessment_options(*command, arguments->assessment);
  command->add_option("--due", arguments->due,
                      "only updates with these outcomes of the decision table, with commas: 3-days,14-days");
  command->add_option("--wanted", arguments->wanted,
                      "files that people bring (JSON): name, SHA-256, size, KB, where from; patchlab schema wanted");
  command->add_option("--drop", arguments->drop, "folder into which people put what they downloaded");
  command->add_option("--wsus", arguments->wsus, "content folder of a WSUS, read only");
  command->add_option("--quarantine", arguments->quarantine, "folder for what is not what it should be")
      ->capture_default_str();
  command->add_option("--ca-bundle", arguments->ca_bundle,
                      "certificates (PEM) that the signatures of Windows packages must lead to");
  auto* csv = command->add_flag("--csv", arguments->csv, "as CSV, a line for each file");
  command->add_flag("--json", arguments->json, "as JSON")->excludes(csv);
  command->callback([arguments, &chosen] { chosen = [arguments] { return acquire(*arguments); }; });
}

}  // namespace patchlab::cli
