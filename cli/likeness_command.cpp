// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/time.hpp"
#include "lab/facts/compare.hpp"
#include "lab/facts/folder.hpp"
#include "process/survey/survey.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace lab::facts;

struct Arguments {
  std::string family;
  fs::path scenario;
  fs::path facts;
  fs::path runs = "runs";
  std::string run;
  std::vector<std::string> departments;
  bool all = false;
  bool json = false;
};

// A golden machine, and how far it stands from production.
struct Row {
  std::string department, machine, role, golden;
  std::string golden_facts;  // where these are from
  Likeness likeness;
  [[nodiscard]] std::string name() const { return department + "/" + machine; }
};

ExitCode print_script(const Arguments& arguments) {
  const auto family = guest_family_from(arguments.family);
  if (!family)
    return report(unknown_choice("family", arguments.family, "has no script", {"debian", "windows"}), ExitCode::usage);
  write_out(*family == GuestFamily::debian ? debian_script : windows_script);
  return ExitCode::ok;
}

constexpr const char* not_started = "it was not started: run with --facts, then compare with --run";

// The installed set is known of an image; of all else a machine that does not run says nothing.
Result<std::map<std::string, Facts>> golden_facts_at_rest(const runners::Scenario& scenario) {
  PATCHLAB_ASSIGN(const auto cache, own_cache());
  process::SurveyRequest request;
  request.cache = cache;
  request.only_installed = true;
  PATCHLAB_ASSIGN(const auto survey, process::survey(scenario, host_processes(), request));
  std::map<std::string, Facts> golden;
  for (const auto& machine : survey.machines) {
    InstalledSet installed;
    for (const auto& package : machine.packages)
      installed[package.package + ":" + package.architecture] = package.version;
    auto facts = facts_of_installed(installed, not_started);
    if (!machine.not_known.empty()) facts.not_known[Part::packages] = machine.not_known;
    golden.emplace(machine.department + "/" + machine.machine, std::move(facts));
  }
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) {
      if (machine.golden.domain)
        golden[department.name + "/" + machine.name].family = machine.golden.domain->system.family;
    }
  }
  return golden;
}

// What the machines said at the baseline of a run, if the record vouches for it.
Result<std::map<std::string, Facts>> golden_facts_of_run(const Arguments& arguments,
                                                         const runners::Scenario& scenario) {
  const history::RunArchive archive(arguments.runs);
  PATCHLAB_ASSIGN(const auto file, archive.find(arguments.run));
  PATCHLAB_ASSIGN(const auto record, reports::read_run_record(file));
  const auto vouched = [&](const std::string& name) -> std::optional<reports::KeptFile> {
    if (!record.evidence) return std::nullopt;
    const auto found = std::ranges::find(*record.evidence, name, &reports::KeptFile::name);
    return found == record.evidence->end() ? std::nullopt : std::optional(*found);
  };
  std::map<std::string, Facts> golden;
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) {
      const auto name = fmt::format("evidence/{}/{}/{}.json", department.name, evidence_folder, machine.name);
      const auto key = department.name + "/" + machine.name;
      const auto kept = vouched(name);
      if (!kept) {
        golden[key] =
            facts_of_installed({}, fmt::format("run {} kept no facts of it: it was not run with --facts, or the "
                                               "machine could not say",
                                               record.id));
        continue;
      }
      PATCHLAB_ASSIGN(const auto text, read_file(file.parent_path() / name, most_bytes));
      if (sha256(text) != kept->sha256)
        return configuration_error(fmt::format("'{}' is not what the run kept", (file.parent_path() / name).string()),
                                   "patchlab verify says what else is not; bring the file back, or run it again");
      PATCHLAB_ASSIGN(golden[key], read_facts(text, name));
    }
  }
  return golden;
}

struct Answer {
  std::vector<Row> rows;
  std::vector<std::string> strangers;
  [[nodiscard]] std::size_t count(LikenessState state) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(rows, [&](const Row& row) { return row.likeness.state() == state; }));
  }
};

Result<Answer> answer_of(const Arguments& arguments, const runners::Scenario& scenario) {
  std::vector<std::string> known;
  std::vector<std::pair<std::string, std::string>> machines;
  for (const auto& department : scenario.departments) {
    known.push_back(department.name);
    for (const auto& machine : department.machines) machines.emplace_back(department.name, machine.name);
  }
  PATCHLAB_TRY(check_choice("--department", arguments.departments, "is not in the scenario", known));
  Answer answer;
  PATCHLAB_ASSIGN(answer.strangers, strangers_in(arguments.facts, machines));
  PATCHLAB_ASSIGN(const auto golden,
                  arguments.run.empty() ? golden_facts_at_rest(scenario) : golden_facts_of_run(arguments, scenario));
  const auto now = system_clock_source().wall();
  for (const auto& department : scenario.departments) {
    if (!arguments.departments.empty() && std::ranges::count(arguments.departments, department.name) == 0) continue;
    for (const auto& machine : department.machines) {
      PATCHLAB_ASSIGN(const auto given, given_facts(arguments.facts, department.name, machine.name, now));
      Row row{department.name, machine.name, machine.role};
      row.golden = machine.golden.domain ? machine.golden.domain->domain : machine.golden.recipe.filename().string();
      row.golden_facts = arguments.run.empty() ? "at rest" : "run " + arguments.run;
      const auto found = golden.find(row.name());
      const auto expected = arguments.facts / department.name / (machine.name + ".json");
      row.likeness =
          likeness_of(machine.role, found == golden.end() ? facts_of_installed({}, not_started) : found->second, given,
                      expected.string());
      answer.rows.push_back(std::move(row));
    }
  }
  return answer;
}

