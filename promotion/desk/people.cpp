// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/people.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/policy/waivers.hpp"
#include "promotion/stage/manifest.hpp"
#include "reports/record/findings.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

SecurityKey best_of(const Approval& approval) {
  if (approval.security_key && approval.security_key->verified()) return SecurityKey::verified;
  if (approval.security_key && approval.security_key->touched()) return SecurityKey::touched;
  return SecurityKey::any;
}

// Each person once, by the name of their first approval, with the best key that they used.
std::vector<ApprovalGiven> approvals_in(const Decisions& decisions, const Trust& trust, const Policy& policy) {
  std::map<std::uint64_t, ApprovalGiven> people;
  for (const auto& approval : decisions.approvals) {
    auto& person = people[approval.again == 0 ? approval.seq : approval.again];
    if (person.by.empty()) person.by = approval.by;
    const auto is_it = [&](const std::string& name) { return trust.same_person(name, approval.by); };
    person.key = std::max(person.key, best_of(approval));
    person.seen = std::max(person.seen, approval.seen);
    if (!approval.ticket.empty()) {
      person.ticket = approval.ticket;
      person.ticket_seen = approval.seen;
    }
    person.submitted = person.submitted || std::ranges::any_of(decisions.submitters, is_it);
    person.waived_something = person.waived_something || std::ranges::any_of(decisions.waivers, is_it, &Waiver::by);
    person.wrote_policy = person.wrote_policy || (!policy.author.empty() && is_it(policy.author)) ||
                          std::ranges::any_of(decisions.policy_signers, is_it);
  }
  std::vector<ApprovalGiven> given;
  for (auto& [line, person] : people) given.push_back(std::move(person));
  return given;
}

// Who may sign such a decision now, and would count.
std::vector<std::string> who_could(StatementKind kind, const Decisions& decisions, const Trust& trust) {
  std::set<std::string> names;
  const auto* version = trust.at(decisions.now);
  if (version == nullptr) return {};
  for (const auto& signer : version->signers) {
    const auto is_it = [&](const std::string& name) { return trust.same_person(name, signer.name); };
    const bool may = may_sign(signer, signature_namespace(kind)) && in_force(signer, decisions.now);
    if (may && std::ranges::none_of(decisions.submitters, is_it) &&
        (kind == StatementKind::waive || std::ranges::none_of(decisions.waiver_authors, is_it)) &&
        std::ranges::none_of(decisions.approvals, is_it, &Approval::by))
      names.insert(signer.name);
  }
  return {names.begin(), names.end()};
}

// Or was one: the lists say who is a person.
bool is_a_signer(const Trust& trust, const std::string& name) {
  return std::ranges::any_of(trust.versions(), [&](const TrustVersion& version) {
    return std::ranges::count(version.signers, name, &Signer::name) > 0;
  });
}

bool is_of_a_waiver(WhyNot why) {
  switch (why) {
    case WhyNot::waiver_of_other_run:
    case WhyNot::waiver_expired:
    case WhyNot::waiver_forbidden:
    case WhyNot::waiver_out_of_scope:
    case WhyNot::waiver_not_distinct:
    case WhyNot::waiver_not_approved: return true;
    case WhyNot::statement_unreadable:
    case WhyNot::unknown_kind:
    case WhyNot::statement_edited:
    case WhyNot::unsigned_statement:
    case WhyNot::signer_unknown:
    case WhyNot::signer_differs:
    case WhyNot::namespace_not_allowed:
    case WhyNot::signer_not_in_force:
    case WhyNot::other_history:
    case WhyNot::approval_of_other_department:
    case WhyNot::approval_of_other_run:
    case WhyNot::approval_of_other_set:
    case WhyNot::approval_of_other_policy:
    case WhyNot::approval_not_distinct:
    case WhyNot::rejected:
    case WhyNot::withdrawn:
    case WhyNot::withdrawal_of_nothing:
    case WhyNot::withdrawal_not_by_author: return false;
  }
  return false;
}

ReasonCode code_of(WaiverRefusal refusal) {
  switch (refusal) {
    case WaiverRefusal::nothing_observed: return ReasonCode::waiver_of_no_failure;
    case WaiverRefusal::never: return ReasonCode::waiver_forbidden;
    case WaiverRefusal::not_waivable: return ReasonCode::waiver_not_in_policy;
    case WaiverRefusal::expired: return ReasonCode::waiver_expired;
    case WaiverRefusal::too_long: return ReasonCode::waiver_too_long;
    case WaiverRefusal::too_many: return ReasonCode::waivers_too_many;
    case WaiverRefusal::none:
    case WaiverRefusal::withdrawn: break;
  }
  return ReasonCode::withdrawn;
}

