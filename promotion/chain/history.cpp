// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/history.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::promotion {
namespace {

using State = PromotionStory::State;

std::string text_at(const Json& json, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!json.contains(at)) return {};
  const auto& found = json.at(at);
  return found.is_string() ? found.get<std::string>() : std::string();
}

std::uint64_t number_at(const Json& json, const char* pointer) {
  const Json::json_pointer at(pointer);
  return json.contains(at) && json.at(at).is_number_unsigned() ? json.at(at).get<std::uint64_t>() : 0;
}

constexpr const char* said_before = "says again what an earlier one said: one statement, one line";

// The kinds of statements that a line of this kind may be about.
std::vector<std::string> statements_of(ChainKind kind) {
  switch (kind) {
    case ChainKind::imported:
    case ChainKind::repair: return {};
    case ChainKind::begin:
    case ChainKind::run:
    case ChainKind::submit:
    case ChainKind::approve:
    case ChainKind::reject:
    case ChainKind::waive:
    case ChainKind::withdraw:
    case ChainKind::policy:
    case ChainKind::trust:
    case ChainKind::deployed: return {to_string(kind)};
    case ChainKind::promote_begun:
    case ChainKind::promote_switched:
    case ChainKind::promote_done: return {"promote", "rollback"};
    case ChainKind::promote_refused: return {"refuse", "promote", "rollback"};
  }
  return {};
}

const char* word_of(State state) {
  switch (state) {
    case State::begun: return "has begun and not switched";
    case State::switched: return "has switched";
    case State::done: return "is done";
    case State::refused: return "was given up";
  }
  return "";
}

}  // namespace

Result<StatementFacts> statement_facts(const std::string& bytes, const std::string& name) {
  PATCHLAB_ASSIGN(const auto json, parse_json(bytes, name));
  StatementFacts facts;
  if (!json.is_object() || !json.contains("predicate"))
    return configuration_error(fmt::format("{}: is no statement: it has no predicate", name));
  facts.kind = text_at(json, "/predicate/kind");
  facts.by = text_at(json, "/predicate/by");
  facts.department = text_at(json, "/subject/0/name");
  facts.set = text_at(json, "/subject/0/digest/sha256");
  facts.run = text_at(json, "/predicate/run");
  facts.begin = text_at(json, "/predicate/begin");
  facts.promotion = text_at(json, "/predicate/promotion");
  facts.manifest = text_at(json, "/predicate/manifest");
  facts.id = text_at(json, "/predicate/id");
  facts.serial = number_at(json, "/predicate/serial");
  facts.version = number_at(json, "/predicate/version");
  facts.review_by = text_at(json, "/predicate/review_by");
  return facts;
}

bool History::has_statement(ChainKind kind) { return !statements_of(kind).empty(); }

std::string History::add(const ChainLine& line, const StatementFacts& facts) {
  auto why = judge(line, facts);
  told_ = told_ || (why.empty() && line.kind != ChainKind::repair);
  return why;
}

std::string History::judge(const ChainLine& line, const StatementFacts& facts) {
  if (line.object.empty()) return "names no object";
  if (const auto kinds = statements_of(line.kind); !kinds.empty()) {
    if (std::ranges::count(kinds, facts.kind) == 0)
      return fmt::format("is of kind '{}', but its statement says '{}'", to_string(line.kind), printable(facts.kind));
    if (facts.by != line.by)
      return fmt::format("is by '{}', but its statement says '{}'", line.by, printable(facts.by));
  }
  std::string why;
  switch (line.kind) {
    case ChainKind::imported:
      why = told_ ? "takes over an older ledger, which only the first can" : "";
      if (why.empty()) imported_ = line.object;
      break;
    case ChainKind::repair: return {};  // the same piece may be torn off twice
    case ChainKind::promote_switched: return goes_on(line, State::begun, State::switched);
    case ChainKind::promote_done: return goes_on(line, State::switched, State::done);
    case ChainKind::promote_refused: return refuses(line, facts);
    case ChainKind::begin:
    case ChainKind::run:
    case ChainKind::submit:
    case ChainKind::approve:
    case ChainKind::reject:
    case ChainKind::waive:
    case ChainKind::withdraw:
    case ChainKind::policy:
    case ChainKind::trust:
    case ChainKind::promote_begun:
    case ChainKind::deployed: break;
  }
  if (why.empty() && objects_.contains(line.object)) why = said_before;
  if (why.empty() && line.kind == ChainKind::begin) why = begins(line, facts);
  if (why.empty() && line.kind == ChainKind::run) why = ends(line, facts);
  if (why.empty() && line.kind == ChainKind::promote_begun) why = promotes(line, facts);
  if (why.empty() && line.kind == ChainKind::deployed) why = tells_of(facts);
  if (why.empty() && line.kind == ChainKind::policy) policies_.push_back({line.seq, facts.version, facts.set});
  if (why.empty()) objects_.insert(line.object);
  return why;
}

