// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/desk.hpp"

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/desk/last_promoted.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/desk/stage_standing.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/kept_files.hpp"
#include "reports/record/run_exit_code.hpp"

namespace patchlab::promotion {
namespace {

// The bytes of the record's file: the ledger holds them as they are.
Result<std::string> bytes_of(const reports::RunRecord& record, const std::filesystem::path& file) {
  if (file.empty()) return pretty(Json(record));
  PATCHLAB_ASSIGN(auto text, read_file(file, largest_object));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file.string(), JsonTexts::any));
  PATCHLAB_ASSIGN(const auto now, reports::run_record_from_json(json, file.string()));
  if (sha256(text) != reports::run_object(record) && reports::record_digest(now) != reports::record_digest(record))
    return configuration_error(fmt::format("'{}' was changed while it was looked at", file.string()));
  return text;
}

}  // namespace

Standing Desk::standing(const reports::RunRecord& record) const {
  return standing_in(places_.stage, places_.ledger, record);
}

Today Desk::today(const reports::RunRecord& record) const {
  Today today{.now = now_};
  today.standing = standing(record);
  today.published = published(record);
  // A record that nobody wrote down may name any place of any host: it is not looked at, and is refused anyway.
  if (!today.standing->recorded) return today;
  if (!places_.run.empty()) {
    today.evidence_problems =
        record.evidence ? reports::kept_file_problems(places_.run, *record.evidence) : std::vector<std::string>();
  }
  const DecisionBook book(places_.stage / chain_folder_name, host_processes(), system_clock_source());
  const auto chain = book.chain().read();
  const auto history = chain ? chain->history : History();
  for (const auto& department : record.departments) {
    today.people[department.name] = people_on(book, record, *reports::as_tested(record, department), policy_, now_);
    today.last_promoted[department.name] =
        last_promoted(places_.stage, department.name, places_.ledger.parent_path(), history);
    for (const auto& machine : department.machines) {
      if (auto seen = lab_.golden(department.name, machine))
        today.goldens[department.name + "/" + machine.name] = std::move(*seen);
    }
  }
  for (const auto& candidate : record.candidates) {
    if (auto seen = lab_.candidate(candidate)) today.candidates[candidate.id] = std::move(*seen);
  }
  add_emergencies(today, record);
  return today;
}

