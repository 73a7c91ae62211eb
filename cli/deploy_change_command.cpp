// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/calendar_argument.hpp"
#include "cli/deploy_commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "promotion/deploy/change_record.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

struct Arguments {
  fs::path stage;
  std::string department;
  std::uint64_t serial = 0;  // 0: the last
  bool all = false;
  fs::path scan;
  fs::path calendar;
  std::string from;
  std::string to;
  bool mail = false;
  bool csv = false;
  bool json = false;
};

Result<void> choose(const Arguments& arguments, std::vector<ChangeRecord>& changes) {
  std::vector<std::string> departments;
  for (const auto& one : changes) {
    if (std::ranges::count(departments, one.department) == 0) departments.push_back(one.department);
  }
  if (!arguments.department.empty()) {
    PATCHLAB_TRY(check_choice("--department", {arguments.department},
                              fmt::format("was never promoted in '{}'", arguments.stage.string()), departments));
    std::erase_if(changes, [&](const ChangeRecord& one) { return one.department != arguments.department; });
  }
  if (arguments.serial != 0) {
    std::vector<std::string> serials;
    for (const auto& one : changes) serials.push_back(std::to_string(one.serial));
    PATCHLAB_TRY(check_choice("--serial", {std::to_string(arguments.serial)},
                              fmt::format("was never promoted in '{}'", arguments.department), serials));
    std::erase_if(changes, [&](const ChangeRecord& one) { return one.serial != arguments.serial; });
  } else if (!arguments.all) {
    std::erase_if(changes, [](const ChangeRecord& one) { return one.state == ChangeState::superseded; });
  }
  return {};
}

ChangeWindow window_of(const process::Calendar& calendar, const ChangeRecord& change) {
  ChangeWindow window;
  window.why = waits_for_none(change);
  if (!window.why.empty()) return window;
  const auto now = moment_now();
  const auto days = process::days_of(calendar, change.department, now, now + process::farthest_window);
  const auto turn = process::turn_of(days, now, {!change.emergency.empty(), change.approved_by.size()});
  switch (turn.kind) {
    case process::Turn::Kind::emergency_lane: window.emergency_lane = true; break;
    case process::Turn::Kind::none: window.why = turn.why; break;
    case process::Turn::Kind::window:
      window.name = turn.opening.event->summary;
      window.opens = utc_text(turn.opening.begin);
      window.open_now = turn.opening.is_open;
      window.closes = utc_text(turn.opening.span.until);
      break;
  }
  return window;
}

Result<void> add_what_was_given(const Arguments& arguments, std::vector<ChangeRecord>& changes) {
  if (!arguments.scan.empty()) {
    PATCHLAB_ASSIGN(const auto scan, read_json_file(arguments.scan));
    for (auto& change : changes) PATCHLAB_TRY(add_reasons(change, scan, arguments.scan.string()));
  }
  if (!arguments.calendar.empty()) {
    PATCHLAB_ASSIGN(const auto calendar, process::read_calendar(arguments.calendar));
    for (auto& change : changes) change.window = window_of(calendar, change);
  }
  return {};
}

ExitCode show_change(const Arguments& arguments) {
  if (arguments.mail && (arguments.from.empty() || arguments.to.empty()))
    return report(
        usage_error("--mail needs --from and --to", "--mail --from patchlab@example.org --to cab@example.org"));
  const auto stage = absolute_path(arguments.stage);
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  auto changes = changes_of_stage(host_processes(), *stage);
  if (!changes) return report_input(changes.error(), ExitCode::bad_data);
  if (const auto chosen = choose(arguments, *changes); !chosen) return report(chosen.error());
  if (const auto given = add_what_was_given(arguments, *changes); !given)
    return report_input(given.error(), ExitCode::bad_data);
  if (arguments.json) {
    Json json{{"stage", stage->string()}, {"changes", Json::array()}};
    for (const auto& change : *changes) json["changes"].push_back(change_json(change));
    say_json("deploy-change", std::move(json));
    return ExitCode::ok;
  }
  if (arguments.csv) {
    write_out(change_csv(*changes));
    return ExitCode::ok;
  }
  if (arguments.mail) {
    if (changes->size() != 1)
      return report(usage_error(fmt::format("--mail is of one change, and there are {}", changes->size()),
                                "choose it by --department, and --serial"));
    const auto mail = change_mail(changes->front(), {arguments.from, arguments.to, system_clock_source().wall()});
    if (!mail) return report(mail.error());
    write_out(*mail);
    return ExitCode::ok;
  }
  if (changes->empty()) say("nothing was promoted in '{}'\n", stage->string());
  for (const auto& change : *changes) write_out((&change == changes->data() ? "" : "\n") + change_text(change));
  return ExitCode::ok;
}

}  // namespace

void add_deploy_change(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = group.add_subcommand(
      "change", "a promotion as a change: what, why, risk, tested how, approved by whom, window, back-out, result");
  command->add_option("stage", arguments->stage, "stage folder")->required();
  auto* department = command->add_option("--department", arguments->department, "only this department");
  auto* serial = command->add_option("--serial", arguments->serial, "this promotion of it; default: the last one")
                     ->needs(department)
                     ->check(CLI::PositiveNumber);
  command->add_flag("--all", arguments->all, "every promotion, not only the last one of each department")
      ->excludes(serial);
  command->add_option("--scan", arguments->scan, "what 'patchlab scan --json' printed: why it is wanted");
  add_calendar_option(*command, arguments->calendar);
  auto* mail = command->add_flag("--mail", arguments->mail, "as a mail (RFC 5322), for sendmail -t");
  command->add_option("--from", arguments->from, "of the mail: one address")->needs(mail);
  command->add_option("--to", arguments->to, "of the mail: one address")->needs(mail);
  auto* csv = command->add_flag("--csv", arguments->csv, "as CSV, a line for each")->excludes(mail);
  command->add_flag("--json", arguments->json, "as JSON")->excludes(csv)->excludes(mail);
  command->callback([arguments, &chosen] { chosen = [arguments] { return show_change(*arguments); }; });
}

}  // namespace patchlab::cli
