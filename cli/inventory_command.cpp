// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/debian_version.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "lab/libvirt/domain_list.hpp"
#include "process/inventory/inventory.hpp"
#include "process/survey/survey.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/deploy/deployed.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace process;

constexpr std::uintmax_t largest_list = 64U << 20U;

struct Arguments {
  fs::path scenario;
  std::vector<fs::path> inventories;
  std::vector<std::string> libvirts;  // URIs
  fs::path answering;
  std::vector<std::string> called;
  fs::path stage;
  std::vector<fs::path> said;
  std::vector<std::string> without;
  std::vector<std::string> versions;
  bool golden = false;
  bool csv = false;
  bool json = false;
};

// "Name servers=dns", of which only words of the scenario mean something.
Result<std::map<std::string, std::string>> called_of(const Arguments& arguments, const runners::Scenario& scenario) {
  std::set<std::string> known;
  for (const auto& department : scenario.departments) {
    known.insert(department.name);
    for (const auto& machine : department.machines) known.insert(machine.role);
  }
  std::map<std::string, std::string> called;
  for (const auto& text : arguments.called) {
    const auto equals = text.rfind('=');
    const auto theirs = lower_case(trimmed(text.substr(0, equals)));
    if (equals == std::string::npos || theirs.empty())
      return usage_error(
          fmt::format("--called '{}' is not THEIRS=OURS", printable(text)),
          "--called 'name servers=dns', for what an inventory calls a role or department of the scenario");
    const auto ours = std::string(trimmed(std::string_view(text).substr(equals + 1)));
    if (!known.contains(ours))
      return usage_error(
          fmt::format("--called '{}': '{}' is no role or department of the scenario", printable(text), printable(ours)),
          fmt::format("there are: {}", listed(known)));
    if (!called.emplace(theirs, ours).second)
      return usage_error(fmt::format("--called: '{}' is given twice", printable(theirs)), "leave one of them out");
  }
  return called;
}

// Which names and addresses a libvirt says; who is off is not in service, as for nobody else here.
Result<Inventory> inventory_of_libvirt(const std::string& uri) {
  PATCHLAB_ASSIGN(const auto domains, lab::libvirt::list_domains(uri));
  Inventory inventory{.file = uri, .sha256 = sha256(Json(domains).dump()), .format = InventoryFormat::libvirt};
  for (const auto& domain : domains) {
    auto& machine = inventory.machines.emplace_back(ListedMachine{.name = domain.name,
                                                                  .department = domain.department,
                                                                  .role = domain.role,
                                                                  .system = domain.system,
                                                                  .status = domain.is_active ? "active" : "inactive",
                                                                  .place = fmt::format("domain '{}'", domain.name)});
    for (const auto& address : domain.addresses) {
      if (machine.address.empty()) machine.address = canonical_address(address).value_or("");
    }
  }
  return with_machines(std::move(inventory));
}

Result<std::vector<Question>> questions_of(const Arguments& arguments) {
  std::vector<Question> questions;
  for (const auto& text : arguments.without) {
    PATCHLAB_ASSIGN(auto question, question_without(text));
    questions.push_back(std::move(question));
  }
  for (const auto& text : arguments.versions) {
    PATCHLAB_ASSIGN(auto question, question_versions(text));
    questions.push_back(std::move(question));
  }
  return questions;
}

// The ledger keeps of each report what was compared with what is promoted.
Reported reported_of(const promotion::DeployedMachine& told) {
  using promotion::InstalledState;
  Reported reported{.machine = told.report.machine,
                    .department = told.department,
                    .observed = told.report.observed,
                    .from = fmt::format("line {} of the ledger", told.line)};
  for (const auto& row : told.report.rows) {
    // Of what somebody installed by hand the bytes are known, not the version. An update has no version.
    const bool is_update = row.promoted == row.name;
    const bool has_version = told.source != promotion::InstalledSource::by_hand && !is_update && !row.found.empty();
    switch (row.state) {
      case InstalledState::as_promoted:
        if (is_update || row.name.starts_with("KB"))
          reported.updates.insert(row.name);
        else if (has_version)
          reported.packages.push_back({row.name, {}, row.found, row.since, false});
        break;
      case InstalledState::older:
      case InstalledState::newer:
        if (has_version) reported.packages.push_back({row.name, {}, row.found, row.since, false});
        break;
      case InstalledState::failed:
        if (!is_update) reported.packages.push_back({row.name, {}, row.found, row.since, true});
        break;
      case InstalledState::not_installed: reported.lacks.insert(row.name); break;
      case InstalledState::other_bytes:
      case InstalledState::not_reported:
      case InstalledState::not_for_it: break;
    }
  }
  return reported;
}

