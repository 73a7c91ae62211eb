// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/history_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "history/index/queries.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using history::HistoryIndex;

struct Arguments {
  fs::path runs = "runs";
  fs::path stage = "production";
  bool stage_was_named = false;
  std::string place;
  bool json = false;
  // Of some commands.
  history::Scope scope;
  std::size_t newest = 20;
  std::string candidate;
  std::string role;
  std::string kind;
  std::vector<std::string> by;
  std::string run;
};

enum class How { up_to_date, anew };

Result<HistoryIndex> open_index(const Arguments& arguments, How how) {
  PATCHLAB_ASSIGN(auto runs, absolute_path(arguments.runs).while_doing("--runs"));
  PATCHLAB_ASSIGN(auto stage, absolute_path(arguments.stage).while_doing("--stage"));
  if (arguments.stage_was_named && !is_folder(stage)) {
    return configuration_error(fmt::format("there is no stage '{}'", stage.string()),
                               "name the folder that 'patchlab promote' was given as --stage");
  }
  if (!is_folder(runs)) {
    return configuration_error(fmt::format("there is no folder of runs '{}'", runs.string()),
                               "start a run with 'patchlab run SCENARIO', or name the folder with --runs");
  }
  PATCHLAB_ASSIGN(const auto place, history_place(runs, arguments.place));
  const history::HistorySources sources{std::move(runs), std::move(stage), PATCHLAB_VERSION};
  return how == How::anew ? HistoryIndex::rebuild(place, sources) : HistoryIndex::open(place, sources);
}

Json left_out_json(const std::vector<history::LeftOut>& all) { return all; }

// What an answer rests on, and what it does not.
struct Basis {
  history::IndexSize size;
  std::vector<history::LeftOut> left_out;
  [[nodiscard]] Json json(HistoryIndex& index) const {
    return {{"place", index.database().place().shown()},
            {"runs", size.runs},
            {"ledger_lines", size.lines},
            {"has_ledger", !index.update().no_ledger},
            {"left_out", left_out_json(left_out)}};
  }
};

Result<Basis> basis_of(HistoryIndex& index) {
  Basis basis;
  PATCHLAB_ASSIGN(basis.size, history::size_of(index.database()));
  PATCHLAB_ASSIGN(basis.left_out, history::left_out(index.database()));
  return basis;
}

void warn_of(const Basis& basis, const Arguments& arguments, const HistoryIndex& index) {
  constexpr std::size_t most = 5;
  if (!index.update().made_anew.empty())
    warn(printable(fmt::format("the history index was made anew: {}", index.update().made_anew)));
  if (index.update().no_ledger) {
    warn(printable(fmt::format("stage '{}' has no ledger: nothing is known of decisions, promotions and machines",
                               arguments.stage.string())));
  }
  std::size_t seen = 0;
  for (const auto& one : basis.left_out) {
    if (!one.unfinished && ++seen <= most)
      warn(printable(fmt::format("no run of '{}' is in here: {}", one.folder, one.problem)));
  }
  if (seen > most) warn(fmt::format("nor of {} more folders; 'patchlab history runs --json' lists them", seen - most));
}

// Opens the index, says what is missing of it, and asks within one state of it. Nothing to ask is no success.
template <class Ask>
ExitCode answer(const Arguments& arguments, const Ask& ask) {
  auto index = open_index(arguments, How::up_to_date);
  if (!index) return report_input(index.error(), ExitCode::bad_data);
  auto reading = index->database().begin(history::Database::Access::read);
  if (!reading) return report(reading.error());
  const auto basis = basis_of(*index);
  if (!basis) return report(basis.error());
  warn_of(*basis, arguments, *index);
  const auto code = ask(*index, *basis);
  return code ? *code : report_input(code.error(), ExitCode::bad_data);
}

Result<void> expect_runs(const Basis& basis, const Arguments& arguments) {
  if (basis.size.runs > 0) return {};
  return configuration_error(fmt::format("there is no run in '{}'", arguments.runs.string()),
                             "start one with 'patchlab run SCENARIO', or name the folder of runs with --runs");
}