// What a policy calls it.
std::string kind_of(const Waived& waived) {
  if (reports::is_no_failure(waived.outcome)) return to_string(Waivable::review);
  return to_string(waived.finding.empty() ? Waivable::check : Waivable::state);
}

// The waivers of these decisions, fact by fact, in the order of the ledger; beside each, which waiver it is of.
struct Facts {
  std::vector<WaiverGiven> given;
  std::vector<const Waiver*> of;
  std::vector<std::string> outcomes;  // as in the record
};
Facts facts_in(const Decisions& decisions) {
  Facts facts;
  for (const auto& waiver : decisions.waivers) {
    for (const auto& waived : waiver.waives) {
      WaiverGiven given;
      given.by = waiver.by;
      given.key = reports::check_key(waived.machine, waived.finding.empty() ? waived.check : waived.finding);
      given.what = kind_of(waived);
      // A change that was not explained yet is seen, as a failure is.
      const bool failed =
          reports::is_no_failure(waived.outcome) || waived.outcome == patchlab::to_string(Outcome::fail);
      given.original = failed ? Outcome::fail : Outcome::error;
      given.signed_at = waiver.at;
      given.until = waiver.until;
      given.withdrawn = waiver.is_over;
      facts.given.push_back(std::move(given));
      facts.of.push_back(&waiver);
      facts.outcomes.push_back(waived.outcome);
    }
  }
  return facts;
}

void judge_facts(PeopleOn& people, const Decisions& decisions, const Policy& policy) {
  const auto facts = facts_in(decisions);
  const auto judged = judge_waivers(policy, facts.given, decisions.now);
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const auto& [given, refusal, text] = judged[i];
    const auto& waiver = *facts.of[i];
    if (waiver.is_over) continue;  // said by whoever knows why
    if (refusal != WaiverRefusal::none) {
      people.not_counted.push_back({code_of(refusal), fmt::format("line {}: {}", waiver.seq, text), true});
      continue;
    }
    auto& place = waiver.approved_by.empty() ? people.unapproved : people.waived;
    if (std::ranges::count(place, given.key, &WaivedFailure::key) > 0) continue;
    place.push_back({given.key, facts.outcomes[i], waiver.by, waiver.approved_by, rfc3339(waiver.until), waiver.reason,
                     waiver.ticket, waiver.seq});
  }
}

std::vector<std::string> counted_in(const Decisions& decisions, const PeopleOn& people) {
  std::set<std::string> counted;
  for (const auto& approval : decisions.approvals) counted.insert(approval.object);
  for (const auto& waiver : decisions.waivers) {
    if (std::ranges::count(people.waived, waiver.seq, &WaivedFailure::line) > 0) counted.insert(waiver.object);
  }
  return {counted.begin(), counted.end()};
}

bool is_named(const DecisionBook::Contents& contents, const std::string& department, const std::string& set) {
  return std::ranges::any_of(contents.statements, [&](const LedgerStatement& line) {
    return line.statement && std::ranges::any_of(line.statement->subjects, [&](const StatementSubject& subject) {
             return subject.name == department && subject.sha256 == set;
           });
  });
}

}  // namespace

DecisionTarget target_of(const reports::RunRecord& record, const std::string& department,
                         const std::vector<std::string>& set, const Policy& policy) {
  return {department, reports::run_object(record), sha256(sha256sums_of(record, set)), policy.digest};
}

std::vector<WaiverGiven> waivers_given(const Decisions& decisions) { return facts_in(decisions).given; }

