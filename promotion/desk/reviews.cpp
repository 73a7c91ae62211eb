// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/reviews.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "lab/core/time.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/policy/demands.hpp"
#include "promotion/policy/in_force.hpp"
#include "promotion/stage/manifest.hpp"

namespace patchlab::promotion {
namespace {

// The promotion that went back behind this one; null when there was none.
const PromotionStory* rollback_after(const History& history, const PromotionStory& promotion) {
  for (const auto& story : history.promotions()) {
    if (story.department == promotion.department && story.line > promotion.last_line && story.is_rollback &&
        story.state == PromotionStory::State::done)
      return &story;
  }
  return nullptr;
}

std::vector<PolicyOfLedger> with_lines(const std::vector<Policy>& policies, const History& history) {
  std::vector<PolicyOfLedger> all;
  for (const auto& policy : policies) {
    const auto named = std::ranges::find(history.policies(), policy.digest, &NamedPolicy::document);
    all.push_back({policy, named == history.policies().end() ? 0 : named->line});
  }
  return all;
}

class Reviewing {
 public:
  Reviewing(const DecisionBook& book, const std::vector<Policy>& policies, const History& history, Moment now)
      : book_(book), policies_(policies), of_ledger_(with_lines(policies, history)), now_(now) {}

  Result<Review> review(const ChainState& chain, const PromotionStory& story) {
    const auto objects = book_.chain().objects();
    Review review;
    PATCHLAB_ASSIGN(const auto bytes, objects.get(story.statement));
    PATCHLAB_ASSIGN(const auto statement, read_statement(bytes, fmt::format("the statement of line {}", story.line)));
    PATCHLAB_ASSIGN(const auto text, objects.get(story.manifest));
    PATCHLAB_ASSIGN(const auto json, parse_json(text, "manifest.json", JsonTexts::any));
    PATCHLAB_ASSIGN(const auto manifest, manifest_from_json(json, "manifest.json"));
    PATCHLAB_ASSIGN(const auto run_json, objects.get(story.run));
    PATCHLAB_ASSIGN(const auto run, parse_json(run_json, "run.json", JsonTexts::any));
    PATCHLAB_ASSIGN(const auto record, reports::run_record_from_json(run, "run.json"));
    review.department = story.department;
    review.run = manifest.run;
    review.record_digest = manifest.record_digest;
    review.reason = statement.reason.value_or("");
    review.ticket = statement.ticket.value_or("");
    review.promoted = *parse_rfc3339(chain.lines[story.last_line - 1].time);
    review.due = *parse_rfc3339(*statement.review_by);
    review.set = manifest.candidates;
    std::ranges::sort(review.set);
    if (const auto* back = rollback_after(chain.history, story); back != nullptr) {
      review.answered = fmt::format("taken back by the rollback of line {}", back->line);
      return review;
    }
    DecisionTarget target{story.department, story.run, statement.subjects.front().sha256, {}};
    PATCHLAB_ASSIGN(const auto contents, book_.read(target));
    const auto severities = severities_of(record, review.set);
    for (const auto& policy : policies_) {
      target.policy = policy.digest;
      const auto question = DecisionBook::question(target, contents, {}, now_);
      const auto decisions = approvals_while_in_force(DecisionBook::decisions(question, contents), policy, of_ledger_);
      const auto people = people_in(decisions, contents.trust, policy, review.set);
      auto missing = missing_for_review(policy, people, severities, story.last_line);
      if (missing.empty()) {
        std::set<std::string> names;
        for (const auto& given : people.approvals) names.insert(given.by);
        review.answered = fmt::format("reviewed by {}", fmt::join(names, ", "));
        review.missing.clear();
        review.whom.clear();
        return review;
      }
      if (!is_in_force(policy, policies_, now_)) continue;
      review.missing = std::move(missing);
      review.whom = people.could_approve;
    }
    if (review.missing.empty()) review.missing = {"no policy is in force by which somebody could review it"};
    return review;
  }

 private:
  const DecisionBook& book_;
  const std::vector<Policy>& policies_;
  std::vector<PolicyOfLedger> of_ledger_;
  Moment now_;
};

}  // namespace

void to_json(Json& json, const Review& review) {
  json = {{"department", review.department},  {"run", review.run},           {"set", review.set},
          {"reason", review.reason},          {"ticket", review.ticket},     {"promoted", rfc3339(review.promoted)},
          {"review_by", rfc3339(review.due)}, {"answered", review.answered}, {"missing", review.missing},
          {"waits_for", review.whom}};
}

std::vector<std::string> missing_for_review(const Policy& policy, const PeopleOn& people,
                                            const std::map<std::string, std::string>& severities, std::uint64_t done) {
  std::vector<std::string> missing;
  for (const auto& objection : people.objections) missing.push_back(objection.text);
  for (const auto& rule : policy.approvals) {
    if (!applies(rule, severities, people.anything_waived)) continue;
    std::set<std::string> names;
    for (const auto& given : people.approvals) {
      if (counts(given, rule) == Counts::yes) names.insert(given.by);
    }
    if (names.size() < rule.count)
      missing.push_back(
          fmt::format("{} of {} approvals that are asked of any other promotion", names.size(), rule.count));
  }
  // Whoever reviews neither submitted it nor waived something of it, and saw what was done.
  const ApprovalRule by_somebody_else{1, {NotBy::submitter, NotBy::waiver_author}, SecurityKey::any, {}, false};
  const bool looked = std::ranges::any_of(people.approvals, [&](const ApprovalGiven& given) {
    return counts(given, by_somebody_else) == Counts::yes && given.seen >= done;
  });
  if (!looked) missing.emplace_back("nobody approved since it was promoted");
  return missing;
}

Decisions approvals_while_in_force(Decisions decisions, const Policy& policy, const std::vector<PolicyOfLedger>& all) {
  std::erase_if(decisions.approvals, [&](const Approval& approval) {
    std::vector<Policy> known;
    for (const auto& one : all) {
      if (one.line != 0 && one.line < approval.seq) known.push_back(one.policy);
    }
    return !is_in_force(policy, known, approval.at);
  });
  return decisions;
}

Result<std::vector<Review>> reviews_at_desk(const std::filesystem::path& stage, Moment now) {
  PATCHLAB_ASSIGN(const auto policies, policies_of_stage(stage));
  return reviews_of_stage(DecisionBook(stage / chain_folder_name, host_processes(), system_clock_source()), policies,
                          now);
}

Result<std::vector<Review>> reviews_of_stage(const DecisionBook& book, const std::vector<Policy>& policies,
                                             Moment now) {
  std::vector<Review> reviews;
  PATCHLAB_ASSIGN(const auto chain, book.chain().read());
  Reviewing reviewing(book, policies, chain.history, now);
  for (const auto& story : chain.history.promotions()) {
    const bool published = story.state == PromotionStory::State::done || story.state == PromotionStory::State::switched;
    if (story.review_by.empty() || !published) continue;
    PATCHLAB_ASSIGN(
        auto review,
        reviewing.review(chain, story).while_doing(fmt::format("looking for the review of line {}", story.line)));
    reviews.push_back(std::move(review));
  }
  return reviews;
}

}  // namespace patchlab::promotion
