// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <set>

#include "cli/commands.hpp"
#include "cli/desk_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/book.hpp"
#include "promotion/desk/queue.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  DeskArguments desk;
  std::string department;
  std::string by;
  std::size_t runs = 20;
  bool json = false;
};

// What was looked at, the newest run first, and what came of it by department.
struct Queue {
  std::vector<std::string> runs;
  std::vector<promotion::Waiting> waiting;
  std::vector<promotion::Review> reviews;  // of emergency promotions, that are open
  std::vector<std::string> notes;
  std::set<std::string> departments;  // of all runs that were looked at
};

// Of each department the newest run that people could let pass; what stands before it in the way is told.
Result<void> look_at(const reports::RunRecord& record, const promotion::Desk& desk, const Arguments& arguments,
                     std::set<std::string>& settled, Queue& queue) {
  const auto today = desk.today(record);
  const auto decisions = desk.decisions(record);
  for (const auto& decision : decisions) {
    const auto& name = decision.department;
    queue.departments.insert(name);
    if (settled.contains(name) || (!arguments.department.empty() && arguments.department != name)) continue;
    const auto people = today.people.find(name);
    auto entry = promotion::queue_entry(
        record, decision, people == today.people.end() ? std::vector<promotion::PeopleOn>() : people->second);
    using State = promotion::QueueEntry::State;
    if (entry.state != State::blocked) settled.insert(name);
    if (entry.state != State::waiting) {
      queue.notes.push_back(fmt::format("{}: run {} {}{}", name, record.id,
                                        entry.state == State::blocked ? "waits for nobody: " : "", entry.why));
      continue;
    }
    const auto& whom = entry.waiting->whom;
    if (!arguments.by.empty() && std::ranges::count(whom, arguments.by) == 0) {
      queue.notes.push_back(fmt::format("{}: run {} does not wait for '{}'", name, record.id, arguments.by));
      continue;
    }
    queue.waiting.push_back(std::move(*entry.waiting));
  }
  return {};
}

// A name that nobody has is a typing mistake, and no empty queue.
Result<void> check_names(const Arguments& arguments, const Queue& queue) {
  if (!arguments.department.empty()) {
    PATCHLAB_TRY(check_choice("--department", {arguments.department},
                              fmt::format("is in none of the {} runs that were looked at", queue.runs.size()),
                              {queue.departments.begin(), queue.departments.end()}));
  }
  if (arguments.by.empty()) return {};
  PATCHLAB_ASSIGN(const auto stage, absolute_path(arguments.desk.stage));
  PATCHLAB_ASSIGN(
      const auto trust,
      promotion::DecisionBook(stage / promotion::chain_folder_name, host_processes(), system_clock_source()).trust());
  const auto* version = trust.at(system_clock_source().wall());
  std::vector<std::string> signers;
  if (version != nullptr) {
    for (const auto& signer : version->signers) signers.push_back(signer.name);
  }
  return check_choice("--by", {arguments.by},
                      fmt::format("is nobody who may sign in stage '{}'", arguments.desk.stage.string()), signers);
}

// Of the stage, whatever run it was: what was promoted in an emergency waits until somebody reviewed it.
Result<std::vector<promotion::Review>> open_reviews(const Arguments& arguments) {
  PATCHLAB_ASSIGN(const auto stage, absolute_path(arguments.desk.stage).while_doing("--stage"));
  PATCHLAB_ASSIGN(auto reviews, promotion::reviews_at_desk(stage, system_clock_source().wall()));
  std::erase_if(reviews, [&](const promotion::Review& review) {
    return !review.is_open() || (!arguments.department.empty() && review.department != arguments.department) ||
           (!arguments.by.empty() && std::ranges::count(review.whom, arguments.by) == 0);
  });
  return reviews;
}

