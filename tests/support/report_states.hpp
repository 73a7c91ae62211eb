// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/big_record.hpp"
#include "tests/support/waived_decision.hpp"

namespace patchlab::tests {

// What a reader can meet in a report: a run, and what was decided about it.
struct ReportState {
  const char* name;
  reports::RunRecord record;
  reports::Decisions decisions;
};

// Refuses every department for one reason besides what its candidates did.
inline reports::Decisions refused_decisions(const reports::RunRecord& record,
                                            const reports::RequirementRecord& reason) {
  auto decisions = sample_decisions(record);
  for (auto& decision : decisions) {
    decision.state = reports::DecisionState::refused;
    decision.since.clear();
    decision.manifest_digest.clear();
    auto own = reason;
    own.about["department"] = decision.department;
    if (!own.command.empty()) own.command += " --department " + decision.department;
    decision.requirements.insert(decision.requirements.begin(), std::move(own));
  }
  return decisions;
}

// Two good departments of which nothing is held back.
inline reports::RunRecord healthy_record() {
  SampleRun run;
  run.add_candidate("bind9-9.18.33-deb12u2", "bind9: security update (CVE-2024-11187)", "important", "apt", {"dns"});
  run.add_candidate("postgresql-15.10-deb12u1", "postgresql-15: security update (CVE-2024-10979)", "critical", "apt",
                    {"db"});
  for (const char* name : {"hr", "db"}) {
    run.start_department(name, 400);
    const auto set = run.trial(reports::Purpose::final, {"bind9-9.18.33-deb12u2", "postgresql-15.10-deb12u1"});
    for (const auto* id : {"bind9-9.18.33-deb12u2", "postgresql-15.10-deb12u1"})
      run.verdict(id, Outcome::pass, "passed as part of the exact set that is promoted").trials = {set};
    run.end_department(set);
  }
  return run.finish();
}

inline std::vector<ReportState> report_states() {
  std::vector<ReportState> states;
  auto record = healthy_record();
  auto decisions = sample_decisions(record);
  states.push_back({"healthy", record, decisions});
  states.push_back({"needs-a-person", record,
                    refused_decisions(record, {.code = "approval-missing",
                                               .text = "1 of 2 people approved, as policy 'two-people' asks",
                                               .command = "patchlab approve " + record.id,
                                               .by_people = true})});
  record = rich_record();
  states.push_back({"held-back", record, sample_decisions(record)});
  states.push_back({"waived", record, waived_decisions(record)});
  auto leak = record;
  leak.departments[0].fence.attempts[4].answered = true;
  states.push_back(
      {"breach", leak,
       refused_decisions(
           leak, {.code = "fence-breach", .text = "engineering: dns to 192.0.2.53 was answered before the trials"})});
  auto trouble = record;
  trouble.departments[1].error = infrastructure_error("the disk is full", "free some space in the cache");
  trouble.departments[1].outcome = Outcome::error;
  for (auto& verdict : trouble.departments[1].verdicts) verdict.outcome = Outcome::error;
  states.push_back({"lab-trouble", trouble, {}});
  auto cut_off = record;
  cut_off.complete = false;
  cut_off.error = Error{ErrorClass::cancelled, "interrupted", ""};
  cut_off.departments.pop_back();
  states.push_back({"interrupted", cut_off, {}});
  states.push_back({"nobody-was-asked", record, {}});
  return states;
}

// The same of a large night.
inline ReportState big_state() {
  auto record = big_record();
  auto decisions = sample_decisions(record);
  return {"big", std::move(record), std::move(decisions)};
}

}  // namespace patchlab::tests
