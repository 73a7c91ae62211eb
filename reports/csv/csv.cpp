// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/csv/csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

// A spreadsheet takes a text that begins like this for a formula; the wide forms of East Asian input as well.
bool begins_a_formula(std::string_view text) {
  constexpr std::array<std::string_view, 8> signs{"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"};
  return std::ranges::any_of(signs, [&](std::string_view sign) { return text.starts_with(sign); });
}

// One line, whatever the text: it is read on terminals, too. Quoted also where a spreadsheet might cut it, which splits
// at semicolons in some countries.
std::string cell(const std::string& bytes) {
  auto text = printable(bytes);
  if (begins_a_formula(trimmed(text))) text.insert(0, 1, '\'');
  if (text.find_first_of(",;\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

struct Row {
  std::string kind, department, machine, trial, purpose, candidates, phase, item, outcome, reason, expected, observed;
  std::int64_t duration_ms = 0;
};

void write(std::string& out, const std::string& run, const Row& row) {
  const std::array<const std::string*, 13> cells{
      &run,       &row.kind, &row.department, &row.machine, &row.trial,    &row.purpose, &row.candidates,
      &row.phase, &row.item, &row.outcome,    &row.reason,  &row.expected, &row.observed};
  for (const auto* text : cells) out += cell(*text) + ",";
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
             difference.kind + " " + difference.item, "fail", "state-changed", difference.before, difference.after, 0});
    }
  }
}

// One row for what was decided, and one for each requirement.
void write_decision(std::string& out, const std::string& run, const DecisionRecord& decision) {
  if (decision.state == DecisionState::undecided) return;
  const auto candidates = fmt::format("{}", fmt::join(decision.candidates, " "));
  write(out, run,
        {"decision", decision.department, "", "", "", candidates, "", decision.stage, to_string(decision.state),
         fmt::format("as of {}", decision.as_of), "", decision.since, 0});
  for (const auto& requirement : decision.requirements) {
    write(out, run,
          {"requirement", decision.department, "", "", "", "", "", requirement.subject,
           requirement.waived.empty() ? requirement.met ? "met" : "not-met" : "waived", requirement.code, "",
           requirement.waived.empty() ? requirement.text : requirement.text + ": " + requirement.waived, 0});
  }
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
      "run,kind,department,machine,trial,purpose,candidates,phase,item,outcome,reason,expected,observed,duration_"
      "ms\r\n";
  for (const auto& department : record.departments) {
    for (const auto& verdict : department.verdicts) {
      write(out, record.id,
            {"verdict", department.name, fmt::format("{}", fmt::join(verdict.machines, " ")),
             fmt::format("{}", fmt::join(verdict.trials, " ")), "", verdict.candidate, "",
             fmt::format("{}", fmt::join(verdict.failed, " ")), to_string(verdict.outcome), verdict.reason, "", "", 0});
    }
    write_decision(out, record.id, decision_of(decisions, department.name));
    for (const auto& trial : department.trials) write_trial(out, record.id, department.name, trial);
    for (const auto& flaky : department.flaky) {
      write(out, record.id,
            {"flaky", department.name, machine_of_key(flaky.fact), fmt::format("{}", fmt::join(flaky.failed, " ")), "",
             fmt::format("{}", fmt::join(flaky.candidates, " ")), "", flaky.fact, to_string(flaky.kind),
             counts_of(flaky), fmt::format("passed in {}", fmt::join(flaky.passed, " ")),
             fmt::format("failed in {}", fmt::join(flaky.failed, " ")), 0});
    }
    for (const auto& attempt : department.fence.attempts) {
      write(out, record.id,
            {"fence", department.name, "", "", "", "", attempt.phase, attempt.probe + " " + attempt.target,
             fence_outcome(attempt), fence_reason(attempt), attempt.control ? "an answer" : "no answer",
             attempt.evidence, 0});
    }
  }
  for (const auto& sentence : record.not_tested)
    write(out, record.id, {"not-tested", "", "", "", "", "", "", "", "not-reached", sentence, "", "", 0});
  return out;
}

}  // namespace patchlab::reports
