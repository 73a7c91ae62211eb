// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reports/record/findings.hpp"
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

// What nothing explains, as it looks on a machine: long paths, long lines, other languages.
inline reports::StateDifference unexplained(std::size_t number, const std::string& of = "") {
  const auto item = fmt::format("/etc/postfix/conf.d/{}{:02}-relay-and-transport-maps.generated.cf", of, number);
  std::string diff = "--- " + item + "\n+++ " + item +
                     "\n@@ -12,4 +12,6 @@\n # f\xC3\xBCr alle Au\xC3\x9F"
                     "enstellen\n";
  for (std::size_t i = 0; i <= number % 3; ++i)
    diff += fmt::format(
        "-smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination\n"
        "+smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, check_relay_domains, permit {}\n"
        " transport_maps = hash:/etc/postfix/transport\n",
        i);
  return {"file",
          item,
          fmt::format("root:root 0644, 8{:02} bytes, sha256 5d41402abc4b2a76b9719d911017c592", number),
          fmt::format("root:root 0644, 9{:02} bytes, sha256 7d793037a0760186574b0282f2f435e7", number),
          checks::state::FindingClass::review,
          "configuration that no package of the candidates brings",
          diff};
}

// Puts them into the trial that tells of the set that passed.
inline void change(reports::DepartmentRecord& department, const std::string& machine,
                   const std::vector<reports::StateDifference>& differences) {
  for (auto& trial : department.trials) {
    if (trial.id != department.final_trial) continue;
    for (auto& phase : trial.phases) {
      if (phase.machine == machine && phase.phase != "baseline")
        phase.differences.insert(phase.differences.end(), differences.begin(), differences.end());
    }
  }
}

// As a policy under which a person has to look; the first `accepted` of each department were accepted.
inline reports::Decisions asked_decisions(const reports::RunRecord& record, std::size_t accepted) {
  auto decisions = sample_decisions(record);
  for (auto& decision : decisions) {
    const auto& department =
        *std::ranges::find(record.departments, decision.department, &reports::DepartmentRecord::name);
    std::vector<reports::RequirementRecord> asked;
    for (const auto& finding : reports::findings_of_set(department, reports::set_in_question(department, decision))) {
      if (finding.difference.finding == checks::state::FindingClass::notice) continue;
      const auto key = finding.key();
      reports::RequirementRecord one{
          .code = "needs-decision",
          .about = {{"department", department.name},
                    {"machine", finding.machine},
                    {"check", reports::finding_name(finding.difference)}},
          .subject = finding.machine,
          .met = asked.size() < accepted,
          .text =
              fmt::format("file {} on {} changed in {} with {}: {}", finding.difference.item, finding.machine,
                          fmt::join(finding.phases, ", "), reports::few_of(finding.candidates), finding.difference.why),
          .by_people = true};
      if (one.met) {
        decision.waived.push_back({key, "review", "carol", "bob", "2026-12-12T00:00:00.000Z", "asked for", "CHG7", 3});
        one.waived = "accepted by 'carol' until 2026-12-12T00:00:00.000Z (CHG7): asked for; approved by 'bob'";
      } else {
        one.command = fmt::format(
            "patchlab waive {} --department {} --what {} --until TIME --ticket TICKET --reason REASON --key KEY",
            record.id, department.name, key);
      }
      asked.push_back(std::move(one));
    }
    if (asked.size() > accepted) {
      decision.state = reports::DecisionState::refused;
      decision.candidates.clear();
      decision.since.clear();
      decision.manifest_digest.clear();
    }
    decision.requirements.insert(decision.requirements.begin(), asked.begin(), asked.end());
  }
  return decisions;
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
  // Of eight changes two are accepted, in the other department all of the two; and one that is only noticed.
  auto changed = record;
  std::vector<reports::StateDifference> changes;
  for (std::size_t i = 0; i < 8; ++i) changes.push_back(unexplained(i));
  changes.push_back({"module", "nf_tables", "", "loaded", checks::state::FindingClass::notice,
                     "code that the kernel did not run before: files tell who asked for it"});
  change(changed.departments[0], "dns", changes);
  change(changed.departments[1], "dns", {changes[0], changes[1]});
  states.push_back({"changed", changed, asked_decisions(changed, 2)});
  auto one = record;
  change(one.departments[0], "dns", {changes[0]});
  states.push_back({"one-change", one, asked_decisions(one, 0)});
  states.push_back({"change-accepted", changed, asked_decisions(changed, 8)});
  states.push_back({"change-shown", changed, sample_decisions(changed)});
  record = rich_record();
  for (auto& department : record.departments) {
    for (auto& trial : department.trials) {
      for (auto& phase : trial.phases) {
        for (auto& difference : phase.differences) {
          difference.why = "it does not start with the system any more";
          difference.diff = unexplained(1).diff;
        }
      }
    }
  }
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

// A large night after which people have to look at 60 changes in each department, half of them the same in all.
inline ReportState big_changed_state() {
  auto record = big_record();
  for (auto& department : record.departments) {
    std::vector<reports::StateDifference> changes;
    for (std::size_t i = 0; i < 60; ++i) changes.push_back(unexplained(i, i % 2 == 0 ? "" : department.name + "-"));
    change(department, "mail", changes);
  }
  auto decisions = asked_decisions(record, 0);
  return {"big-changed", std::move(record), std::move(decisions)};
}

}  // namespace patchlab::tests
