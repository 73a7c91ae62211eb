// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/csv/csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/core/csv_cell.hpp"
#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

struct Row {
  std::string kind, department, machine, trial, purpose, candidates, phase, item, outcome, reason, expected, observed;
  std::int64_t duration_ms = 0;
};

void write(std::string& out, const std::string& run, const Row& row) {
  const std::array<const std::string*, 13> cells{
      &run,       &row.kind, &row.department, &row.machine, &row.trial,    &row.purpose, &row.candidates,
      &row.phase, &row.item, &row.outcome,    &row.reason,  &row.expected, &row.observed};
  for (const auto* text : cells) out += csv_cell(*text) + ",";
  out += std::to_string(row.duration_ms) + "\r\n";
}

// What the row of a check does not say: tries that did not count, and a slowness that was not judged.
void write_tries(std::string& out, const std::string& run, Row row, const checks::CheckResult& check) {
  for (const auto& one : check.tries) {
    if (one.outcome == Outcome::pass) continue;
    row.outcome = to_string(one.outcome);
    row.reason = one.reason;
    row.observed = one.observed;
    row.duration_ms = one.duration.count();
    write(out, run, row);
  }
  if (!check.slowness || check.slowness->judged) return;
  row.kind = "slowness";
  row.outcome = to_string(Outcome::skipped);
  row.reason = "not-judged";
  row.observed = check.slowness->why_not;
  row.duration_ms = check.slowness->quickest.count();
  write(out, run, row);
}

void write_trial(std::string& out, const std::string& run, const std::string& department, const TrialRecord& trial) {
  const auto candidates = fmt::format("{}", fmt::join(trial.candidates, " "));
  for (const auto& install : trial.installs) {
    for (const auto& file : install.kept_files) {
      write(out, run,
            {"kept-file", department, install.machine, trial.id, to_string(trial.purpose), install.candidate, "", file,
             "skipped", "own-configuration-kept", "", "", 0});
    }
  }
  for (const auto& phase : trial.phases) {
    for (const auto& check : phase.checks) {
      write(out, run,
            {"check", department, phase.machine, trial.id, to_string(trial.purpose), candidates, phase.phase, check.id,
             to_string(check.outcome), check.error ? check.error->message : check.reason, check.expected,
             check.observed, check.duration.count()});
      write_tries(out, run,
                  {"try",
                   department,
                   phase.machine,
                   trial.id,
                   to_string(trial.purpose),
                   candidates,
                   phase.phase,
                   check.id,
                   {},
                   {},
                   {},
                   {}},
                  check);
    }
    for (const auto& difference : phase.differences) {
      write(out, run,
            {"state", department, phase.machine, trial.id, to_string(trial.purpose), candidates, phase.phase,
             difference.kind + " " + difference.item,
             difference.is_failure() ? "fail" : checks::state::to_string(difference.finding), "state-changed",
             difference.before, difference.after, 0});
    }
  }
}

// What was asked of a department, and what of it is met.
void write_requirements(std::string& out, const std::string& run, const DecisionRecord& decision) {
  if (decision.emergency.is_one()) {
    write(out, run,
          {"emergency", decision.department, "", "", "", fmt::format("{}", fmt::join(decision.candidates, " ")), "",
           decision.emergency.ticket, decision.emergency.is_open() ? "open" : "reviewed", "", "",
           to_string(decision.emergency), 0});
  }
  for (const auto& requirement : decision.requirements) {
    write(out, run,
          {"requirement", decision.department, "", "", "", "", "", requirement.subject,
           requirement.waived.empty() ? requirement.met ? "met" : "not-met" : "waived", requirement.code, "",
           requirement.waived.empty() ? requirement.text : requirement.text + ": " + requirement.waived, 0});
  }
}

void write_fact(std::string& out, const RunRecord& record, const Decisions& decisions, const RunFact& fact) {
  Row row;
  row.kind = fact.kind == FactKind::check ? "checked" : to_string(fact.kind);
  row.department = fact.department;
  row.item = fact.subject;
  row.outcome = to_string(fact.outcome);
  row.reason = fact.code;
  row.observed = fact.sentence;
  const auto department = std::ranges::find(record.departments, fact.department, &DepartmentRecord::name);
  switch (fact.kind) {
    case FactKind::run: row.duration_ms = record.duration_ms; break;
    case FactKind::decision: {
      const auto& decision = decision_of(decisions, fact.department);
      row.candidates = fmt::format("{}", fmt::join(decision.candidates, " "));
      row.item = decision.stage;
      break;
    }
    case FactKind::verdict: {
      row.candidates = fact.subject;
      const auto* verdict = find_verdict(*department, fact.subject);
      if (verdict == nullptr) break;
      row.machine = fmt::format("{}", fmt::join(verdict->machines, " "));
      row.trial = fmt::format("{}", fmt::join(verdict->trials, " "));
      row.item = fmt::format("{}", fmt::join(verdict->failed, " "));
      break;
    }
    case FactKind::likeness:
    case FactKind::finding:
    case FactKind::check:
    case FactKind::flaky: row.machine = machine_of_key(fact.subject); break;
    case FactKind::department:
    case FactKind::fence: break;
  }
  write(out, record.id, row);
}

const char* fence_outcome(const FenceAttempt& attempt) {
  if (!attempt.sent) return "not-reached";
  return attempt.answered == attempt.control ? "pass" : "error";
}
const char* fence_reason(const FenceAttempt& attempt) {
  if (!attempt.sent) return "not-sent";
  if (attempt.control) return attempt.answered ? "control-heard" : "control-not-heard";
  return attempt.answered ? "fence-breach" : "no-answer";
}

}  // namespace

std::string csv_table(const RunRecord& record, const Decisions& decisions) {
  std::string out =
      "\xEF\xBB\xBF"
      "run,kind,department,machine,trial,purpose,candidates,phase,item,outcome,reason,expected,observed,duration_"
      "ms\r\n";
  for (const auto& fact : facts_of_run(record, decisions)) write_fact(out, record, decisions, fact);
  for (const auto& department : record.departments) {
    write_requirements(out, record.id, decision_of(decisions, department.name));
    for (const auto& verdict : department.verdicts) {
      if (!verdict.effect.empty())
        write(out, record.id,
              {"effect", department.name, "", department.final_trial, "", verdict.candidate, "", "",
               to_string(verdict.outcome), "", "", verdict.effect, 0});
    }
    for (const auto& trial : department.trials) write_trial(out, record.id, department.name, trial);
    for (const auto& attempt : department.fence.attempts) {
      write(out, record.id,
            {"attempt", department.name, "", attempt.trial, "", "", attempt.phase, attempt.probe + " " + attempt.target,
             fence_outcome(attempt), fence_reason(attempt), attempt.control ? "an answer" : "no answer",
             attempt.evidence, 0});
    }
  }
  for (const auto& sentence : record.not_tested)
    write(out, record.id, {"not-tested", "", "", "", "", "", "", "", "not-reached", sentence, "", "", 0});
  return out;
}

}  // namespace patchlab::reports