bool is_month(const std::string& text) {
  if (text.size() != 7 || text[4] != '-') return false;
  for (const auto at : {0, 1, 2, 3, 5, 6}) {
    if (text[static_cast<std::size_t>(at)] < '0' || text[static_cast<std::size_t>(at)] > '9') return false;
  }
  const auto month = text.substr(5);
  return month >= "01" && month <= "12";
}

Result<void> check_scope(HistoryIndex& index, const Arguments& arguments) {
  for (const auto& [option, month] :
       {std::pair("--since", arguments.scope.since), std::pair("--until", arguments.scope.until)}) {
    if (!month.empty() && !is_month(month))
      return usage_error(fmt::format("{} '{}' is no month", option, month), "write it as 2026-11");
  }
  if (arguments.scope.scenario.empty()) return {};
  PATCHLAB_ASSIGN(const auto known, history::scenarios_in(index.database()));
  return check_choice("--scenario", {arguments.scope.scenario}, "is of no run in the index", known);
}

std::string seconds(std::int64_t ms) {
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  return fmt::format("{} min {:02} s", ms / 60'000, ms / 1000 % 60);
}
std::string seconds(const std::optional<std::int64_t>& ms) { return ms ? seconds(*ms) : "-"; }
std::string percent(const std::optional<double>& part) { return part ? fmt::format("{:.1f} %", *part * 100) : "-"; }
// "2026-11-22 06:02" of what RFC 3339 writes.
std::string minute(std::string time) {
  if (time.size() < 16 || time[10] != 'T') return time;
  time[10] = ' ';
  return time.substr(0, 16);
}
std::string short_digest(const std::string& text) { return is_sha256(text) ? text.substr(0, 12) : text; }

std::vector<Cell> row_of(const std::vector<std::string>& texts) {
  std::vector<Cell> cells;
  for (const auto& text : texts) cells.push_back({text, std::nullopt});
  return cells;
}

ExitCode rebuild(const Arguments& arguments) {
  auto index = open_index(arguments, How::anew);
  if (!index) return report_input(index.error(), ExitCode::bad_data);
  const auto basis = basis_of(*index);
  if (!basis) return report(basis.error());
  if (arguments.json) {
    say_json("history-rebuild", {{"index", basis->json(*index)}});
    return ExitCode::ok;
  }
  const auto unfinished = std::ranges::count(basis->left_out, true, &history::LeftOut::unfinished);
  say("{}: {} runs, {} lines of the ledger\n", index->database().place().shown(), basis->size.runs, basis->size.lines);
  for (const auto& one : basis->left_out) {
    if (!one.unfinished) say("  not in it: '{}': {}\n", one.folder, one.problem);
  }
  if (unfinished > 0) say("  {} folders have no record: under way, or killed\n", unfinished);
  if (index->update().no_ledger) say("  stage '{}' has no ledger\n", arguments.stage);
  return ExitCode::ok;
}

std::string promoted_text(const history::RunRow& run) {
  std::vector<std::string> texts;
  for (const auto& one : run.promoted)
    texts.push_back(fmt::format("{}-{}{}", one.department, one.serial, one.published ? "" : " (replaced)"));
  return fmt::format("{}", fmt::join(texts, ", "));
}

ExitCode list_runs(const Arguments& arguments) {
  return answer(arguments, [&](HistoryIndex& index, const Basis& basis) -> Result<ExitCode> {
    PATCHLAB_TRY(check_scope(index, arguments));
    PATCHLAB_ASSIGN(const auto found, history::runs(index.database(), arguments.scope, arguments.newest));
    if (found.open.empty() && basis.left_out.empty()) PATCHLAB_TRY(expect_runs(basis, arguments));
    if (arguments.json) {
      say_json("history-runs",
               {{"index", basis.json(index)}, {"of", found.of}, {"runs", found.runs}, {"without_end", found.open}});
      return ExitCode::ok;
    }
    std::vector<std::vector<Cell>> rows{row_of(
        {"begun", "run", "scenario", "result", "took", "passed", "failed", "undecided", "patchlab", "promoted"})};
    for (const auto& run : found.runs) {
      rows.push_back(
          row_of({minute(run.started), run.id, run.scenario, run.result + (run.complete ? "" : ", not complete"),
                  seconds(run.duration_ms) + (run.foreseen_ms ? " of " + seconds(*run.foreseen_ms) + " foreseen" : ""),
                  std::to_string(run.passed), std::to_string(run.failed), std::to_string(run.undecided), run.tool,
                  promoted_text(run)}));
    }
    if (!found.runs.empty()) write_out(table(rows));
    if (found.runs.size() < found.of) say("{} of {} runs; --newest 0 lists all\n", found.runs.size(), found.of);
    if (found.runs.empty()) say("no run is in this scope\n");
    for (const auto& open : found.open)
      say("run {}, begun {} by {} (line {}), has no end: it is under way, or was killed\n", open.id, open.begun,
          open.by, open.line);
    for (const auto& one : basis.left_out) {
      if (one.unfinished && std::ranges::count(found.open, one.folder, &history::OpenRun::id) == 0)
        say("run {} has no record: it is under way, or was killed\n", one.folder);
    }
    return ExitCode::ok;
  });
}

struct Happening {
  std::string time;
  std::string where;
  std::string what;
  std::optional<Outcome> outcome{};
};

std::string in_brackets(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& one : texts) {
    if (!one.empty()) text += (text.empty() ? "" : ", ") + one;
  }
  return text.empty() ? text : " (" + text + ")";
}