std::string age_text(const std::string& observed) {
  const auto then = parse_rfc3339(observed);
  if (!then) return "-";
  const auto days = std::chrono::floor<std::chrono::days>(system_clock_source().wall() - *then).count();
  return days <= 0 ? "today" : fmt::format("{} {}", days, days == 1 ? "day" : "days");
}

// "0", "3 (1 of the role)", or "?".
std::string count_text(const Likeness& likeness, Part part) {
  const auto* found = likeness.part(part);
  if (found == nullptr || !found->not_known.empty()) return "?";
  if (found->of_role == 0 || found->of_role == found->differing()) return std::to_string(found->differing());
  return fmt::format("{} ({} of the role)", found->differing(), found->of_role);
}

void show(const Answer& answer, bool all) {
  constexpr std::size_t few = 5;
  std::vector<std::vector<Cell>> rows{{{"machine"},
                                       {"stands for"},
                                       {"state"},
                                       {"facts"},
                                       {"release"},
                                       {"packages"},
                                       {"configuration"},
                                       {"services"},
                                       {"ports"}}};
  for (const auto& row : answer.rows) {
    const auto& likeness = row.likeness;
    std::vector<Cell> cells{{row.name()},
                            {likeness.production.empty() ? "-" : likeness.production},
                            {to_string(likeness.state())},
                            {age_text(likeness.observed)}};
    for (const auto part : all_parts) cells.push_back({count_text(likeness, part)});
    rows.push_back(std::move(cells));
  }
  write_out(table(rows));
  for (const auto& row : answer.rows) {
    say("{}: {}\n", row.name(), sentence_of(row.likeness));
    const auto& differences = row.likeness.differences;
    const auto shown = all ? differences.size() : std::min(few, differences.size());
    for (std::size_t i = 0; i < shown; ++i) {
      const auto& one = differences[i];
      say("    {} {}: golden {}, production {}{}\n", to_string(one.part), one.name,
          one.golden.empty() ? "none" : one.golden, one.production.empty() ? "none" : one.production,
          one.of_role ? "" : " (not of the role)");
    }
    if (shown < differences.size()) say("    {} more: --all\n", differences.size() - shown);
  }
  for (const auto& one : answer.strangers) say("{}: of no machine of the scenario\n", one);
  say("{} alike, {} differ, of {} nobody can tell\n", answer.count(LikenessState::alike),
      answer.count(LikenessState::differs), answer.count(LikenessState::unknown));
}

Json json_of(const Answer& answer, const runners::Scenario& scenario) {
  Json json{{"scenario", {{"name", scenario.name}, {"digest", scenario.digest}}},
            {"machines", Json::array()},
            {"strangers", answer.strangers}};
  for (const auto state : {LikenessState::alike, LikenessState::differs, LikenessState::unknown})
    json[to_string(state)] = answer.count(state);
  for (const auto& row : answer.rows) {
    json["machines"].push_back({{"department", row.department},
                                {"machine", row.machine},
                                {"role", row.role},
                                {"golden", row.golden},
                                {"golden_facts", row.golden_facts},
                                {"likeness", row.likeness}});
  }
  return json;
}

ExitCode compare_all(const Arguments& arguments) {
  const auto scenario = runners::load_scenario(arguments.scenario, runners::ScenarioFor::learning);
  if (!scenario) return report(scenario.error());
  const auto answer = answer_of(arguments, *scenario);
  if (!answer) return report_input(answer.error(), ExitCode::bad_data);
  if (arguments.json)
    say_json("likeness", json_of(*answer, *scenario));
  else
    show(*answer, arguments.all);
  const bool good =
      answer->count(LikenessState::alike) == answer->rows.size() && !answer->rows.empty() && answer->strangers.empty();
  return good ? ExitCode::ok : ExitCode::not_tested;
}

}  // namespace

void add_likeness(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group =
      app.add_subcommand("likeness", "how far golden machines stand from the production machines they stand for");
  group->require_subcommand(1);

  auto* script = group->add_subcommand("script", "print the script that collects facts on a machine; it only reads");
  script->add_option("family", arguments->family, "debian (POSIX sh) or windows (PowerShell, 2012 to 2022)")
      ->required();
  script->callback([arguments, &chosen] { chosen = [arguments] { return print_script(*arguments); }; });

  auto* command = group->add_subcommand("compare", "golden machines of a scenario with facts of production");
  command->add_option("scenario", arguments->scenario, "scenario file")->required();
  command->add_option("facts", arguments->facts, "folder with DEPARTMENT/MACHINE.json, what the script printed there")
      ->required();
  command->add_option("--department", arguments->departments, "only this department (may be given again)")
      ->allow_extra_args(false);
  command->add_option("--run", arguments->run,
                      "what golden machines said at the baseline of this run; else only what is installed is compared");
  command->add_option("--runs", arguments->runs, "folder of runs")->capture_default_str()->envname("PATCHLAB_RUNS");
  command->add_flag("--all", arguments->all, "show everything that differs");
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return compare_all(*arguments); }; });
}

}  // namespace patchlab::cli