Result<Queue> queue_of(const Arguments& arguments) {
  Queue queue;
  std::set<std::string> settled;
  PATCHLAB_ASSIGN(queue.reviews, open_reviews(arguments));
  for (const auto& id : history::RunArchive(arguments.desk.runs).list()) {
    if (queue.runs.size() >= arguments.runs) break;
    queue.runs.push_back(id);
    auto asked = arguments.desk;
    asked.run = id;
    const auto found = run_at_desk(asked, runners::Look::at_names);
    if (!found) {
      // One that cannot be read hides nothing but itself; a stage that cannot be read hides all.
      if (!history::RunArchive(arguments.desk.runs).read(id)) {
        queue.notes.push_back(fmt::format("run {} cannot be read: {}", id, found.error().message));
        continue;
      }
      return found.error();
    }
    PATCHLAB_TRY(look_at(found->record, found->desk, arguments, settled, queue));
  }
  if (queue.runs.empty()) PATCHLAB_TRY(history::RunArchive(arguments.desk.runs).latest());  // says that there is none
  PATCHLAB_TRY(check_names(arguments, queue));
  return queue;
}

void show(const promotion::Waiting& waiting) {
  say("{}: run {}, ended {}: {}\n", waiting.department, waiting.run, waiting.since, listed(waiting.set));
  say("  worst severity: {}\n", waiting.severity);
  if (waiting.missing.empty()) say("  nothing is missing but that somebody promotes it\n");
  for (const auto& one : waiting.missing) say("  missing: {}\n", to_string(one));
  for (const auto& waived : waiting.waived) say("  waived: {}\n", to_string(waived));
  if (!waiting.whom.empty()) say("  waits for: {}\n", listed(waiting.whom));
  if (!waiting.command.empty()) say("  {}\n", waiting.command);
}

void show(const promotion::Review& review) {
  say("{}: run {}, promoted {}: {}\n", review.department, review.run, rfc3339(review.promoted), listed(review.set));
  say("  emergency ({}): {}: review by {}\n", review.ticket, review.reason, rfc3339(review.due));
  for (const auto& one : review.missing) say("  missing: {}\n", one);
  if (!review.whom.empty()) say("  waits for: {}\n", listed(review.whom));
  say("  patchlab approve {} --department {} --reason REASON --key KEY\n", review.run, review.department);
}

ExitCode queue(const Arguments& arguments) {
  const auto read = queue_of(arguments);
  if (!read) return report_input(read.error(), ExitCode::bad_data);
  if (arguments.json) {
    say_json("queue", Json{{"stage", arguments.desk.stage.string()},
                           {"runs", read->runs},
                           {"reviews", read->reviews},
                           {"waiting", read->waiting},
                           {"notes", read->notes}});
    return ExitCode::ok;
  }
  for (const auto& review : read->reviews) show(review);
  for (const auto& waiting : read->waiting) show(waiting);
  if (read->waiting.empty() && read->reviews.empty())
    say("nothing waits{}\n", arguments.by.empty() ? "" : " for " + arguments.by);
  for (const auto& note : read->notes) say("  {}\n", note);
  say("looked at {} of the newest runs in '{}' for stage '{}'\n", read->runs.size(), arguments.desk.runs.string(),
      arguments.desk.stage.string());
  return ExitCode::ok;
}

}  // namespace

void add_queue(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("queue", "what waits for whom before it may be promoted");
  command->add_option("--stage", arguments->desk.stage, "stage folder")->capture_default_str();
  command->add_option("--runs", arguments->desk.runs, "folder of runs")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  command->add_option("--ledger", arguments->desk.ledger, "ledger that knows the runs; default: beside their folders");
  add_lab_cache(*command, arguments->desk);
  command->add_option("--department", arguments->department, "only this department");
  command->add_option("--by", arguments->by, "only what waits for this person, as in the list of signers");
  command->add_option("--newest", arguments->runs, "so many runs are looked at")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return queue(*arguments); }; });
}

}  // namespace patchlab::cli