Happening happening_of(const history::CandidateTest& test) {
  auto what = fmt::format("run {}: {}", test.run, test.outcome);
  if (!test.failed.empty()) what += ": " + test.failed;
  if (!test.together_with.empty()) what += ", together with " + test.together_with;
  if (!test.reason.empty()) what += "; " + test.reason;
  if (!test.known_from.empty()) what += fmt::format("; known from run {}", test.known_from);
  if (!test.effect.empty()) what += "; " + test.effect;
  if (!test.removal.empty()) what += "; " + test.removal;
  return {test.started, test.department, what, outcome_from(test.outcome)};
}

Happening happening_of(const history::CandidateLine& line) {
  const bool done = line.kind == "promote-done";
  auto what = fmt::format("line {}: {} by {}", line.seq, line.kind, line.by);
  if (!line.reason.empty()) what += ": " + line.reason;
  what += in_brackets(
      {line.run.empty() ? "" : "run " + line.run, line.serial == 0 ? "" : fmt::format("serial {}", line.serial),
       line.ticket, line.expires.empty() ? "" : "until " + line.expires,
       line.ended_by == 0 ? done ? "published" : ""
                          : fmt::format("{} by line {}", done ? "replaced" : "withdrawn", line.ended_by)});
  return {line.time, line.department, what};
}

Happening happening_of(const history::CandidateMachine& machine) {
  auto what = fmt::format("line {}: {} says: {} is {}", machine.line, machine.machine, machine.name, machine.state);
  const bool is_none = machine.state == "not-installed" || machine.state == "not-reported";  // a WSUS says why
  what += in_brackets({fmt::format("serial {}", machine.serial),
                       machine.found.empty() ? "" : (is_none ? "said " : "has ") + machine.found,
                       machine.found == machine.promoted ? "" : "promoted " + machine.promoted,
                       machine.since.empty() ? "" : "since " + machine.since});
  return {machine.observed, machine.department, what};
}

void say_story(const history::CandidateStory& story) {
  const auto& last = story.tests.back();
  say("{}: {} ({}, {})\n", story.id, last.title, last.severity, last.kind);
  std::vector<Happening> all;
  for (const auto& test : story.tests) all.push_back(happening_of(test));
  for (const auto& line : story.lines) all.push_back(happening_of(line));
  for (const auto& machine : story.machines) all.push_back(happening_of(machine));
  std::ranges::stable_sort(all, {}, &Happening::time);
  std::vector<std::vector<Cell>> rows{row_of({"when", "department", "what"})};
  for (const auto& one : all)
    rows.push_back({{minute(one.time), std::nullopt}, {one.where, std::nullopt}, {one.what, one.outcome}});
  write_out(table(rows));
  std::vector<std::string> digests;
  for (const auto& test : story.tests) {
    if (std::ranges::count(digests, test.digest) == 0) digests.push_back(test.digest);
  }
  if (digests.size() > 1) say("  this name had {} contents: {}\n", digests.size(), listed(digests));
  if (!story.unknown.empty()) {
    say("  of {} lines of the ledger about its runs nobody knows whether it is in their set: {}\n",
        story.unknown.size(), fmt::format("{}", fmt::join(story.unknown, ", ")));
  }
}

