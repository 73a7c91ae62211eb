// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/tap/tap.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/printable.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::reports {
namespace {

// One line, with the characters escaped that TAP 14 gives a meaning.
std::string described(const std::string& text) {
  std::string line;
  for (const char c : printable(text)) {
    if (c == '#' || c == '\\') line += '\\';
    line += c;
  }
  return line;
}

std::string point(std::size_t number, const std::string& department, const std::string& candidate,
                  const VerdictRecord* verdict) {
  const auto name = fmt::format("{} - {} {}", number, described(department), described(candidate));
  const auto outcome = verdict == nullptr ? Outcome::not_reached : verdict->outcome;
  const auto reason = verdict == nullptr ? std::string("no verdict") : described(verdict->reason);
  switch (outcome) {
    case Outcome::pass: return fmt::format("ok {}\n", name);
    case Outcome::skipped: return fmt::format("ok {} # SKIP {}\n", name, reason);
    case Outcome::fail: return fmt::format("not ok {}: {}\n", name, reason);
    case Outcome::error: return fmt::format("not ok {}: lab error: {}\n", name, reason);
    case Outcome::not_reached: return fmt::format("not ok {}: not reached: {}\n", name, reason);
  }
  return fmt::format("not ok {}\n", name);
}

}  // namespace

std::string tap_lines(const RunRecord& record, const Decisions& decisions) {
  std::string out = "TAP version 14\n";
  if (record.error) return out + "Bail out! " + described(record.error->message) + "\n";
  if (record.departments.empty() || record.candidates.empty()) return out + "Bail out! nothing was tested\n";
  out += fmt::format("1..{}\n", record.departments.size() * record.candidates.size());
  std::size_t number = 0;
  for (const auto& department : record.departments) {
    for (const auto& candidate : record.candidates) {
      out += point(++number, department.name, candidate.id, find_verdict(department, candidate.id));
    }
    for (const auto& flaky : department.flaky) {
      out += fmt::format("# flaky: {} {} {}\n", described(department.name), described(flaky.fact), counts_of(flaky));
    }
    const auto& decision = decision_of(decisions, department.name);
    if (decision.state != DecisionState::undecided) {
      out += fmt::format("# {}: {} as of {}\n", described(department.name), to_string(decision.state),
                         described(decision.as_of));
      for (const auto& reason : decision.reasons())
        out += fmt::format("# {}: {}\n", described(department.name), described(reason));
    }
    // No TODO: the failure is one, whoever accepted it.
    for (const auto& waived : decision.waived)
      out += fmt::format("# waived: {} {}\n", described(department.name), described(to_string(waived)));
    for (const auto& remark : remarks(department))
      out += fmt::format("# {}: {}\n", described(department.name), described(remark));
  }
  for (const auto& department : record.departments) {
    for (const auto& sentence : kept_configuration(department))
      out += fmt::format("# not tested: {}\n", described(sentence));
  }
  for (const auto& sentence : record.not_tested) out += fmt::format("# not tested: {}\n", described(sentence));
  return record.complete ? out : out + "Bail out! the run was interrupted before its end\n";
}

}  // namespace patchlab::reports
