// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_table.hpp"

#include <fmt/ranges.h>

#include "cli/terminal.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::cli {

std::string run_table(const reports::RunRecord& record, const std::filesystem::path& folder) {
  std::vector<std::vector<Cell>> rows{{{"CANDIDATE", {}}}};
  for (const auto& department : record.departments) rows[0].push_back({department.name, {}});
  std::string reasons;
  for (const auto& candidate : record.candidates) {
    std::vector<Cell> row{{candidate.id, {}}};
    for (const auto& department : record.departments) {
      const auto* verdict = reports::find_verdict(department, candidate.id);
      if (verdict == nullptr) {
        row.push_back({"error", Outcome::error});
        continue;
      }
      const bool promoted = std::ranges::count(department.promotion.candidates, candidate.id) > 0;
      auto word = std::string(to_string(verdict->outcome));
      if (verdict->outcome == Outcome::pass) word += promoted ? ", promoted" : ", not promoted";
      if (verdict->outcome == Outcome::fail) word += ", held back";
      row.push_back({word, verdict->outcome});
      if (verdict->outcome != Outcome::pass && verdict->outcome != Outcome::skipped) {
        reasons += fmt::format("  {} in {}: {}\n", candidate.id, department.name, verdict->reason);
      }
    }
    rows.push_back(std::move(row));
  }
  auto text = table(rows);
  if (!reasons.empty()) text += "\nHeld back:\n" + reasons;
  for (const auto& department : record.departments) {
    if (department.error) text += fmt::format("\n{}: {}: {}\n", department.name, to_string(department.error->error_class), department.error->message);
    if (department.promotion.outcome == "promoted") {
      text += fmt::format("\n{}: {} candidates in {}", department.name, department.promotion.candidates.size(), department.promotion.stage);
    } else if (!department.promotion.reasons.empty()) {
      text += fmt::format("\n{}: {}: {}", department.name, department.promotion.outcome, fmt::join(department.promotion.reasons, "; "));
    }
  }
  if (record.error) text += fmt::format("\n{}: {}\n", to_string(record.error->error_class), record.error->message);
  text += fmt::format("\n\nrun {}, {:.0f} s, peak memory {:.1f} GiB\nreport: {}\n", record.id, static_cast<double>(record.duration_ms) / 1000.0,
                      static_cast<double>(record.peak_memory_kib) / (1024.0 * 1024.0), (folder / "report.html").string());
  return text;
}

}  // namespace patchlab::cli
