// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_table.hpp"

#include "cli/terminal.hpp"
#include "lab/core/printable.hpp"
#include "reports/record/effect.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::cli {
namespace {

Cell verdict_cell(const reports::DepartmentRecord& department, const reports::DecisionRecord& decision,
                  const std::string& candidate) {
  const auto* verdict = reports::find_verdict(department, candidate);
  if (verdict == nullptr) return {"error", Outcome::error};
  std::string word = to_string(verdict->outcome);
  if (verdict->outcome == Outcome::pass) word += std::string(", ") + word_for(decision, candidate);
  if (verdict->outcome == Outcome::fail) {
    const bool goes_along = std::ranges::count(decision.candidates, candidate) > 0;
    word += goes_along ? std::string(", waived, ") + word_for(decision, candidate) : ", held back";
  }
  return {word, verdict->outcome};
}

// "bad-mail in engineering, finance: breaks ...": each reason once. What only repeats a department's own error is said
// there.
std::string held_back(const reports::RunRecord& record, const reports::Decisions& decisions) {
  std::string text;
  for (const auto& candidate : record.candidates) {
    std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
    for (const auto& department : record.departments) {
      const auto* verdict = reports::find_verdict(department, candidate.id);
      if (verdict == nullptr || verdict->outcome == Outcome::pass || verdict->outcome == Outcome::skipped) continue;
      if (department.error && verdict->reason == department.error->message) continue;
      if (std::ranges::count(decision_of(decisions, department.name).candidates, candidate.id) > 0) continue;
      const auto same = std::ranges::find(reasons, verdict->reason, &decltype(reasons)::value_type::first);
      if (same == reasons.end())
        reasons.push_back({verdict->reason, {department.name}});
      else
        same->second.push_back(department.name);
    }
    for (const auto& [reason, departments] : reasons)
      text += printable_format("  {} in {}: {}\n", candidate.id, listed(departments), reason);
  }
  return text.empty() ? text : "\nHeld back:\n" + text;
}

std::string effects(const reports::RunRecord& record) {
  std::string text;
  for (const auto& line : reports::effect_lines(record))
    text += printable_format("  {} in {}: {}\n", line.candidate, listed(line.departments), line.sentence);
  return text.empty() ? text : "\nWhether they do what they are for:\n" + text;
}

// Of the run, its departments, fences and checks; verdicts and decisions are told where they are.
std::string against(const std::vector<reports::RunFact>& facts) {
  constexpr std::size_t most_checks = 10;
  std::string text;
  std::size_t checks = 0;
  for (const auto& fact : facts) {
    if (!fact.stands_against() || fact.is_part() || fact.kind == reports::FactKind::verdict ||
        fact.kind == reports::FactKind::decision)
      continue;
    if (fact.kind == reports::FactKind::check) {
      if (fact.code == "candidate-fails") continue;  // said of the candidate
      if (++checks > most_checks) continue;
    }
    text += printable_format("  {}: {}: {}: {}\n", name_of(fact), to_string(fact.outcome), fact.code, fact.sentence);
  }
  if (checks > most_checks) text += fmt::format("  and {} more checks\n", checks - most_checks);
  return text.empty() ? text : "\nAgainst the run:\n" + text;
}

std::string flaky(const reports::DepartmentRecord& department) {
  std::string text;
  for (const auto& flaky : department.flaky)
    text += printable_format("{}: flaky: {} {}\n", department.name, flaky.fact, reports::counts_of(flaky));
  return text;
}

std::string promotion(const reports::RunRecord& record, const reports::DepartmentRecord& department,
                      const reports::DecisionRecord& decision) {
  std::string text;
  const bool nothing_passed = std::ranges::count(reports::as_tested(record, department)->verdicts, Outcome::pass,
                                                 &reports::VerdictRecord::outcome) == 0;
  switch (decision.state) {
    case reports::DecisionState::promoted:
      text +=
          printable_format("{}: {} candidates in {}\n", department.name, decision.candidates.size(), decision.stage);
      if (!decision.by.empty()) text += printable_format("  {}\n", decision.by);
      break;
    case reports::DecisionState::replaced:
      text += printable_format("{}: promoted, then replaced by run {}\n", department.name, decision.replaced_by);
      break;
    case reports::DecisionState::promotable:
      text += printable_format("{}: may be promoted: patchlab promote {}\n", department.name, record.id);
      if (!department.tested_in.empty()) text += printable_format("  {}\n", decision.by);
      break;
    case reports::DecisionState::refused:
      text += printable_format("{}: {}\n", department.name, nothing_passed ? "nothing to decide" : "refused");
      break;
    case reports::DecisionState::undecided: return text;
  }
  if (decision.emergency.is_one()) text += printable_format("  {}\n", to_string(decision.emergency));
  for (const auto& waived : decision.waived)
    text += printable_format("  {}: {}\n", waived.is_a_failure() ? "waived" : "accepted", to_string(waived));
  if (decision.state == reports::DecisionState::refused) {
    for (const auto& reason : decision.reasons()) text += printable_format("  {}\n", reason);
  }
  return text;
}

}  // namespace

std::string run_table(const reports::RunRecord& record, const reports::Decisions& decisions,
                      const std::filesystem::path& folder) {
  std::vector<std::vector<Cell>> rows{{{"CANDIDATE", {}}}};
  for (const auto& department : record.departments) rows[0].push_back({department.name, {}});
  for (const auto& candidate : record.candidates) {
    std::vector<Cell> row{{candidate.id, {}}};
    for (const auto& department : record.departments)
      row.push_back(verdict_cell(department, decision_of(decisions, department.name), candidate.id));
    rows.push_back(std::move(row));
  }
  auto text = table(rows) + held_back(record, decisions) + effects(record) +
              against(reports::facts_of_run(record, decisions)) + "\n";
  for (const auto& department : record.departments)
    text += flaky(department) + promotion(record, department, decision_of(decisions, department.name));
  for (const auto& department : record.departments) {
    for (const auto& remark : reports::remarks(department))
      text += printable_format("{}: {}\n", department.name, remark);
  }
  return text + printable_format("\nrun {}, {:.0f} s, peak memory {:.1f} GiB\nreport: {}\n", record.id,
                                 static_cast<double>(record.duration_ms) / 1000.0,
                                 static_cast<double>(record.peak_memory_kib) / (1024.0 * 1024.0),
                                 (folder / "report.html").string());
}

}  // namespace patchlab::cli
