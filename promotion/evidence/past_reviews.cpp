// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/past_reviews.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "lab/core/time.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/evidence/signed_lines.hpp"
#include "promotion/stage/manifest.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {
namespace {

class LookingBack {
 public:
  LookingBack(ProcessRunner& processes, const std::filesystem::path& folder, const BundleChain& chain,
              const Trust& trust, const std::vector<PolicyOfLedger>& policies, std::uint64_t before)
      : processes_(processes),
        folder_(folder),
        chain_(chain),
        trust_(trust),
        policies_(policies),
        before_(before),
        objects_(folder / "objects") {}

  Result<PastReview> at(const PromotionStory& story) {
    PastReview review;
    review.line = story.line;
    const auto unknown = [&](std::string why) {
      review.unknown = std::move(why);
      return review;
    };
    const auto bytes = objects_.get(story.statement);
    const auto statement = bytes ? read_statement(*bytes, "its statement") : Result<Statement>(bytes.error());
    const auto due = statement ? parse_rfc3339(statement->review_by.value_or("")) : std::nullopt;
    if (!due) return unknown("its statement cannot be read");
    review.asked.promoted = *chain_time(line(story.last_line).time);
    review.asked.due = *due;
    review.ticket = statement->ticket.value_or("");
    const auto record =
        object(story.run, [](const Json& json) { return reports::run_record_from_json(json, "run.json"); });
    const auto manifest =
        object(story.manifest, [](const Json& json) { return manifest_from_json(json, "manifest.json"); });
    if (record) review.asked.run = record->id;
    if (const auto* back = rollback_after(story); back != nullptr) {
      review.answered = fmt::format("taken back by the rollback of line {}", back->line);
      return review;
    }
    if (!record || !manifest) return unknown("its record and manifest are not here");

    DecisionQuestion question{story.department,
                              story.run,
                              statement->subjects.front().sha256,
                              {},
                              {},
                              {},
                              {},
                              *chain_time(line(before_ - 1).time)};
    if (!add_submitters(story.run, question)) return unknown("who submitted it is not here");
    std::vector<LedgerStatement> statements;
    PATCHLAB_TRY(read_statements(question, statements));
    auto set = manifest->candidates;
    std::ranges::sort(set);
    const auto severities = severities_of(*record, set);
    for (const auto& [policy, named] : policies_) {
      question.policy = policy.digest;
      question.policy_signers = signers_of_policy(chain_.state, policy.digest);
      const auto decisions = approvals_while_in_force(
          decisions_about(question, statements, chain_.state.hashes, trust_), policy, policies_);
      const auto people = people_in(decisions, trust_, policy, set);
      if (!missing_for_review(policy, people, severities, story.last_line).empty()) continue;
      std::set<std::string> names;
      for (const auto& given : people.approvals) names.insert(given.by);
      review.answered = fmt::format("reviewed by {}", fmt::join(names, ", "));
      return review;
    }
    if (const auto lacking = left_out_since(story.last_line); !lacking.empty())
      return unknown(fmt::format("approvals since then are not here (line {})", fmt::join(lacking, ", ")));
    return review;
  }

 private:
  [[nodiscard]] const ChainLine& line(std::uint64_t seq) const { return chain_.state.lines[seq - 1]; }

  template <class Read>
  auto object(const std::string& digest, Read read) const -> decltype(read(Json())) {
    PATCHLAB_ASSIGN(const auto text, objects_.get(digest));
    PATCHLAB_ASSIGN(const auto json, parse_json(text, digest, JsonTexts::any));
    return read(json);
  }

  [[nodiscard]] const PromotionStory* rollback_after(const PromotionStory& promotion) const {
    for (const auto& story : chain_.state.history.promotions()) {
      if (story.department == promotion.department && story.line > promotion.last_line && story.last_line < before_ &&
          story.is_rollback && story.state == PromotionStory::State::done)
        return &story;
    }
    return nullptr;
  }

  // Whether all that could name one is here.
  bool add_submitters(const std::string& run, DecisionQuestion& question) const {
    bool is_known = false;
    for (const auto& attempt : chain_.state.history.attempts()) {
      if (attempt.run != run || attempt.end_line >= before_) continue;
      for (const auto& digest : {attempt.begin, attempt.end}) {
        const auto bytes = objects_.get(digest);
        const auto statement = bytes ? read_statement(*bytes, "statement") : Result<Statement>(bytes.error());
        if (!statement) return false;
        if (statement->submitter) question.submitters.push_back(*statement->submitter);
      }
      is_known = true;
    }
    return is_known || std::ranges::none_of(chain_.state.lines, [&](const ChainLine& one) {
             return one.kind == ChainKind::run && chain_.lacks[one.seq - 1];
           });
  }

  Result<void> read_statements(const DecisionQuestion& question, std::vector<LedgerStatement>& statements) const {
    for (std::uint64_t seq = 1; seq < before_; ++seq) {
      if (family_of(line(seq).kind) != ChainFamily::people || chain_.lacks[seq - 1]) continue;
      PATCHLAB_ASSIGN(const auto bytes, objects_.get(line(seq).object));
      const auto read = read_statement(bytes, "statement");
      const bool concerns = !read || read->run == question.run ||
                            std::ranges::count(read->subjects, question.set, &StatementSubject::sha256) > 0;
      if (!concerns) continue;
      PATCHLAB_ASSIGN(auto examined, examined_line(processes_, folder_, line(seq), trust_));
      statements.push_back(std::move(examined));
    }
    return {};
  }
  [[nodiscard]] std::vector<std::uint64_t> left_out_since(std::uint64_t done) const {
    std::vector<std::uint64_t> numbers;
    for (auto seq = done + 1; seq < before_; ++seq) {
      if (line(seq).kind == ChainKind::approve && chain_.lacks[seq - 1]) numbers.push_back(seq);
    }
    return numbers;
  }

  ProcessRunner& processes_;
  const std::filesystem::path& folder_;
  const BundleChain& chain_;
  const Trust& trust_;
  const std::vector<PolicyOfLedger>& policies_;
  std::uint64_t before_;
  ObjectFolder objects_;
};

}  // namespace

Result<std::vector<PastReview>> past_reviews(ProcessRunner& processes, const std::filesystem::path& folder,
                                             const BundleChain& chain, const Trust& trust,
                                             const std::vector<PolicyOfLedger>& policies, const std::string& department,
                                             std::uint64_t before) {
  std::vector<PastReview> reviews;
  LookingBack looking(processes, folder, chain, trust, policies, before);
  for (const auto& story : chain.state.history.promotions()) {
    const bool published = story.state == PromotionStory::State::done || story.state == PromotionStory::State::switched;
    if (story.department != department || story.review_by.empty() || !published || story.last_line >= before) continue;
    PATCHLAB_ASSIGN(auto review, looking.at(story));
    reviews.push_back(std::move(review));
  }
  return reviews;
}

}  // namespace patchlab::promotion
