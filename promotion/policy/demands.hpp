// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "promotion/policy/policy.hpp"
#include "reports/record/record.hpp"

// What a policy asks of what a run planned, and of the moment: pure. What a run found is the gate's own question
// (promotion/gate), whatever the policy. Here somebody from outside the run says what must have been planned: a run
// that fulfils its own plan perfectly may have planned too little.
namespace patchlab::promotion {

// What a run planned to look at in one department.
struct Coverage {
  std::string run;                                      // id, for the reader
  std::map<std::string, std::set<std::string>> checks;  // ids by machine
  std::set<std::string> phases;
  // What each check asked for, by "machine/check", and what of the machine was looked at besides, by "machine". What
  // is not here is not known.
  std::map<std::string, std::string> digests{};
  bool operator==(const Coverage&) const = default;
};
[[nodiscard]] Coverage coverage_of(const reports::RunRecord& record, const reports::DepartmentRecord& department);

// The run from which a department was promoted last. `nothing`: it never was.
struct LastPromoted {
  enum class Known { nothing, unknown, known } state = Known::nothing;
  Coverage coverage;  // when known
  std::string why;    // when unknown: why it cannot be told
  // The line of the ledger that says that it was done; 0: of no line. Who saw less did not see what is promoted since.
  std::uint64_t line = 0;
};

// A department whose promotion went through the emergency lane, and is not reviewed yet.
struct OpenReview {
  std::string run;
  PolicyTime promoted;
  PolicyTime due = PolicyTime::max();  // as it was written down then; a policy can only make it sooner
  bool operator==(const OpenReview&) const = default;
};

// Somebody's approval that counts, and what the security key saw.
struct ApprovalGiven {
  std::string by;
  bool waived_something = false;  // is author of a waiver in this set
  bool submitted = false;
  bool wrote_policy = false;           // is its author or put it in force, by whatever name
  SecurityKey key = SecurityKey::any;  // the most that was seen: any, touched, verified
  std::uint64_t seen = 0;              // lines of the ledger that they had seen, the last time
  std::string ticket{};                // that they named, the last time that they named one
  std::uint64_t ticket_seen = 0;       // lines that they had seen when they named it
  bool operator==(const ApprovalGiven&) const = default;
};

// What is true on the day of the question, of one department of one stage.
struct PolicyFacts {
  PolicyTime now;
  LastPromoted last_promoted;
  Lane lane = Lane::normal;  // emergency: somebody asked for it
  std::vector<OpenReview> open_reviews;
  // People who approved this very set, each once: who may, and by which keys, was judged by whoever says so.
  std::vector<ApprovalGiven> approvals;
  bool anything_waived = false;         // or ever was
  std::vector<std::string> objections;  // rejections that stand: a sentence each
  // Who asked for the set: whether one of them is in a list of signers, and who is in none.
  bool submitter_is_known = false;
  std::vector<std::string> unknown_submitters{};
  std::string emergency_ticket{};  // of who asked for the emergency lane
  // The set that is asked about, when it is not what passed: its severities count.
  std::vector<std::string> set{};
};

enum class DemandCode {
  policy_not_in_force,
  policy_ambiguous,
  department_not_allowed,
  scenario_not_allowed,
  tool_version_not_allowed,
  run_narrowed,
  carried_not_allowed,  // it was tested in another department, and that is not enough, or not any more
  carried_not_alike,    // or the machines there are not all like those here
  machine_not_planned,
  check_not_planned,
  phase_not_planned,
  coverage_shrunk,
  coverage_unknown,
  emergency_not_allowed,
  review_overdue,
  rejected,
  approval_missing,
  approval_not_distinct,     // somebody approved whom the policy asks to leave it to others
  security_key_not_touched,  // somebody approved with another key than the policy asks for
  security_key_not_verified,
  window_closed,
  check_changed,      // a check of the same name asks for something else than when this department was promoted last
  submitter_unknown,  // nobody in the list of signers asked for the set
  ticket_missing,     // nobody who approved named the ticket of the change
  likeness_unknown,   // nobody knows, or not any more, how like production a golden machine is
  not_alike,          // it stands further from production than the policy takes
};
inline constexpr auto last_demand_code = DemandCode::not_alike;
[[nodiscard]] const char* to_string(DemandCode code);  // "machine-not-planned"; stable API

// One thing that the policy asks, met or not, and what it is about; what does not apply is empty.
struct Demand {
  DemandCode code = DemandCode::policy_not_in_force;
  std::string machine;
  std::string check;
  std::string phase;
  std::string candidate;
  bool met = false;
  std::string text;     // for the reader: what is missing, or what was asked and is there
  std::string command;  // that would help, where there is one
  // It is met because somebody took it over: that is said, whatever else is.
  std::string taken_over{};
  bool operator==(const Demand&) const = default;
};

// Everything that the policy asks of this department, in the order of DemandCode; all of it met when nothing stands
// against the promotion. A policy with `trouble` asks one thing, which is not met.
[[nodiscard]] std::vector<Demand> demands_of(const Policy& policy, const reports::RunRecord& record,
                                             const reports::DepartmentRecord& department, const PolicyFacts& facts);

// What a run left out on request, as sentences: machines of this department, candidates. Leaving out whole other
// departments narrows nothing here.
[[nodiscard]] std::vector<std::string> narrowings_of(const reports::RunRecord& record, const std::string& department);

// Whether a promotion may happen at that moment; without windows always. And when the next one opens, within two weeks.
[[nodiscard]] bool is_open(const std::vector<Window>& windows, PolicyTime now);
[[nodiscard]] std::optional<PolicyTime> next_opening(const std::vector<Window>& windows, PolicyTime now);

// Severities of the candidates that passed in this department, as they are written in the record. What is no word of
// ours stays as it is: it counts as the worst for an approval, and opens no emergency lane.
[[nodiscard]] std::map<std::string, std::string> severities_of(const reports::RunRecord& record,
                                                               const reports::DepartmentRecord& department);
// Of these candidates, whatever became of them.
[[nodiscard]] std::map<std::string, std::string> severities_of(const reports::RunRecord& record,
                                                               const std::vector<std::string>& candidates);
// Whether this approval counts for this rule: the one place that says so. Who may approve at all, and that a person
// with two keys is one, is judged by whoever reads the statements.
enum class Counts { yes, not_distinct, not_touched, not_verified };
[[nodiscard]] Counts counts(const ApprovalGiven& given, const ApprovalRule& rule);
// Whether an approval rule applies to a set with these severities (by candidate) and waivers.
[[nodiscard]] bool applies(const ApprovalRule& rule, const std::map<std::string, std::string>& severities,
                           bool anything_waived);

}  // namespace patchlab::promotion