void say_forecast(const history::Outlook& outlook) {
  say("  forecast, if it were tested again; it decides nothing:\n");
  for (const auto& sentence : history::sentences_of(outlook)) say("    {}\n", sentence);
}

ExitCode tell_candidate(const Arguments& arguments) {
  return answer(arguments, [&](HistoryIndex& index, const Basis& basis) -> Result<ExitCode> {
    PATCHLAB_ASSIGN(const auto story, history::candidate(index.database(), arguments.candidate));
    if (arguments.json) {
      Json json = story;
      json["index"] = basis.json(index);
      say_json("history-candidate", std::move(json));
      return ExitCode::ok;
    }
    if (story.tests.empty())
      say("{}: it was in runs that say nothing of it in any department\n", story.id);
    else
      say_story(story);
    say_forecast(story.outlook);
    return ExitCode::ok;
  });
}

ExitCode list_flaky(const Arguments& arguments) {
  return answer(arguments, [&](HistoryIndex& index, const Basis& basis) -> Result<ExitCode> {
    PATCHLAB_TRY(check_scope(index, arguments));
    PATCHLAB_TRY(expect_runs(basis, arguments));
    PATCHLAB_ASSIGN(const auto found, history::flaky(index.database(), arguments.scope));
    if (arguments.json) {
      say_json("history-flaky", {{"index", basis.json(index)}, {"of", found.of}, {"checks", found.checks}});
      return ExitCode::ok;
    }
    if (found.checks.empty()) {
      say("none of {} checks had to be asked again or disagreed with itself\n", found.of);
      return ExitCode::ok;
    }
    std::vector<std::vector<Cell>> rows{row_of({"department", "check", "asked", "again", "disagreed", "rate", "at most",
                                                "between trials", "without patch", "months"})};
    for (const auto& check : found.checks) {
      rows.push_back(
          row_of({check.department, check.machine + "/" + check.check, std::to_string(check.asked),
                  std::to_string(check.asked_again), std::to_string(check.disagreed), percent(check.rate()),
                  percent(check.at_most()), std::to_string(check.between_trials),
                  fmt::format("{} of {} failed", check.bare_failed, check.bare),
                  check.first == check.last ? check.first : fmt::format("{} to {}", check.first, check.last)}));
    }
    write_out(table(rows));
    say("{} of {} checks; rate: part of the answers in which it failed and passed with nothing changed in between, and "
        "what that is at "
        "most, with 95 % confidence\n",
        found.checks.size(), found.of);
    return ExitCode::ok;
  });
}

ExitCode list_durations(const Arguments& arguments) {
  return answer(arguments, [&](HistoryIndex& index, const Basis& basis) -> Result<ExitCode> {
    PATCHLAB_TRY(check_scope(index, arguments));
    PATCHLAB_TRY(expect_runs(basis, arguments));
    PATCHLAB_ASSIGN(const auto all, history::durations(index.database(), {arguments.scope, {}, {}}));
    std::set<std::string> roles, kinds;
    for (const auto& row : all) {
      roles.insert(row.role);
      kinds.insert(row.kind);
    }
    if (!arguments.role.empty())
      PATCHLAB_TRY(check_choice("--role", {arguments.role}, "has no measured time", {roles.begin(), roles.end()}));
    if (!arguments.kind.empty())
      PATCHLAB_TRY(check_choice("--kind", {arguments.kind}, "has no measured time", {kinds.begin(), kinds.end()}));
    auto found = all;
    std::erase_if(found, [&](const auto& row) {
      return (!arguments.role.empty() && row.role != arguments.role) ||
             (!arguments.kind.empty() && row.kind != arguments.kind);
    });
    if (arguments.json) {
      say_json("history-durations", {{"index", basis.json(index)}, {"durations", found}});
      return ExitCode::ok;
    }
    std::vector<std::vector<Cell>> rows{
        row_of({"role", "kind", "step", "on", "times", "median", "90 % within", "least", "most"})};
    for (const auto& row : found) {
      rows.push_back(
          row_of({row.role, row.kind, row.step, row.accelerator, std::to_string(row.n), seconds(row.median_ms),
                  seconds(row.p90_ms), seconds(row.least_ms), seconds(row.most_ms)}));
    }
    if (found.empty())
      say("no time was measured in this scope\n");
    else
      write_out(table(rows));
    if (std::ranges::any_of(found, [](const auto& row) { return !row.median_ms; }))
      say("-: of fewer than {} times nothing is said\n", history::fewest_samples);
    return ExitCode::ok;
  });
}

