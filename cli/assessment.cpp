// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/assessment.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

#include "cli/catalogue_signature.hpp"
#include "cli/earlier_failures.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "process/acquire/due.hpp"
#include "process/scan/first_named.hpp"
#include "process/scan/windows.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/policy/policy_document.hpp"
#include "runners/engine/progress.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* shipped_table = "cisa-bod-26-04.csv";

}  // namespace

void add_assessment_options(CLI::App& command, AssessmentArguments& arguments) {
  command.add_option("scenario", arguments.scenario, "scenario file")->required();
  add_feeds_options(command, arguments.feeds);
  command.add_option("--decisions", arguments.decisions,
                     "decision table (CSV) that says what is due when; default: that of the policy of the stage, or "
                     "CISA's BOD 26-04, as shipped");
  command.add_option("--department", arguments.departments, "only this department (may be given again)");
}

Result<ChosenTable> decision_table(const fs::path& named, const fs::path& stage) {
  ChosenTable chosen;
  const auto policy = promotion::policy_at_desk(stage, system_clock_source().wall());
  if (!policy || policy->trouble) {
    chosen.not_known.push_back({fmt::format("which decision table the policy of stage '{}' names", stage.string()),
                                policy ? policy->trouble->text : policy.error().message});
  }
  const auto demanded = policy ? policy->decisions : std::nullopt;
  auto file = named;
  process::TableOrigin origin{{}, process::TableNamedBy::command, {}};
  if (file.empty()) {
    PATCHLAB_ASSIGN(const auto share, share_folder(own_program()));
    file = share / "scenarios" / "policies" / shipped_table;
    origin.named_by = process::TableNamedBy::nobody;
  }
  std::string text;
  const auto kept = promotion::Chain(stage / promotion::chain_folder_name).objects();
  if (demanded && named.empty() && kept.has(demanded->sha256)) {
    file = demanded->file;
    PATCHLAB_ASSIGN(text, kept.get(demanded->sha256));
  } else {
    PATCHLAB_ASSIGN(text, read_file(file, promotion::largest_table));
  }
  if (demanded) {
    const auto found = sha256(text);
    const auto asked = fmt::format("policy '{}' of stage '{}' names the decision table '{}', sha256 {}", policy->id,
                                   stage.string(), demanded->file, demanded->sha256);
    if (found != demanded->sha256 && !named.empty())
      return configuration_error(fmt::format("{}; '{}' is another one, sha256 {}", asked, file.string(), found),
                                 "leave --decisions out; another table decides when a policy names it");
    if (found != demanded->sha256)
      return configuration_error(asked + ", and the ledger does not have it: that policy came without its table",
                                 "name that file with --decisions; 'patchlab policy add' keeps it in the ledger");
    origin.named_by = process::TableNamedBy::policy;
    origin.policy = policy->id;
  }
  origin.file = demanded ? demanded->file : file.filename().string();
  PATCHLAB_ASSIGN(chosen.table, process::parse_decision_table(text, file.string()));
  chosen.table.origin = std::move(origin);
  return chosen;
}

Result<std::set<std::string>> timelines_in(const std::string& due, const process::DecisionTable& table) {
  std::set<std::string> timelines;
  if (due.empty()) return timelines;
  for (const auto part : split(due, ',')) timelines.insert(process::timeline_word(std::string(trimmed(part))));
  PATCHLAB_TRY(check_choice("--due", {timelines.begin(), timelines.end()}, "is no outcome of the decision table",
                            process::timeline_words(table)));
  return timelines;
}

Result<process::Survey> survey_of(const runners::Scenario& scenario, const std::vector<std::string>& departments) {
  process::SurveyRequest request;
  request.cache = cache_folder();
  request.departments = departments;
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  request.progress = [&](const std::string& line) { progress.say("updates: " + line); };
  request.stop = interruption();
  return process::survey(scenario, host_processes(), request);
}

Result<Assessment> assess(const AssessmentArguments& arguments, const runners::Scenario& scenario,
                          ChosenTable decisions) {
  PATCHLAB_ASSIGN(auto survey, survey_of(scenario, arguments.departments));
  process::ScanInput input;
  input.today = std::chrono::floor<std::chrono::days>(system_clock_source().wall());
  process::FeedsWanted wanted;
  wanted.today = input.today;
  wanted.sources = process::sources_of(survey.machines);
  wanted.cves = process::cves_of(survey.machines);
  wanted.windows_products = process::windows_products_of(survey.machines);
  auto feeds = arguments.feeds.read(wanted);
  if (!feeds) return std::move(feeds).error();
  input.feeds = std::move(*feeds);
  if (input.feeds.catalogue && !wanted.windows_products.empty()) {
    const auto& file = input.feeds.state(process::FeedKind::windows_catalogue).files.front();
    PATCHLAB_ASSIGN(input.catalogue_signature,
                    catalogue_signature(host_processes(), arguments.feeds.folder / file.name, file.sha256,
                                        input.feeds.catalogue->carries_signature, arguments.ca_bundle));
  }
  input.machines = std::move(survey.machines);
  input.not_known = std::move(survey.not_known);
  for (auto& machine : input.machines) process::offer_windows_updates(machine, input.feeds, input.not_known);
  input.table = std::move(decisions.table);
  std::ranges::move(decisions.not_known, std::back_inserter(input.not_known));
  if (!arguments.runs.empty()) {
    auto earlier = earlier_failures(arguments.runs);
    input.failures = std::move(earlier.failures);
    std::ranges::move(earlier.not_known, std::back_inserter(input.not_known));
  }
  const auto note = cache_folder() / "scan" / "first-named.json";
  PATCHLAB_ASSIGN(input.first_named, process::read_first_named(note));
  auto result = process::scan(input);
  PATCHLAB_TRY(process::note_first_named(note, result));
  return Assessment{std::move(input.machines), std::move(input.feeds), std::move(input.table), std::move(result)};
}

}  // namespace patchlab::cli
