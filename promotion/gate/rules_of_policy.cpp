// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/gate/rules.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
using namespace reports;
namespace {

ReasonCode code_of(DemandCode code) {
  switch (code) {
    case DemandCode::policy_not_in_force: return ReasonCode::policy_not_in_force;
    case DemandCode::policy_ambiguous: return ReasonCode::policy_ambiguous;
    case DemandCode::department_not_allowed: return ReasonCode::department_not_allowed;
    case DemandCode::scenario_not_allowed: return ReasonCode::scenario_not_allowed;
    case DemandCode::tool_version_not_allowed: return ReasonCode::tool_version_not_allowed;
    case DemandCode::run_narrowed: return ReasonCode::narrowed;
    case DemandCode::carried_not_allowed: return ReasonCode::carried_not_allowed;
    case DemandCode::carried_not_alike: return ReasonCode::carried_not_alike;
    case DemandCode::machine_not_planned: return ReasonCode::machine_not_planned;
    case DemandCode::check_not_planned: return ReasonCode::check_not_planned;
    case DemandCode::phase_not_planned: return ReasonCode::phase_not_planned;
    case DemandCode::coverage_shrunk: return ReasonCode::coverage_shrunk;
    case DemandCode::coverage_unknown: return ReasonCode::coverage_unknown;
    case DemandCode::emergency_not_allowed: return ReasonCode::emergency_not_allowed;
    case DemandCode::review_overdue: return ReasonCode::review_overdue;
    case DemandCode::rejected: return ReasonCode::rejected;
    case DemandCode::approval_missing: return ReasonCode::approval_missing;
    case DemandCode::approval_not_distinct: return ReasonCode::approval_not_distinct;
    case DemandCode::security_key_not_touched: return ReasonCode::security_key_not_touched;
    case DemandCode::security_key_not_verified: return ReasonCode::security_key_not_verified;
    case DemandCode::window_closed: return ReasonCode::window_closed;
    case DemandCode::check_changed: return ReasonCode::check_changed;
    case DemandCode::submitter_unknown: return ReasonCode::submitter_unknown;
    case DemandCode::ticket_missing: return ReasonCode::ticket_missing;
    case DemandCode::likeness_unknown: return ReasonCode::likeness_unknown;
    case DemandCode::not_alike: return ReasonCode::not_alike;
  }
  return ReasonCode::policy_not_in_force;
}

}  // namespace

// What the policy asks of what was planned, and of the moment.
void look_at_policy(GateCase& gate) {
  PolicyFacts facts;
  facts.now = gate.today.now;
  facts.lane = gate.today.lane;
  facts.emergency_ticket = gate.today.emergency.ticket;
  if (const auto last = gate.today.last_promoted.find(gate.department.name); last != gate.today.last_promoted.end())
    facts.last_promoted = last->second;
  // Going back takes away what nobody reviewed: that need not wait for the review.
  if (const auto open = gate.today.open_reviews.find(gate.department.name);
      open != gate.today.open_reviews.end() && gate.went_back.empty())
    facts.open_reviews = open->second;
  facts.approvals = gate.people.approvals;
  facts.anything_waived = gate.people.anything_waived;
  facts.submitter_is_known = gate.people.submitter_is_known;
  facts.unknown_submitters = gate.people.unknown_submitters;
  if (gate.named == GateCase::Named::yes) facts.set = gate.people.set;
  for (const auto& demand : demands_of(gate.policy, gate.record, gate.department, facts)) {
    const auto code = code_of(demand.code);
    Subject subject{.department = gate.department.name,
                    .machine = demand.machine,
                    .check = demand.check,
                    .phase = demand.phase,
                    .candidate = demand.candidate};
    if (!demand.taken_over.empty())
      gate.take_over(code, std::move(subject), demand);
    else if (demand.met)
      gate.asked(code, std::move(subject), demand.text);
    else
      gate.block(code, std::move(subject), demand.text, demand.command);
  }
}

void look_at_objections(GateCase& gate) {
  for (const auto& objection : gate.people.objections) gate.block(objection.code, gate.of_department(), objection.text);
  gate.decision.counted = gate.people.counted;
}

}  // namespace patchlab::promotion