Result<std::vector<Reported>> reports_of(const Arguments& arguments) {
  std::vector<Reported> all;
  if (!arguments.stage.empty()) {
    PATCHLAB_ASSIGN(const auto stage, absolute_path(arguments.stage));
    if (!promotion::Chain(stage / promotion::chain_folder_name).exists())
      return configuration_error(
          fmt::format("'{}' has no ledger: nobody can say what machines reported", printable(stage.string())),
          "patchlab deploy record writes it down; --said FILE is for what machines say now");
    PATCHLAB_ASSIGN(const auto told, promotion::told_of_stage(host_processes(), stage));
    for (const auto& one : told) all.push_back(reported_of(one));
  }
  for (const auto& file : arguments.said) {
    PATCHLAB_ASSIGN(const auto text, read_file(file, largest_list));
    PATCHLAB_ASSIGN(const auto said, promotion::from_json_lines(text, file.string()));
    for (const auto& one : said) {
      // It would be believed before all that is said later.
      PATCHLAB_TRY(promotion::refuse_future(one.machine, one.observed, system_clock_source().wall())
                       .while_doing(fmt::format("reading '{}'", printable(file.string()))));
      Reported reported{.machine = one.machine,
                        .observed = one.observed,
                        .from = file.string(),
                        .packages = one.packages,
                        .updates = one.updates};
      reported.says_packages = one.says_packages;
      reported.knows_packages = one.knows_packages;
      reported.knows_updates = one.knows_updates;
      all.push_back(std::move(reported));
    }
  }
  return all;
}

Result<std::vector<Reported>> golden_of(const runners::Scenario& scenario) {
  PATCHLAB_ASSIGN(const auto cache, own_cache());
  SurveyRequest request;
  request.cache = cache;
  request.only_installed = true;
  PATCHLAB_ASSIGN(const auto survey, process::survey(scenario, host_processes(), request));
  std::vector<Reported> golden;
  for (const auto& machine : survey.machines) {
    Reported one{.machine = fmt::format("lab: {}/{}", machine.department, machine.machine),
                 .department = machine.department,
                 .from = fmt::format("golden machine '{}'", machine.golden)};
    one.not_known = machine.not_known;
    one.says_packages = one.knows_packages = machine.not_known.empty();
    for (const auto& package : machine.packages)
      one.packages.push_back({package.package, package.architecture, package.version, {}, false});
    golden.push_back(std::move(one));
  }
  return golden;
}

Result<InventoryInput> input_of(const Arguments& arguments, const runners::Scenario& scenario) {
  InventoryInput input;
  PATCHLAB_ASSIGN(input.called, called_of(arguments, scenario));
  PATCHLAB_ASSIGN(input.questions, questions_of(arguments));
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines)
      input.tested.push_back({department.name, machine.name, machine.role});
  }
  for (const auto& file : arguments.inventories) {
    PATCHLAB_ASSIGN(const auto text, read_file(file, largest_list));
    PATCHLAB_ASSIGN(auto inventory, read_inventory(text, file.string()));
    input.inventories.push_back(std::move(inventory));
  }
  for (const auto& uri : arguments.libvirts) {
    PATCHLAB_ASSIGN(auto inventory, inventory_of_libvirt(uri));
    input.inventories.push_back(std::move(inventory));
  }
  if (!arguments.answering.empty()) {
    PATCHLAB_ASSIGN(const auto text, read_file(arguments.answering, largest_list));
    PATCHLAB_ASSIGN(input.answering, read_answering(text, arguments.answering.string()));
  }
  if (!arguments.stage.empty() || !arguments.said.empty()) {
    PATCHLAB_ASSIGN(input.reported, reports_of(arguments));
  }
  if (arguments.golden) {
    PATCHLAB_ASSIGN(input.golden, golden_of(scenario));
  }
  return input;
}

