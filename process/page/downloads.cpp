// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/downloads.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/csv_cell.hpp"
#include "lab/core/time.hpp"
#include "process/page/compliance.hpp"
#include "process/page/standing.hpp"

namespace patchlab::process::page {
namespace {

constexpr std::array<ReportKind, 5> kinds{{
    {"patch-status", "Patch status", "each department in each of the six steps, with the reason"},
    {"missing", "Missing updates",
     "each update that a golden machine lacks, or of which nobody knows, with its due date"},
    {"vulnerable", "Vulnerable machines",
     "each machine with each vulnerability that an update would close, and how many have no fix"},
    {"success", "Success rates", "how often patches passed, for each month, department and patch"},
    {"compliance", "Compliance",
     "PCI DSS, NIST SP 800-40 and ISO 27001: the evidence that there is, and what the tool cannot prove"},
}};

Report begun(const Facts& facts, const ReportKind& kind) {
  Report report;
  report.name = kind.name;
  report.title = kind.title;
  report.taken = facts.taken;
  return report;
}

const char* word_of(Tone tone) {
  switch (tone) {
    case Tone::good: return "good";
    case Tone::waits: return "waits";
    case Tone::bad: return "bad";
    case Tone::unknown: return "not-known";
    case Tone::plain: return "nothing";
  }
  return "not-known";
}

void add_scan_basis(Report& report, const Facts& facts) {
  report.basis.push_back(fmt::format("scan of {}, scenario {}, {}", facts.scan->day, facts.scan->scenario,
                                     facts.scan->whole ? "whole" : "which does not know everything"));
  for (const auto& one : facts.scan->not_known) report.not_known.push_back(one);
  for (const auto& one : facts.scan->feeds_unusable) report.not_known.push_back("feed " + one);
  if (!scan_says_all(facts)) report.not_known.emplace_back("what is not listed is not said to be well");
}

Known<Report> patch_status(const Facts& facts, const ReportKind& kind) {
  const auto departments = departments_of(facts);
  if (departments.empty()) return Known<Report>::not_known("no department is known");
  auto report = begun(facts, kind);
  report.columns = {"department", "step", "standing", "says", "more"};
  for (const auto& department : departments) {
    for (const auto step : all_steps) {
      const auto standing = standing_of(facts, department, step);
      report.rows.push_back({department, word_of(step), word_of(standing.tone), standing.says, standing.more});
    }
  }
  report.not_known = gaps_of(facts);
  return report;
}

Known<Report> missing(const Facts& facts, const ReportKind& kind) {
  if (!facts.scan) return Known<Report>::not_known(facts.scan.why);
  auto report = begun(facts, kind);
  add_scan_basis(report, facts);
  report.columns = {"department", "machine", "update",   "status",    "why",  "installed",
                    "offered",    "due",     "severity", "exploited", "cves", "warnings"};
  for (const auto& item : facts.scan->items) {
    if (!is_lacking(item) && item.status != "unknown") continue;
    std::vector<std::string> cves;
    for (const auto& one : item.vulnerabilities) cves.push_back(one.cve.empty() ? "no-name" : one.cve);
    report.rows.push_back({item.department, item.machine, item.item, item.status, item.why, item.installed,
                           item.offered, item.due, item.severity, item.is_exploited() ? "yes" : "not-listed",
                           fmt::format("{}", fmt::join(cves, " ")),
                           fmt::format("{}", fmt::join(item.warnings, " | "))});
  }
  return report;
}

Known<Report> vulnerable(const Facts& facts, const ReportKind& kind) {
  if (!facts.scan) return Known<Report>::not_known(facts.scan.why);
  auto report = begun(facts, kind);
  add_scan_basis(report, facts);
  report.columns = {"department", "machine", "cve", "update",   "status", "exploited since", "epss",
                    "since",      "due",     "row", "timeline", "facts",  "without a fix"};
  for (const auto& item : facts.scan->items) {
    const bool lacks = is_lacking(item) || item.status == "unknown";
    if (lacks) {
      for (const auto& one : item.vulnerabilities) {
        report.rows.push_back({item.department, item.machine, one.cve.empty() ? "no-name" : one.cve, item.item,
                               item.status, one.exploited_since, one.epss.empty() ? "not-known" : one.epss, one.since,
                               one.due, one.row, one.timeline, one.facts, ""});
      }
    }
    if (item.open > 0) {
      report.rows.push_back({item.department, item.machine, fmt::format("{}", fmt::join(item.open_exploited, " ")),
                             item.item, "open", item.open_exploited.empty() ? "" : "listed", "", "", "", "", "", "",
                             std::to_string(item.open)});
    }
    if (item.status == "unknown" && item.vulnerabilities.empty()) {
      report.rows.push_back(
          {item.department, item.machine, "", item.item, "unknown", "", "not-known", "", "", "", item.why, "", ""});
    }
  }
  return report;
}

Known<Report> success(const Facts& facts, const ReportKind& kind, const Known<history::TrendAnswer>& trend) {
  if (!trend) return Known<Report>::not_known(trend.why);
  auto report = begun(facts, kind);
  if (facts.history) {
    report.basis.push_back(fmt::format("{} runs in the index {}", facts.history->size.runs, facts.history->place));
    for (const auto& one : facts.history->left_out)
      report.not_known.push_back(
          fmt::format("'{}' is not in it: {}", one.folder, one.unfinished ? "it has no record" : one.problem));
  }
  report.columns = {"month", "department", "candidate", "passed", "failed", "undecided", "skipped", "success"};
  for (const auto& row : trend->rows) {
    const auto part = row.success();
    report.rows.push_back({row.month, row.department, row.candidate, std::to_string(row.passed),
                           std::to_string(row.failed), std::to_string(row.undecided), std::to_string(row.skipped),
                           part ? fmt::format("{:.4f}", *part) : ""});
  }
  return report;
}

Known<Report> compliance(const Facts& facts, const ReportKind& kind) {
  auto report = begun(facts, kind);
  report.basis.emplace_back("the words of the requirements are shortened; the standards themselves decide");
  report.columns = {"standard", "requirement", "says", "evidence", "figures", "cannot prove"};
  for (const auto& item : compliance_of(facts)) {
    report.rows.push_back({item.standard, item.requirement, item.is_known ? "evidence" : "not-known", item.evidence,
                           fmt::format("{}", fmt::join(item.figures, " | ")), item.cannot_prove});
  }
  report.not_known = gaps_of(facts);
  return report;
}

}  // namespace

std::span<const ReportKind> report_kinds() { return kinds; }

std::optional<Known<Report>> report_of(const Facts& facts, const std::string& name,
                                       const Known<history::TrendAnswer>& by_candidate) {
  const auto found = std::ranges::find_if(kinds, [&](const auto& kind) { return name == kind.name; });
  if (found == kinds.end()) return std::nullopt;
  if (name == "patch-status") return patch_status(facts, *found);
  if (name == "missing") return missing(facts, *found);
  if (name == "vulnerable") return vulnerable(facts, *found);
  if (name == "success") return success(facts, *found, by_candidate);
  return compliance(facts, *found);
}

std::string report_csv(const Report& report) {
  auto text = csv_line(report.columns);
  for (const auto& row : report.rows) text += csv_line(row);
  return text;
}

Json report_json(const Report& report) {
  Json rows = Json::array();
  for (const auto& row : report.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < report.columns.size(); ++i) object[report.columns[i]] = to_valid_utf8(row[i]);
    rows.push_back(std::move(object));
  }
  return {{"schema", "patchlab/page-report/v1"}, {"report", report.name},  {"title", report.title},
          {"taken", rfc3339(report.taken)},      {"basis", report.basis},  {"not_known", report.not_known},
          {"columns", report.columns},           {"rows", std::move(rows)}};
}

std::string file_name_of(const Report& report, const std::string& format) {
  std::string time;
  for (const char c : rfc3339(report.taken).substr(0, 19)) {
    if (c != '-' && c != ':') time += c;
  }
  return fmt::format("patchlab-{}-{}Z.{}", report.name, time, format);
}

}  // namespace patchlab::process::page
