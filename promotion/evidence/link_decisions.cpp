// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/evidence/signed_lines.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

bool is_of_people(ChainKind kind) {
  const auto statement = statement_kind_from(to_string(kind));
  return statement && (is_decision(*statement) || *statement == StatementKind::submit);
}

Result<std::vector<LedgerStatement>> of_people(const Proving& proving, const Story& story) {
  std::vector<LedgerStatement> statements;
  for (std::uint64_t seq = 1; seq < story.promotion->line; ++seq) {
    if (!is_of_people(proving.line(seq).kind) || proving.lacks(seq)) continue;
    PATCHLAB_ASSIGN(const auto bytes, proving.objects.get(proving.line(seq).object));
    const auto read = read_statement(bytes, "statement");
    const bool concerns =
        !read || read->run == story.statement.run || std::ranges::any_of(read->subjects, [&](const auto& subject) {
          return subject.sha256 == story.statement.subjects.front().sha256;
        });
    // A bundle's are few, and each that is not what it should be shows whose hands it went through.
    if (!concerns && !proving.proof.of_bundle) continue;
    PATCHLAB_ASSIGN(auto examined, examined_line(proving.processes, proving.ledger, proving.line(seq), *proving.trust));
    statements.push_back(std::move(examined));
  }
  return statements;
}

void say_decisions(Proving& proving, const std::string& department, Story& story) {
  std::set<std::string> counted;
  std::set<std::string> names;
  bool is_witnessed = false;  // by somebody who had seen the run in this ledger
  for (const auto& approval : story.decisions.approvals) {
    counted.insert(approval.object);
    names.insert(approval.by);
    is_witnessed = is_witnessed || approval.seen >= story.run_line;
  }
  for (const auto& waiver : story.decisions.waivers) {
    if (!waiver.is_over) counted.insert(waiver.object);
  }
  for (const auto& one : story.decisions.not_counted) {
    // Somebody signed it badly, or changed it since: whatever it was, it is no evidence.
    const bool forged = one.why == WhyNot::statement_edited || one.why == WhyNot::unsigned_statement ||
                        one.why == WhyNot::signer_unknown || one.why == WhyNot::signer_differs ||
                        one.why == WhyNot::namespace_not_allowed || one.why == WhyNot::signer_not_in_force ||
                        one.why == WhyNot::other_history || one.why == WhyNot::withdrawal_not_by_author ||
                        one.why == WhyNot::withdrawal_of_nothing || breaks_everything(one.why);
    if (forged)
      return proving.broken(department, LinkKind::decisions, fmt::format("{}: {}", to_string(one.why), one.text));
  }
  for (const auto& rejection : story.decisions.rejections)
    return proving.broken(department, LinkKind::decisions,
                          fmt::format("line {}: rejected by '{}'", rejection.seq, rejection.by));
  for (const auto& digest : story.statement.decisions.value_or(std::vector<std::string>())) {
    if (!counted.contains(digest))
      return proving.broken(
          department, LinkKind::decisions,
          fmt::format("line {} rests on {}, which is no decision that counted then", story.promotion->line, digest));
  }
  proving.supported = proving.supported && is_witnessed;
  proving.holds(department, LinkKind::decisions,
                names.empty() ? std::string("nobody approved") : "approved by " + listed(names));
}

}  // namespace

Result<void> look_at_decisions(Proving& proving, const std::string& department, Story& story) {
  if (!story.record || !story.policy) return {};
  if (!proving.trust) {
    proving.missing(department, LinkKind::decisions, "nobody can tell who signed what people decided");
    return {};
  }
  const auto& record = *story.record;
  const auto found = reports::find_as_tested(record, department);
  PATCHLAB_ASSIGN(const auto statements, of_people(proving, story));
  DecisionQuestion question{department,
                            *story.statement.run,
                            story.statement.subjects.front().sha256,
                            story.policy->digest,
                            signers_of_policy(proving.chain.state, story.policy->digest),
                            story.submitters,
                            failures_of(*found),
                            story.when};
  if (const auto* last = proving.before(*story.promotion)) question.promoted = last->last_line;
  story.decisions = decisions_about(question, statements, proving.chain.state.hashes, *proving.trust);
  // About the set that was published, which may hold what failed and was waived.
  story.people = people_in(story.decisions, *proving.trust, *story.policy,
                           story.manifest ? story.manifest->candidates : tested_set(*found));
  say_decisions(proving, department, story);
  return {};
}

// What had gone through the emergency lane before: the gate asks whether it was reviewed. What nobody reviewed until
// now refutes nothing that lies there, and is said.
Result<void> look_at_reviews(Proving& proving, const std::string& department, Story& story) {
  if (!story.record || !story.policy || !proving.trust) return {};
  PATCHLAB_ASSIGN(story.reviews, past_reviews(proving.processes, proving.ledger, proving.chain, *proving.trust,
                                              story.policies, department, story.promotion->line));
  std::string why;
  PATCHLAB_ASSIGN(const auto documents, proving.documents_before(proving.lines().size() + 1, why));
  if (!why.empty()) return {};  // said of what is promoted by it
  PATCHLAB_ASSIGN(const auto now, past_reviews(proving.processes, proving.ledger, proving.chain, *proving.trust,
                                               documents, department, proving.lines().size() + 1));
  const auto until = *chain_time(proving.lines().back().time);
  for (const auto& review : now) {
    if (!review.answered.empty()) continue;
    const auto what = fmt::format("the emergency promotion of line {} ({}) of '{}'", review.line,
                                  printable(review.ticket), department);
    if (!review.unknown.empty())
      proving.proof.notes.push_back(fmt::format("whether {} was reviewed is not known: {}", what, review.unknown));
    else if (review.asked.due <= until)
      proving.proof.notes.push_back(fmt::format("{} was to be reviewed by {}, and up to line {} nobody did: OVERDUE",
                                                what, rfc3339(review.asked.due), proving.lines().size()));
    else
      proving.proof.notes.push_back(fmt::format("{} is to be reviewed by {}", what, rfc3339(review.asked.due)));
  }
  const auto nobody_knows = std::ranges::count_if(proving.chain.state.history.promotions(),
                                                  [](const auto& one) { return one.department.starts_with('?'); });
  if (nobody_knows > 0)
    proving.proof.notes.push_back(fmt::format(
        "the statements of {} promotions are left out here: whether emergencies of '{}' are among them is not known",
        nobody_knows, department));
  return {};
}

}  // namespace patchlab::promotion
