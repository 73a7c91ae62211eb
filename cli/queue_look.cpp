// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/queue_look.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "history/archive/run_archive.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/book.hpp"

namespace patchlab::cli {
namespace {

// Of each department the newest run that people could let pass; what stands before it in the way is told.
Result<void> look_at(const reports::RunRecord& record, const promotion::Desk& desk, const QueueQuestion& question,
                     std::set<std::string>& settled, Queue& queue) {
  const auto today = desk.today(record);
  const auto decisions = desk.decisions(record);
  for (const auto& decision : decisions) {
    const auto& name = decision.department;
    queue.departments.insert(name);
    if (settled.contains(name) || (!question.department.empty() && question.department != name)) continue;
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
    if (!question.by.empty() && std::ranges::count(whom, question.by) == 0) {
      queue.notes.push_back(fmt::format("{}: run {} does not wait for '{}'", name, record.id, question.by));
      continue;
    }
    queue.waiting.push_back(std::move(*entry.waiting));
  }
  return {};
}

// A name that nobody has is a typing mistake, and no empty queue.
Result<void> check_names(const QueueQuestion& question, const Queue& queue) {
  if (!question.department.empty()) {
    PATCHLAB_TRY(check_choice("--department", {question.department},
                              fmt::format("is in none of the {} runs that were looked at", queue.runs.size()),
                              {queue.departments.begin(), queue.departments.end()}));
  }
  if (question.by.empty()) return {};
  PATCHLAB_ASSIGN(const auto stage, absolute_path(question.desk.stage));
  PATCHLAB_ASSIGN(
      const auto trust,
      promotion::DecisionBook(stage / promotion::chain_folder_name, host_processes(), system_clock_source()).trust());
  const auto* version = trust.at(system_clock_source().wall());
  std::vector<std::string> signers;
  if (version != nullptr) {
    for (const auto& signer : version->signers) signers.push_back(signer.name);
  }
  return check_choice("--by", {question.by},
                      fmt::format("is nobody who may sign in stage '{}'", question.desk.stage.string()), signers);
}

// Of the stage, whatever run it was: what was promoted in an emergency waits until somebody reviewed it.
Result<std::vector<promotion::Review>> open_reviews(const QueueQuestion& question) {
  PATCHLAB_ASSIGN(const auto stage, absolute_path(question.desk.stage).while_doing("--stage"));
  PATCHLAB_ASSIGN(auto reviews, promotion::reviews_at_desk(stage, system_clock_source().wall()));
  std::erase_if(reviews, [&](const promotion::Review& review) {
    return !review.is_open() || (!question.department.empty() && review.department != question.department) ||
           (!question.by.empty() && std::ranges::count(review.whom, question.by) == 0);
  });
  return reviews;
}

}  // namespace

Result<Queue> queue_of(const QueueQuestion& question) {
  Queue queue;
  std::set<std::string> settled;
  PATCHLAB_ASSIGN(queue.reviews, open_reviews(question));
  for (const auto& id : history::RunArchive(question.desk.runs).list()) {
    if (queue.runs.size() >= question.runs) break;
    queue.runs.push_back(id);
    auto asked = question.desk;
    asked.run = id;
    const auto found = run_at_desk(asked, runners::Look::at_names);
    if (!found) {
      // One that cannot be read hides nothing but itself; a stage that cannot be read hides all.
      if (!history::RunArchive(question.desk.runs).read(id)) {
        queue.notes.push_back(fmt::format("run {} cannot be read: {}", id, found.error().message));
        continue;
      }
      return found.error();
    }
    PATCHLAB_TRY(look_at(found->record, found->desk, question, settled, queue));
  }
  if (queue.runs.empty()) PATCHLAB_TRY(history::RunArchive(question.desk.runs).latest());  // says that there is none
  PATCHLAB_TRY(check_names(question, queue));
  return queue;
}

}  // namespace patchlab::cli
