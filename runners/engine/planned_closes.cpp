// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/planned_closes.hpp"

#include "reports/record/effect.hpp"

namespace patchlab::runners {

void note_closes(const std::optional<PlannedScenario>& planned, reports::RunRecord& record) {
  if (!planned || !planned->closes) {
    record.not_tested.emplace_back(
        "which vulnerabilities the candidates close was not asked: the scenario was not planned from a scan");
    return;
  }
  for (auto& department : record.departments) {
    for (auto& verdict : department.verdicts) {
      if (verdict.outcome != Outcome::pass) continue;
      auto& closes = verdict.closes.emplace();
      for (const auto& one : *planned->closes) {
        if (one.candidate != verdict.candidate || one.department != department.name) continue;
        auto& here = closes.emplace_back(reports::ClosesRecord{one.machine, one.vulnerabilities, {}});
        for (const auto& [package, version] : one.needs) here.needs.push_back({package, version});
      }
      reports::look_at_closes(department, verdict.candidate, closes);
      verdict.effect += (verdict.effect.empty() ? "" : ". ") + reports::closes_sentence(closes);
    }
  }
}

}  // namespace patchlab::runners