std::string History::begins(const ChainLine& line, const StatementFacts& facts) {
  attempt_of_.emplace(line.object, attempts_.size());
  attempts_.push_back({line.seq, line.object, 0, {}, facts.id, {}});
  return {};
}

std::string History::ends(const ChainLine& line, const StatementFacts& facts) {
  const auto found = attempt_of_.find(facts.begin);
  if (found == attempt_of_.end()) return "ends a run that never began";
  auto& attempt = attempts_[found->second];
  if (attempt.end_line != 0)
    return fmt::format("ends the run of line {} a second time, after line {}", attempt.line, attempt.end_line);
  attempt.end_line = line.seq;
  attempt.end = line.object;
  attempt.run = facts.run;
  return {};
}

std::string History::promotes(const ChainLine& line, const StatementFacts& facts) {
  if (facts.department.empty()) return "promotes, but its statement names no department";
  const auto newest = newest_.find(facts.department);
  if (newest != newest_.end() && promotions_[newest->second].is_open()) {
    const auto& story = promotions_[newest->second];
    return fmt::format("begins a promotion of '{}' while that of line {} {}", printable(facts.department), story.line,
                       word_of(story.state));
  }
  newest_[facts.department] = promotions_.size();
  story_of_.emplace(line.object, promotions_.size());
  promotions_.push_back({line.seq, line.seq, line.object, facts.department, facts.manifest, facts.serial, facts.run,
                         State::begun, facts.kind == "rollback", facts.review_by});
  return {};
}

PromotionStory* History::story_of(const std::string& statement) {
  const auto found = story_of_.find(statement);
  return found == story_of_.end() ? nullptr : &promotions_[found->second];
}

std::string History::goes_on(const ChainLine& line, State from, State to) {
  auto* story = story_of(line.object);
  if (story == nullptr) return "goes on with a promotion that never began";
  if (story->state != from)
    return fmt::format("cannot be: the promotion of line {} {}", story->line, word_of(story->state));
  story->state = to;
  story->last_line = line.seq;
  if (to == State::done) done_[story->department] = static_cast<std::size_t>(story - promotions_.data());
  return {};
}

std::string History::refuses(const ChainLine& line, const StatementFacts& facts) {
  const bool itself = facts.kind != "refuse";
  if (auto* story = story_of(itself ? line.object : facts.promotion); story != nullptr) {
    if (!story->is_open())
      return fmt::format("gives up the promotion of line {}, which {}", story->line, word_of(story->state));
    story->state = State::refused;
    story->last_line = line.seq;
  } else if (itself || !facts.promotion.empty()) {
    return "gives up a promotion that never began";
  }
  if (!itself && !objects_.insert(line.object).second) return said_before;
  if (!itself && facts.promotion.empty()) refusals_[{facts.department, facts.run}] = line.object;
  return {};
}

std::string History::tells_of(const StatementFacts& facts) {
  const auto* story = story_of(facts.promotion);
  if (story == nullptr) return "tells what machines have of a promotion that never began";
  // Of one whose statement is not in a bundle nobody knows the department.
  if (!story->department.starts_with("?") && story->department != facts.department)
    return fmt::format("tells of '{}', and the promotion of line {} was of '{}'", printable(facts.department),
                       story->line, printable(story->department));
  if (story->state != State::done)
    return fmt::format("tells what machines have of the promotion of line {}, which {}", story->line,
                       word_of(story->state));
  return {};
}

std::uint64_t History::greatest_serial(const std::string& department) const {
  std::uint64_t greatest = 0;
  for (const auto& story : promotions_) {
    if (story.department == department) greatest = std::max(greatest, story.serial);
  }
  return greatest;
}

std::string History::last_refusal(const std::string& department, const std::string& run) const {
  const auto found = refusals_.find({department, run});
  return found == refusals_.end() ? std::string() : found->second;
}

const PromotionStory* History::last_done(const std::string& department) const {
  const auto found = done_.find(department);
  return found == done_.end() ? nullptr : &promotions_[found->second];
}

}  // namespace patchlab::promotion