ExitCode show_trend(const Arguments& arguments) {
  return answer(arguments, [&](HistoryIndex& index, const Basis& basis) -> Result<ExitCode> {
    PATCHLAB_TRY(check_scope(index, arguments));
    PATCHLAB_TRY(expect_runs(basis, arguments));
    const auto wants = [&](const char* word) { return std::ranges::count(arguments.by, word) > 0; };
    const history::TrendBy by{wants("month"), wants("department"), wants("candidate")};
    PATCHLAB_ASSIGN(const auto found, history::trend(index.database(), arguments.scope, by));
    if (arguments.json) {
      say_json("history-trend",
               {{"index", basis.json(index)}, {"by", arguments.by}, {"months", found.months}, {"rows", found.rows}});
      return ExitCode::ok;
    }
    std::vector<std::vector<Cell>> months{row_of({"month", "runs", "complete", "without a finding"})};
    for (const auto& month : found.months)
      months.push_back(row_of(
          {month.month, std::to_string(month.runs), std::to_string(month.complete), std::to_string(month.good)}));
    write_out(table(months));
    std::vector<std::string> head;
    for (const auto& [on, word] :
         {std::pair(by.month, "month"), std::pair(by.department, "department"), std::pair(by.candidate, "candidate")}) {
      if (on) head.emplace_back(word);
    }
    const auto keys = head.size();
    head.insert(head.end(), {"passed", "failed", "success", "undecided", "does not apply"});
    std::vector<std::vector<Cell>> rows{row_of(head)};
    for (const auto& row : found.rows) {
      std::vector<std::string> texts;
      if (by.month) texts.push_back(row.month);
      if (by.department) texts.push_back(row.department);
      if (by.candidate) texts.push_back(row.candidate);
      texts.insert(texts.end(), {std::to_string(row.passed), std::to_string(row.failed), percent(row.success()),
                                 std::to_string(row.undecided), std::to_string(row.skipped)});
      rows.push_back(row_of(texts));
    }
    if (!found.rows.empty() && keys > 0) write_out("\n" + table(rows));
    return ExitCode::ok;
  });
}

ExitCode show_changes(const Arguments& arguments) {
  return answer(arguments, [&](HistoryIndex& index, const Basis& basis) -> Result<ExitCode> {
    PATCHLAB_TRY(check_scope(index, arguments));
    PATCHLAB_TRY(expect_runs(basis, arguments));
    PATCHLAB_ASSIGN(const auto found, history::changed(index.database(), arguments.run == "latest" ? "" : arguments.run,
                                                       arguments.scope.scenario));
    const auto code = found.good.empty() ? ExitCode::not_tested : ExitCode::ok;
    if (arguments.json) {
      say_json("history-changed", {{"index", basis.json(index)},
                                   {"run", found.run},
                                   {"started", found.started},
                                   {"result", found.result},
                                   {"scenario", found.scenario},
                                   {"good", found.good.empty() ? Json() : Json(found.good)},
                                   {"good_started", found.good.empty() ? Json() : Json(found.good_started)},
                                   {"between", found.between},
                                   {"changes", found.changes}});
      return code;
    }
    say("run {} of {} ({}, begun {})\n", found.run, found.scenario, found.result, minute(found.started));
    if (found.good.empty()) {
      say("before it no run of {} was good: complete, and with nothing that stands against it\n", found.scenario);
      return code;
    }
    say("since the last good run {}, begun {}; {} runs between them\n", found.good, minute(found.good_started),
        found.between);
    std::vector<std::vector<Cell>> rows{row_of({"changed", "where", "name", "before", "now"})};
    for (const auto& change : found.changes) {
      rows.push_back(row_of({change.what, change.where, change.name,
                             change.before.empty() ? "not there" : short_digest(change.before),
                             change.now.empty() ? "gone" : short_digest(change.now)}));
    }
    if (found.changes.empty())
      say("nothing changed: the same candidates, machines, images, checks, policy, scenario, patchlab and host\n");
    else
      write_out(table(rows));
    return code;
  });
}