ReasonCode code_of(WhyNot why) {
  switch (why) {
    case WhyNot::statement_unreadable: return ReasonCode::statement_unreadable;
    case WhyNot::unknown_kind: return ReasonCode::unknown_kind;
    case WhyNot::statement_edited: return ReasonCode::statement_edited;
    case WhyNot::unsigned_statement: return ReasonCode::unsigned_statement;
    case WhyNot::signer_unknown: return ReasonCode::signer_unknown;
    case WhyNot::signer_differs: return ReasonCode::signer_differs;
    case WhyNot::namespace_not_allowed: return ReasonCode::namespace_not_allowed;
    case WhyNot::signer_not_in_force: return ReasonCode::signer_not_in_force;
    case WhyNot::other_history: return ReasonCode::other_history;
    case WhyNot::approval_of_other_department: return ReasonCode::approval_of_other_department;
    case WhyNot::approval_of_other_run: return ReasonCode::approval_of_other_run;
    case WhyNot::approval_of_other_set: return ReasonCode::approval_of_other_set;
    case WhyNot::approval_of_other_policy: return ReasonCode::approval_of_other_policy;
    case WhyNot::approval_not_distinct: return ReasonCode::approval_not_distinct;
    case WhyNot::rejected: return ReasonCode::rejected;
    case WhyNot::withdrawn: return ReasonCode::withdrawn;
    case WhyNot::waiver_of_other_run: return ReasonCode::waiver_of_other_run;
    case WhyNot::waiver_expired: return ReasonCode::waiver_expired;
    case WhyNot::waiver_forbidden: return ReasonCode::waiver_forbidden;
    case WhyNot::waiver_out_of_scope: return ReasonCode::waiver_out_of_scope;
    case WhyNot::waiver_not_distinct: return ReasonCode::waiver_not_distinct;
    case WhyNot::waiver_not_approved: return ReasonCode::waiver_not_approved;
    case WhyNot::withdrawal_of_nothing: return ReasonCode::withdrawal_of_nothing;
    case WhyNot::withdrawal_not_by_author: return ReasonCode::withdrawal_not_by_author;
  }
  return ReasonCode::decisions_unreadable;
}

PeopleOn people_in(const Decisions& decisions, const Trust& trust, const Policy& policy, std::vector<std::string> set) {
  PeopleOn people;
  people.set = std::move(set);
  std::ranges::sort(people.set);
  people.approvals = approvals_in(decisions, trust, policy);
  people.anything_waived = !decisions.waiver_authors.empty();
  people.could_approve = who_could(StatementKind::approve, decisions, trust);
  people.could_waive = who_could(StatementKind::waive, decisions, trust);
  for (const auto& submitter : decisions.submitters) {
    if (is_a_signer(trust, submitter))
      people.submitter_is_known = true;
    else
      people.unknown_submitters.push_back(submitter);
  }
  judge_facts(people, decisions, policy);
  for (const auto& one : decisions.not_counted) {
    if (breaks_everything(one.why))
      people.objections.push_back({code_of(one.why), one.text});
    else if (one.concerns)
      people.not_counted.push_back({code_of(one.why), one.text, is_of_a_waiver(one.why)});
  }
  for (const auto& rejection : decisions.rejections) {
    people.objections.push_back(
        {ReasonCode::rejected,
         fmt::format("line {}: rejected by '{}': {}", rejection.seq, rejection.by, rejection.reason), false,
         rejection.by});
  }
  people.counted = counted_in(decisions, people);
  return people;
}

std::vector<PeopleOn> people_on(const DecisionBook& book, const reports::RunRecord& record,
                                const reports::DepartmentRecord& department, const Policy& policy, Moment now) {
  const auto passed = tested_set(department);
  auto target = target_of(record, department.name, passed, policy);
  std::map<std::string, std::vector<std::string>> others;
  for (auto& set : tested_sets(department))
    others.emplace(target_of(record, department.name, set, policy).set, std::move(set));
  others.erase(target.set);
  std::vector<std::string> digests;
  for (const auto& [digest, set] : others) digests.push_back(digest);
  const auto contents = book.read(target, digests);
  if (!contents) {
    PeopleOn nobody_knows;
    nobody_knows.set = passed;
    nobody_knows.objections = {{ReasonCode::decisions_unreadable,
                                fmt::format("nobody can read what people decided: {}", contents.error().message)}};
    return {nobody_knows};
  }
  const auto failures = failures_of(department);
  std::vector<PeopleOn> all;
  const auto add = [&](const std::vector<std::string>& set) {
    const auto question = DecisionBook::question(target, *contents, failures, now);
    all.push_back(people_in(DecisionBook::decisions(question, *contents), contents->trust, policy, set));
  };
  add(passed);
  for (const auto& [digest, set] : others) {
    if (!is_named(*contents, department.name, digest)) continue;
    target.set = digest;
    add(set);
  }
  return all;
}

}  // namespace patchlab::promotion