// Who cannot tell what was reviewed must not promote: that is an objection, as a rejection would be.
void Desk::add_emergencies(Today& today, const reports::RunRecord& record) const {
  const auto all = reviews_at_desk(places_.stage, now_);
  for (const auto& department : record.departments) {
    if (!all) {
      for (auto& people : today.people[department.name]) {
        people.objections.push_back(
            {ReasonCode::decisions_unreadable,
             fmt::format("nobody can tell what was reviewed of emergency promotions: {}", all.error().message)});
      }
      continue;
    }
    for (const auto& review : *all) {
      if (review.department != department.name) continue;
      today.emergencies[department.name].push_back(
          {review.record_digest, {review.reason, review.ticket, rfc3339(review.due)}, review.answered});
      if (review.is_open()) today.open_reviews[department.name].push_back({review.run, review.promoted, review.due});
    }
  }
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
    found[department.name] = {text("run"), text("tested"), text("rollback")};
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

// The stage's ledger first: what it does not know, the other one must not know either.
Result<void> Desk::end_of(const reports::RunRecord& record, const std::string& begun,
                          const std::filesystem::path& file) const {
  if (!begun.empty()) {
    PATCHLAB_ASSIGN(const auto text, bytes_of(record, file));
    PATCHLAB_TRY(LabBook(places_.stage, places_.ledger, scribe_)
                     .end(begun, record, text)
                     .while_doing("writing the end of the run into the ledger of the stage"));
  }
  return write_down(record);
}

Desk::Settled Desk::settle(const reports::RunRecord& record, Ask ask, const std::string& begun,
                           const std::filesystem::path& file) const {
  Settled settled;
  if (auto written = end_of(record, begun, file); !written) {
    settled.trouble = std::move(written).error();
    ask = Ask::nothing;
  }
  if (ask == Ask::promote) {
    auto promotions = promote(record, {}, {.file = file});
    settled.finished = std::move(promotions.finished);
    settled.decisions = std::move(promotions.decisions);
    settled.trouble = std::move(promotions.ledger);
  } else {
    settled.decisions = decisions(record);
  }
  settled.exit_code = reports::exit_code_for(record, settled.decisions);
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

// No candidate is for any machine of it, which is no trouble of anybody.
static bool applies_nowhere(const reports::DepartmentRecord& department) {
  return !department.error && !department.verdicts.empty() &&
         std::ranges::all_of(department.verdicts, [](const auto& one) { return one.outcome == Outcome::skipped; });
}

// One call of promote: what all departments share.
class Desk::Promoting {
 public:
  Promoting(const Desk& desk, const reports::RunRecord& record, const Wish& wish)
      : desk_(desk), record_(record), wish_(wish), book_(desk.places_.stage, desk.places_.ledger, desk.scribe_) {}

  Promotions run(const std::vector<std::string>& departments) {
    finish();
    const bool recorded = desk_.standing(record_).recorded;
    if (recorded && !trouble_) set_out();
    today_ = desk_.today(record_);
    today_.rollback = wish_.rollback;
    if (!wish_.emergency.reason.empty() && wish_.rollback.empty()) {
      today_.lane = Lane::emergency;
      today_.emergency = wish_.emergency;
    }
    bool anything_applies = false;
    for (const auto& department : record_.departments) {
      if (!departments.empty() && std::ranges::count(departments, department.name) == 0) continue;
      auto promotion = recorded || trouble_ ? one(department) : asked_only(department.name);
      // Where nothing applies nothing is refused, as at the end of the run.
      const bool applies = !applies_nowhere(*reports::as_tested(record_, department));
      anything_applies = anything_applies || applies;
      if (promotion.exit_code != ExitCode::ok && (applies || promotion.exit_code != ExitCode::policy))
        promotions_.exit_code = promotion.exit_code;
      entries_.push_back(promotion_entry(record_, department.name, promotion.record, rfc3339(desk_.now_)));
      promotions_.decisions.push_back(desk_.shown_after(promotion, record_, today_));
      promotions_.departments.push_back(std::move(promotion));
    }
    if (!anything_applies && promotions_.exit_code == ExitCode::ok && !promotions_.departments.empty())
      promotions_.exit_code = ExitCode::only_skips;
    if (recorded) write_down();
    std::ranges::move(book_.notes(), std::back_inserter(promotions_.finished));
    return std::move(promotions_);
  }

 private:
  void note(Error error) {
    if (!promotions_.ledger) promotions_.ledger = std::move(error);
  }

  // Before anybody looks at what is published.
  void finish() {
    auto interrupted = finish_interrupted(desk_.places_.stage, book_.chain());
    if (!interrupted) {
      trouble_ = std::move(interrupted).error().while_doing("finishing what was interrupted");
      return;
    }
    promotions_.finished = std::move(interrupted->finished);
    for (const auto& one : interrupted->unclear) unclear_[one.department] = one.text;
  }

  // What the ledger must have before a decision, and how long it is then: of what people decide from now on, the first
  // line of a promotion says that the decision must be made anew.
  void set_out() {
    auto prepared = book_.prepare(desk_.now_);
    auto text = prepared ? bytes_of(record_, wish_.file) : Result<std::string>(prepared.error());
    auto state = text ? book_.chain().read() : Result<ChainState>(text.error());
    if (!state) {
      trouble_ = std::move(state).error();
      return;
    }
    basis_ = {sha256(*text), *text, desk_.policy_.digest, policy_bytes(desk_.places_.stage, desk_.policy_.digest), {},
              state->head()};
    serials_ = state->history;
  }

  Promotion asked_only(const std::string& department) const {
    Promotion promotion{decide(record_, department, desk_.policy_, today_), {}, ExitCode::policy};
    promotion.record.outcome = reports::PromotionOutcome::refused;
    promotion.record.stage = (desk_.places_.stage / department).string();
    promotion.record.reasons = promotion.decision.reasons();
    return promotion;
  }

  // Refused for what is the matter with stage and ledger, whatever the record says.
  Promotion stopped(const std::string& department, ReasonCode code, const std::string& text, ExitCode exit_code) const {
    auto promotion = asked_only(department);
    refuse(promotion.decision, {code, {.department = department}, false, text, command_for(code, record_)});
    promotion.record.reasons = promotion.decision.reasons();
    promotion.exit_code = exit_code;
    return promotion;
  }

  Promotion one(const reports::DepartmentRecord& department) {
    const auto& name = department.name;
    if (trouble_) {
      const bool broken = trouble_->error_class == ErrorClass::configuration;
      return stopped(name, ReasonCode::ledger_unusable, trouble_->message,
                     broken ? ExitCode::bad_data : ExitCode::cannot_create);
    }
    const auto unclear = unclear_.find(name);
    if (unclear != unclear_.end())
      return stopped(name, ReasonCode::promotion_unclear, unclear->second, ExitCode::bad_data);
    auto basis = basis_;
    basis.decisions = decide(record_, name, desk_.policy_, today_).counted;
    LabBook::Progress progress;
    PublishOptions options{.stage = desk_.places_.stage,
                           .now = rfc3339(desk_.now_),
                           .before_step = desk_.scribe_.before_step,
                           .policy = basis.policy,
                           .run_object = basis.run,
                           .rollback_reason = wish_.rollback,
                           .known_serial = serials_.greatest_serial(name),
                           .journal = book_.journal(basis, progress)};
    auto promotion = promotion::promote(record_, name, desk_.policy_, today_, desk_.lab_.file, std::move(options));
    // One that had begun is given up by its journal.
    if (promotion.record.outcome != reports::PromotionOutcome::promoted && progress.statement.empty()) {
      const auto set = sha256(sha256sums_of(record_, tested_set(*reports::as_tested(record_, department))));
      if (auto told = book_.refused(name, set, basis, promotion.record.reasons); !told)
        note(std::move(told).error().while_doing("writing the refusal down"));
    }
    return promotion;
  }

  // The ledger of older versions is still read by what asks for earlier failures.
  void write_down() {
    if (trouble_) return;
    if (auto closed = book_.close(); !closed) note(std::move(closed).error().while_doing("noting the head"));
    if (auto appended = Ledger(desk_.places_.ledger).append(entries_); !appended)
      note(std::move(appended).error().while_doing("appending to the ledger"));
  }

  const Desk& desk_;
  const reports::RunRecord& record_;
  const Wish& wish_;
  LabBook book_;
  Today today_;
  LabBook::Basis basis_;
  History serials_;
  std::optional<Error> trouble_;  // with the stage's ledger: nothing can be promoted
  std::map<std::string, std::string> unclear_;
  std::vector<Ledger::NewEntry> entries_;
  Promotions promotions_;
};

Desk::Promotions Desk::promote(const reports::RunRecord& record, const std::vector<std::string>& departments,
                               const Wish& wish) const {
  return Promoting(*this, record, wish).run(departments);
}

}  // namespace patchlab::promotion
