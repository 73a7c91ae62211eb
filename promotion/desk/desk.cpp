// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/desk.hpp"

#include <algorithm>

#include "lab/core/time.hpp"
#include "promotion/desk/last_promoted.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/ledger/standing.hpp"
#include "reports/record/run_exit_code.hpp"

namespace patchlab::promotion {

Today Desk::today(const reports::RunRecord& record) const {
  Today today{.now = now_};
  today.standing = standing_of(record, Ledger(places_.ledger));
  today.published = published(record);
  // A record that nobody wrote down may name any place of any host: it is not looked at, and is refused anyway.
  if (!today.standing->recorded) return today;
  const DecisionBook book(places_.stage / chain_folder_name, host_processes(), system_clock_source());
  for (const auto& department : record.departments) {
    auto people = people_on(book, record, department, policy_.digest, now_);
    today.approvals[department.name] = std::move(people.approvals);
    today.objections[department.name] = std::move(people.objections);
    today.anything_waived[department.name] = people.anything_waived;
    today.last_promoted[department.name] = last_promoted(places_.stage, department.name, places_.ledger.parent_path());
    for (const auto& machine : department.machines) {
      if (auto seen = lab_.golden(machine)) today.goldens[department.name + "/" + machine.name] = std::move(*seen);
    }
  }
  for (const auto& candidate : record.candidates) {
    if (auto seen = lab_.candidate(candidate)) today.candidates[candidate.id] = std::move(*seen);
  }
  return today;
}

// What cannot be read is left to publishing, which refuses to replace what it did not make.
std::map<std::string, PublishedRun> Desk::published(const reports::RunRecord& record) const {
  std::map<std::string, PublishedRun> found;
  for (const auto& department : record.departments) {
    const auto json = read_json_file(places_.stage / department.name / manifest_file_name);
    if (!json || !json->is_object()) continue;
    const auto text = [&](const char* key) {
      const auto member = json->find(key);
      return member != json->end() && member->is_string() ? member->get<std::string>() : std::string();
    };
    found[department.name] = {text("run"), text("tested")};
  }
  return found;
}

reports::Decisions Desk::decisions(const reports::RunRecord& record) const {
  const auto today = this->today(record);
  reports::Decisions decisions;
  for (const auto& department : record.departments) {
    auto decision = shown(decide(record, department.name, policy_, today), record, today);
    if (decision.stage.empty()) decision.stage = (places_.stage / department.name).string();
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

Result<void> Desk::write_down(const reports::RunRecord& record) const {
  if (auto appended = Ledger(places_.ledger).append(ledger_entries(record, rfc3339(now_))); !appended)
    return std::move(appended).error().while_doing("appending to the ledger");
  return {};
}

Desk::Settled Desk::settle(const reports::RunRecord& record, Ask ask) const {
  Settled settled;
  if (auto written = write_down(record); !written) {
    settled.trouble = std::move(written).error();
    ask = Ask::nothing;
  }
  if (ask == Ask::promote) {
    auto promotions = promote(record, {});
    settled.decisions = std::move(promotions.decisions);
    settled.exit_code = reports::exit_code_for(record, settled.decisions);
    settled.trouble = std::move(promotions.ledger);
  } else {
    settled.decisions = decisions(record);
    settled.exit_code = reports::exit_code_for(record);
  }
  if (settled.trouble) settled.exit_code = ExitCode::error;
  return settled;
}

// What was published just now is in no ledger that `today` was made of.
reports::DecisionRecord Desk::shown_after(const Promotion& promotion, const reports::RunRecord& record,
                                          const Today& today) const {
  auto after = today;
  const auto& done = promotion.record;
  if (done.outcome == reports::PromotionOutcome::promoted) {
    after.standing->promotions.push_back({record.id, reports::record_digest(record), promotion.decision.department,
                                          rfc3339(now_), done.stage, done.manifest_digest, done.candidates});
  }
  auto decision = shown(promotion.decision, record, after);
  if (decision.stage.empty()) decision.stage = done.stage;
  return decision;
}

Desk::Promotions Desk::promote(const reports::RunRecord& record, const std::vector<std::string>& departments) const {
  const auto today = this->today(record);
  const auto time = rfc3339(now_);
  Promotions promotions;
  std::vector<Ledger::NewEntry> entries;
  for (const auto& department : record.departments) {
    if (!departments.empty() && std::ranges::count(departments, department.name) == 0) continue;
    auto promotion = promotion::promote(record, department.name, policy_, today, lab_.file,
                                        {.stage = places_.stage, .now = time, .before_step = {}});
    if (promotion.exit_code != ExitCode::ok) promotions.exit_code = promotion.exit_code;
    entries.push_back(promotion_entry(record, department.name, promotion.record, time));
    promotions.decisions.push_back(shown_after(promotion, record, today));
    promotions.departments.push_back(std::move(promotion));
  }
  if (!today.standing->recorded) return promotions;
  if (auto appended = Ledger(places_.ledger).append(entries); !appended)
    promotions.ledger = std::move(appended).error().while_doing("appending to the ledger");
  return promotions;
}

}  // namespace patchlab::promotion
