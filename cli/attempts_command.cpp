// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <set>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "promotion/desk/attempts.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  std::filesystem::path stage = "production";
  std::string department;
  bool json = false;
};

void show(const promotion::RunAttempt& attempt) {
  say("run {}: begun {} by {}{}{}\n", attempt.run, attempt.begun, attempt.by,
      attempt.submitter.empty() ? "" : " for " + attempt.submitter,
      attempt.attempt > 1 ? fmt::format(", attempt {} with the same candidates", attempt.attempt) : "");
  if (!attempt.asked.empty()) say("  asked only for {}\n", fmt::join(attempt.asked, ", "));
  if (attempt.ended.empty())
    say("  has no end: it was killed, or is under way\n");
  else
    say("  ended {}: {}{}\n", attempt.ended, attempt.result, attempt.complete ? "" : ", not complete");
  for (const auto& part : attempt.parts) {
    say("  {}: {}\n", part.department, part.verdict.empty() ? "no verdict is known" : part.verdict);
    for (const auto& fate : part.fates) say("    {}\n", fate);
    if (part.fates.empty() && !attempt.ended.empty()) say("    nobody asked to promote it\n");
  }
}

ExitCode attempts(const Arguments& arguments) {
  const auto stage = absolute_path(arguments.stage).while_doing("--stage");
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  // Of a stage that is not there nobody can say that nothing was tried.
  if (!is_folder(*stage)) {
    return report(configuration_error(fmt::format("there is no stage '{}'", stage->string()),
                                      "name the folder that 'patchlab promote' was given as --stage"),
                  ExitCode::bad_data);
  }
  auto found = promotion::attempts_of_stage(*stage);
  if (!found) return report_input(found.error(), ExitCode::bad_data);
  if (!arguments.department.empty()) {
    std::set<std::string> known;
    for (const auto& attempt : *found) {
      for (const auto& part : attempt.parts) known.insert(part.department);
    }
    const auto is_one = check_choice("--department", {arguments.department}, "is in no run of this stage",
                                     {known.begin(), known.end()});
    if (!is_one) return report_input(is_one.error(), ExitCode::bad_data);
    std::erase_if(*found, [&](const promotion::RunAttempt& attempt) {
      return std::ranges::count(attempt.parts, arguments.department, &promotion::RunAttempt::Part::department) == 0;
    });
  }
  if (arguments.json) {
    say_json("attempts", Json{{"stage", stage->string()}, {"attempts", *found}});
    return ExitCode::ok;
  }
  for (const auto& attempt : *found) show(attempt);
  if (found->empty()) say("the ledger of stage '{}' has no run\n", stage->string());
  return ExitCode::ok;
}

}  // namespace

void add_attempts(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("attempts", "every run that a stage's ledger has, also those without an end");
  command->add_option("--stage", arguments->stage, "stage folder")->capture_default_str();
  command->add_option("--department", arguments->department, "only runs that tried this department");
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return attempts(*arguments); }; });
}

}  // namespace patchlab::cli