using ArgumentsPointer = std::shared_ptr<Arguments>;

CLI::App* add_command(CLI::App& group, Chosen& chosen, const char* name, const char* what,
                      const ArgumentsPointer& arguments, ExitCode (*act)(const Arguments&)) {
  auto* command = group.add_subcommand(name, what);
  command->add_option("--runs", arguments->runs, "folder of runs")->capture_default_str()->envname("PATCHLAB_RUNS");
  auto* stage = command->add_option("--stage", arguments->stage, "stage whose ledger has decisions and promotions")
                    ->capture_default_str();
  command
      ->add_option("--history", arguments->place,
                   "sqlite3://FILE or postgresql://USER@HOST/DATABASE; default: history.sqlite3 in the folder of runs")
      ->envname("PATCHLAB_HISTORY");
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, stage, act, &chosen] {
    arguments->stage_was_named = stage->count() > 0;
    chosen = [arguments, act] { return act(*arguments); };
  });
  return command;
}

void add_months(CLI::App& command, Arguments& arguments) {
  command.add_option("--scenario", arguments.scope.scenario, "only runs of this scenario");
  command.add_option("--since", arguments.scope.since, "only runs begun in this month or later, as 2026-11");
  command.add_option("--until", arguments.scope.until, "only runs begun in this month or before");
}

}  // namespace

void add_history(CLI::App& app, Chosen& chosen) {
  auto* group =
      app.add_subcommand("history", "all runs, verdicts, decisions and promotions, from an index of the files");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, ExitCode (*act)(const Arguments&)) {
    const auto arguments = std::make_shared<Arguments>();
    return std::pair(add_command(*group, chosen, name, what, arguments, act), arguments);
  };
  add("rebuild", "makes the index anew from the folder of runs and the ledger", rebuild);

  const auto [runs, of_runs] = add("runs", "the newest runs, and what came of them", list_runs);
  runs->add_option("--newest", of_runs->newest, "so many; 0: all")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  add_months(*runs, *of_runs);

  const auto [candidate, of_candidate] =
      add("candidate", "the story of one candidate: runs, decisions, promotions, machines", tell_candidate);
  candidate->add_option("candidate", of_candidate->candidate, "id of the candidate")->required();

  const auto [flaky, of_flaky] =
      add("flaky", "checks that had to be asked again or disagreed with themselves", list_flaky);
  add_months(*flaky, *of_flaky);

  const auto [durations, of_durations] =
      add("durations", "how long installing, restarting and checking took, by role and kind", list_durations);
  durations->add_option("--role", of_durations->role, "only machines with this role");
  durations->add_option("--kind", of_durations->kind, "only candidates of this kind: deb, msu, ..., mixed, none");
  add_months(*durations, *of_durations);

  const auto [trend, of_trend] =
      add("trend", "how many candidates passed, by month, department and candidate", show_trend);
  of_trend->by = {"month", "department"};
  trend->add_option("--by", of_trend->by, "a row for each month, department or candidate (may be given again)")
      ->check(CLI::IsMember({"month", "department", "candidate"}))
      ->capture_default_str();
  add_months(*trend, *of_trend);

  const auto [changed, of_changed] = add(
      "changed", "what is other than in the last good run: candidates, images, checks, policy, patchlab", show_changes);
  changed->add_option("--run", of_changed->run, "of this run; default: the newest");
  changed->add_option("--scenario", of_changed->scope.scenario, "the newest of this scenario");
}

}  // namespace patchlab::cli
