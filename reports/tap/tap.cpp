// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/tap/tap.hpp"

#include <fmt/format.h>

#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::reports {
namespace {

// One line, with the characters escaped that TAP gives a meaning.
std::string described(const std::string& text) {
  std::string line;
  for (const char c : printable(text)) {
    if (c == '#' || c == '\\') line += '\\';
    line += c;
  }
  return line;
}

// A YAML scalar: JSON's strings are YAML's double-quoted ones.
std::string scalar(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string point(std::size_t number, const RunFact& fact) {
  const auto name = fmt::format("{} - {}", number, described(name_of(fact)));
  if (fact.outcome == Outcome::pass) return fmt::format("ok {}\n", name);
  if (!fact.stands_against()) return fmt::format("ok {} # SKIP {}\n", name, described(fact.sentence));
  auto text = fmt::format("not ok {}\n  ---\n  message: {}\n  outcome: {}\n  code: {}\n", name,
                          scalar(printable(fact.sentence)), to_string(fact.outcome), scalar(printable(fact.code)));
  // One scalar: readers of TAP know a part of YAML, and no lists of quoted texts.
  if (!fact.detail.empty()) text += fmt::format("  detail: {}\n", scalar(printable_lines(fact.detail)));
  return text + "  ...\n";
}

std::string comments(const DepartmentRecord& department, const DecisionRecord& decision) {
  std::string out;
  for (const auto& flaky : department.flaky)
    out += fmt::format("# flaky: {} {} {}\n", described(department.name), described(flaky.fact), counts_of(flaky));
  if (decision.state != DecisionState::undecided) {
    out += fmt::format("# {}: {} as of {}\n", described(department.name), to_string(decision.state),
                       described(decision.as_of));
    for (const auto& reason : decision.reasons())
      out += fmt::format("# {}: {}\n", described(department.name), described(reason));
  }
  if (decision.emergency.is_one())
    out += fmt::format("# {}: {}\n", described(department.name), described(to_string(decision.emergency)));
  // No TODO: the failure is one, whoever accepted it.
  for (const auto& waived : decision.waived)
    out += fmt::format("# {}: {} {}\n", waived.is_a_failure() ? "waived" : "accepted", described(department.name),
                       described(to_string(waived)));
  for (const auto& verdict : department.verdicts) {
    if (!verdict.effect.empty())
      out += fmt::format("# effect: {}: {}: {}\n", described(department.name), described(verdict.candidate),
                         described(verdict.effect));
  }
  for (const auto& remark : remarks(department))
    out += fmt::format("# {}: {}\n", described(department.name), described(remark));
  return out;
}

}  // namespace

std::string tap_lines(const RunRecord& record, const Decisions& decisions) {
  const auto facts = facts_of_run(record, decisions);
  std::string out = fmt::format("TAP version 13\n1..{}\n", facts.size());
  for (std::size_t i = 0; i < facts.size(); ++i) out += point(i + 1, facts[i]);
  for (const auto& department : record.departments)
    out += comments(department, decision_of(decisions, department.name));
  for (const auto& department : record.departments) {
    for (const auto& sentence : kept_configuration(department))
      out += fmt::format("# not tested: {}\n", described(sentence));
  }
  for (const auto& sentence : record.not_tested) out += fmt::format("# not tested: {}\n", described(sentence));
  return out;
}

}  // namespace patchlab::reports