void show_findings(const InventoryResult& result) {
  std::vector<std::vector<Cell>> rows{{{"finding"}, {"what"}, {"why"}}};
  for (const auto& one : result.findings) {
    rows.push_back({{to_string(one.kind)},
                    {one.subject},
                    {one.why, std::nullopt, one.places.size() == 1 ? one.places.front() : std::string()}});
  }
  if (rows.size() > 1) write_out(table(rows));
}

void show_sources(const InventoryResult& result) {
  for (const auto& one : result.sources) {
    say("{}: {}, {} {}{}\n", one.file, one.format, one.machines, one.machines == 1 ? "machine" : "machines",
        one.not_read.empty() ? "" : "; columns not read: " + listed(one.not_read));
  }
  std::size_t tested = 0, out_of_service = 0;
  std::vector<std::string> silent;
  for (const auto& one : result.machines) {
    tested += one.tested_as.empty() ? 0 : 1;
    out_of_service += one.in_service ? 0 : 1;
    if (one.in_service && one.answers == false) silent.push_back(one.name);
  }
  say("{} machines, {} of them with a role that the lab tests, {} not in service\n", result.machines.size(), tested,
      out_of_service);
  if (result.asked_who_answers)
    say("{} systems answer{}\n", result.answering,
        silent.empty() ? "" : fmt::format("; listed, and not in the list of those that answer: {}", listed(silent)));
  else
    say("not asked: who answers (--answering FILE)\n");
  if (result.asked_reports)
    say("{} machines reported what they have\n", result.said);
  else
    say("not asked: what machines reported (--stage STAGE, --said FILE)\n");
  if (result.count(InventoryFindingKind::role_unknown) > 0)
    say("an inventory may call a role or a department otherwise: --called 'THEIRS=OURS'\n");
}

void show_without(const Answers& answers) {
  std::vector<std::vector<Cell>> rows{{{"machine"}, {"department"}, {"state"}, {"has"}, {"observed"}, {"from"}}};
  for (const auto& row : answers.rows) {
    if (!counts(answers.question, row.state) && row.state != AnswerState::unknown) continue;
    rows.push_back({{row.machine},
                    {row.department.empty() ? "-" : row.department},
                    {to_string(row.state)},
                    {row.version.empty() ? "-" : row.version},
                    {row.observed.empty() ? "-" : row.observed},
                    {row.state == AnswerState::unknown ? row.why : row.from}});
  }
  if (rows.size() > 1) write_out(table(rows));
}

void show_versions(const Answers& answers) {
  std::vector<std::vector<Cell>> rows{{{"version"}, {"machines"}, {"which"}}};
  std::vector<std::pair<std::string, std::vector<std::string>>> by_version;  // those that have it first
  for (const auto& row : answers.rows) {
    if (row.state == AnswerState::not_for_it) continue;
    const auto version = row.state == AnswerState::unknown         ? std::string("unknown")
                         : row.state == AnswerState::not_installed ? std::string("not installed")
                         : row.state == AnswerState::failed        ? row.version + " (failed)"
                                                                   : row.version;
    auto at = std::ranges::find(by_version, version, [](const auto& one) { return one.first; });
    if (at == by_version.end()) at = by_version.insert(at, {version, {}});
    at->second.push_back(row.machine);
  }
  // Of those that no machine has there is no version to compare by.
  const auto middle = std::stable_partition(by_version.begin(), by_version.end(), [](const auto& one) {
    return one.first != "unknown" && version_parts(one.first).has_value();
  });
  std::sort(by_version.begin(), middle,
            [](const auto& a, const auto& b) { return compare_versions(a.first, b.first) < 0; });
  for (const auto& [version, machines] : by_version)
    rows.push_back({{version}, {std::to_string(machines.size())}, {fmt::format("{}", fmt::join(machines, ", "))}});
  if (rows.size() > 1) write_out(table(rows));
}

