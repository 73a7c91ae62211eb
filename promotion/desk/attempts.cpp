// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/attempts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "promotion/chain/chain.hpp"
#include "promotion/statement/statement.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {
namespace {

using Story = PromotionStory;

Result<Statement> statement_in(const Chain& chain, const std::string& digest, std::uint64_t line) {
  PATCHLAB_ASSIGN(const auto bytes, chain.objects().get(digest));
  return read_statement(bytes, fmt::format("the statement of line {}", line));
}

std::string verdict_of(const reports::DepartmentRecord& department) {
  const auto passed = std::ranges::count(department.verdicts, Outcome::pass, &reports::VerdictRecord::outcome);
  return fmt::format(
      "{}: {} of {} candidates passed{}", to_string(department.outcome), passed, department.verdicts.size(),
      department.tested_in.empty() ? "" : fmt::format(" in '{}', which was to stand for it", department.tested_in));
}

class Telling {
 public:
  Telling(const Chain& chain, const ChainState& state) : chain_(chain), state_(state) {}

  Result<RunAttempt> tell(const Attempt& attempt) const {
    PATCHLAB_ASSIGN(const auto begin, statement_in(chain_, attempt.begin, attempt.line));
    RunAttempt told;
    told.run = attempt.id;
    told.line = attempt.line;
    told.begun = time_of(attempt.line);
    told.by = begin.by;
    told.submitter = begin.submitter.value_or("");
    told.attempt = begin.attempt.value_or(0);
    told.asked = begin.asked.value_or(std::vector<std::string>());
    for (const auto& subject : begin.subjects) told.parts.push_back({subject.name, {}, {}});
    if (attempt.end_line == 0) return told;
    PATCHLAB_ASSIGN(const auto end, statement_in(chain_, attempt.end, attempt.end_line));
    told.ended = time_of(attempt.end_line);
    told.result = end.result.value_or("");
    told.complete = end.complete.value_or(false);
    const auto record = record_of(attempt.run);
    for (auto& part : told.parts) {
      if (record) {
        const auto found = reports::find_as_tested(*record, part.department);
        if (found != nullptr) part.verdict = verdict_of(*found);
      }
      PATCHLAB_TRY(tell_fates(attempt.run, part));
    }
    return told;
  }

 private:
  [[nodiscard]] const std::string& time_of(std::uint64_t line) const { return state_.lines[line - 1].time; }

  // The ledger need not hold it any more; then nothing is said of it.
  [[nodiscard]] std::optional<reports::RunRecord> record_of(const std::string& digest) const {
    const auto bytes = chain_.objects().get(digest);
    const auto json = bytes ? parse_json(*bytes, "run.json", JsonTexts::any) : Result<Json>(bytes.error());
    auto record = json ? reports::run_record_from_json(*json) : Result<reports::RunRecord>(json.error());
    return record ? std::optional(std::move(*record)) : std::nullopt;
  }

  // The one that took its place; null while it is what is published.
  [[nodiscard]] const Story* after(const Story& story) const {
    for (const auto& other : state_.history.promotions()) {
      if (other.department == story.department && other.line > story.last_line && other.state == Story::State::done)
        return &other;
    }
    return nullptr;
  }

  [[nodiscard]] std::string fate_of(const Story& story) const {
    const auto what = fmt::format("{}{}", story.is_rollback ? "published by a rollback" : "promoted",
                                  story.review_by.empty() ? "" : " in an emergency");
    switch (story.state) {
      case Story::State::begun:
      case Story::State::switched: return fmt::format("line {} began to promote it, and was interrupted", story.line);
      case Story::State::refused: return fmt::format("line {} began to promote it, and gave it up", story.line);
      case Story::State::done: break;
    }
    auto fate = fmt::format("{} by line {} at {}", what, story.line, time_of(story.last_line));
    if (const auto* next = after(story); next != nullptr)
      fate += fmt::format(", {} by line {}", next->is_rollback ? "taken back" : "replaced", next->line);
    return fate;
  }

  Result<void> tell_fates(const std::string& run, RunAttempt::Part& part) const {
    for (const auto& story : state_.history.promotions()) {
      if (story.run == run && story.department == part.department) part.fates.push_back(fate_of(story));
    }
    const auto refusal = state_.history.last_refusal(part.department, run);
    if (refusal.empty()) return {};
    PATCHLAB_ASSIGN(const auto statement, statement_in(chain_, refusal, 0));
    const auto reasons = statement.reasons.value_or(std::vector<std::string>());
    part.fates.push_back(fmt::format("refused: {}", fmt::join(reasons, "; ")));
    return {};
  }

  const Chain& chain_;
  const ChainState& state_;
};

}  // namespace

void to_json(Json& json, const RunAttempt& attempt) {
  Json parts = Json::array();
  for (const auto& part : attempt.parts)
    parts.push_back({{"department", part.department}, {"verdict", part.verdict}, {"fates", part.fates}});
  json = {{"run", attempt.run},
          {"line", attempt.line},
          {"begun", attempt.begun},
          {"by", attempt.by},
          {"submitter", attempt.submitter},
          {"attempt", attempt.attempt},
          {"asked", attempt.asked},
          {"ended", attempt.ended.empty() ? Json() : Json(attempt.ended)},
          {"result", attempt.result.empty() ? Json() : Json(attempt.result)},
          {"complete", attempt.complete},
          {"departments", std::move(parts)}};
}

Result<std::vector<RunAttempt>> attempts_of_stage(const std::filesystem::path& stage) {
  const Chain chain(stage / chain_folder_name);
  PATCHLAB_ASSIGN(const auto state, chain.read());
  const Telling telling(chain, state);
  std::vector<RunAttempt> attempts;
  for (const auto& attempt : state.history.attempts()) {
    PATCHLAB_ASSIGN(auto told, telling.tell(attempt));
    attempts.push_back(std::move(told));
  }
  return attempts;
}

}  // namespace patchlab::promotion
