// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "promotion/gate/rules.hpp"
#include "reports/record/findings.hpp"

namespace patchlab::promotion {
using namespace reports;
namespace {

// Of a breach nobody asks: it fails its machine.
FindingRule rule_for(const Policy& policy, checks::state::FindingClass finding) {
  switch (finding) {
    case checks::state::FindingClass::breach: break;
    case checks::state::FindingClass::review: return policy.findings.review;
    case checks::state::FindingClass::notice: return policy.findings.notice;
  }
  return FindingRule::needs_decision;
}

void look_at_finding(GateCase& gate, const Finding& finding) {
  const auto& difference = finding.difference;
  Subject subject{.department = gate.department.name,
                  .machine = finding.machine,
                  .check = finding_name(difference),
                  .kind = difference.kind,
                  .item = difference.item,
                  .digest = finding_digest(difference),
                  .candidates = finding.candidates};
  const auto key = finding.key();
  auto text = fmt::format("{} {} on {} changed in {} with {}{}{}", difference.kind, difference.item, finding.machine,
                          fmt::join(finding.phases, ", "), few_of(finding.candidates),
                          difference.why.empty() ? "" : ": ", difference.why);
  if (gate.is_accepted(ReasonCode::needs_decision, subject, key, text)) return;
  std::string command;
  const auto alone = std::ranges::find(gate.people.unapproved, key, &WaivedFailure::key);
  if (alone != gate.people.unapproved.end()) {
    text += fmt::format("; '{}' accepted it, and nobody else approved who has seen that", alone->by);
    command = command_for(ReasonCode::waiver_not_approved, gate.record);
  } else if (gate.policy.waivers.what.contains(Waivable::review)) {
    command = fmt::format(
        "patchlab waive {} --department {} --what {} --until TIME --ticket TICKET --reason REASON --key KEY",
        gate.record.id, gate.department.name, key);
  } else {
    text += "; the policy lets nobody accept it ('review' is not under 'what' of its waivers)";
  }
  gate.block(ReasonCode::needs_decision, std::move(subject), std::move(text), std::move(command));
}

}  // namespace

// Each as often as it is another change, wherever in the trials of the set it was seen.
void look_at_findings(GateCase& gate) {
  if (gate.passed.empty()) return;
  std::size_t decided = 0;
  for (const auto& finding : findings_of_set(gate.department, gate.passed)) {
    if (rule_for(gate.policy, finding.difference.finding) == FindingRule::shown) {
      ++gate.shown;
      continue;
    }
    ++decided;
    look_at_finding(gate, finding);
  }
  if (decided > 0) return;
  gate.asked(ReasonCode::needs_decision, gate.of_department(),
             gate.shown == 0
                 ? std::string("nothing changed that nothing explains")
                 : fmt::format("{} changed that nothing explains, and the policy only shows that", gate.shown));
}

}  // namespace patchlab::promotion