void show_left_out(const Answers& answers) {
  if (answers.left_out.empty()) return;
  std::vector<std::string> names;
  for (const auto& one : answers.left_out) names.push_back(fmt::format("{} ({})", one.machine, one.why));
  say("{} left out, not in service: {}\n", names.size(), listed(names));
}

void show_answers(const InventoryResult& result) {
  for (const auto& one : result.answers) {
    say("{}\n", one.question.text());
    if (one.question.kind == Question::Kind::without) {
      show_without(one);
      say("{} of {} machines are without it, of {} nobody can tell\n", one.count(), one.rows.size(), one.unknown());
    } else {
      show_versions(one);
    }
    show_left_out(one);
  }
  for (const auto& one : result.findings) {
    if (one.kind == InventoryFindingKind::not_whole) say("machines may be missing: {}: {}\n", one.subject, one.why);
    if (one.kind == InventoryFindingKind::status_unknown) say("{}: {}\n", one.subject, one.why);
  }
  if (!result.asked_reports) say("not asked: what machines reported (--stage STAGE, --said FILE)\n");
}

ExitCode inventory(const Arguments& arguments) {
  if (arguments.inventories.empty() && arguments.libvirts.empty())
    return report(usage_error("nothing lists machines", "give a file that does, or --connect URI of a libvirt"));
  // As for scan: that checks or candidates are not there yet is no reason not to look.
  const auto scenario = runners::load_scenario(arguments.scenario, runners::ScenarioFor::learning);
  if (!scenario) return report(scenario.error());
  const auto input = input_of(arguments, *scenario);
  if (!input) return report_input(input.error(), ExitCode::bad_data);
  const auto result = compare_inventory(*input);
  const auto code = result.clean() ? ExitCode::ok : ExitCode::not_tested;
  if (arguments.json) {
    Json json = result;
    json["scenario"] = {{"name", scenario->name}, {"digest", scenario->digest}};
    say_json("inventory", json);
  } else if (arguments.csv) {
    write_out(inventory_csv(result));
  } else if (!result.answers.empty()) {
    show_answers(result);
  } else {
    show_findings(result);
    show_sources(result);
  }
  return code;
}

}  // namespace

void add_inventory(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand(
      "inventory", "the machines that there are against those that the lab tests, and which of them have what");
  command->add_option("scenario", arguments->scenario, "scenario file")->required();
  command->add_option(
      "inventories", arguments->inventories,
      "what lists machines: ansible-inventory --list, NetBox devices (JSON), CSV with a head, Nagios objects");
  command
      ->add_option("--connect", arguments->libvirts,
                   "libvirt whose domains are machines: qemu:///system, qemu+ssh://HOST/system (may be given again)")
      ->allow_extra_args(false);
  command->add_option("--answering", arguments->answering,
                      "systems that answer: a line for each, ADDRESS [NAME], or what nmap -oG wrote");
  command
      ->add_option("--called", arguments->called,
                   "what an inventory calls a role or department of the scenario (may be given again)")
      ->allow_extra_args(false);
  command->add_option("--stage", arguments->stage, "stage folder: what machines reported is in its ledger");
  command
      ->add_option(
          "--said", arguments->said,
          "what machines have, one JSON object per machine and line, as for deploy record (may be given again)")
      ->allow_extra_args(false);
  command
      ->add_option("--without", arguments->without,
                   "which machines are without KB5035968, bind9, or bind9=VERSION or later (may be given again)")
      ->allow_extra_args(false);
  command->add_option("--versions", arguments->versions, "which versions of a package there are (may be given again)")
      ->allow_extra_args(false);
  command->add_flag("--golden", arguments->golden, "ask the golden machines of the scenario, too");
  auto* csv = command->add_flag("--csv", arguments->csv, "as CSV, a line for each finding or answer");
  command->add_flag("--json", arguments->json, "as JSON")->excludes(csv);
  command->callback([arguments, &chosen] { chosen = [arguments] { return inventory(*arguments); }; });
}

}  // namespace patchlab::cli
