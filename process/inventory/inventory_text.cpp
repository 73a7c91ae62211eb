// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/csv_cell.hpp"
#include "lab/core/printable.hpp"
#include "process/inventory/inventory.hpp"

namespace patchlab::process {
namespace {

Json answers_json(const Answers& answers) {
  Json rows = Json::array();
  for (const auto& row : answers.rows) {
    rows.push_back({{"machine", row.machine},
                    {"department", row.department},
                    {"state", to_string(row.state)},
                    {"counts", counts(answers.question, row.state)},
                    {"version", row.version},
                    {"observed", row.observed},
                    {"from", row.from},
                    {"why", row.why}});
  }
  Json left_out = Json::array();
  for (const auto& one : answers.left_out)
    left_out.push_back({{"machine", one.machine}, {"department", one.department}, {"why", one.why}});
  return {{"kind", answers.question.kind == Question::Kind::without ? "without" : "versions"},
          {"what", answers.question.what},
          {"version", answers.question.version},
          {"count", answers.count()},
          {"unknown", answers.unknown()},
          {"rows", std::move(rows)},
          {"left_out", std::move(left_out)}};
}

}  // namespace

void to_json(Json& json, const InventoryResult& result) {
  Json sources = Json::array();
  for (const auto& one : result.sources) {
    sources.push_back({{"file", one.file},
                       {"sha256", one.sha256},
                       {"format", one.format},
                       {"machines", one.machines},
                       {"not_read", one.not_read}});
  }
  Json machines = Json::array();
  for (const auto& one : result.machines) {
    machines.push_back({{"name", one.name},
                        {"listed_in", one.listed_in},
                        {"addresses", one.addresses},
                        {"departments", one.departments},
                        {"roles", one.roles},
                        {"systems", one.systems},
                        {"in_service", one.in_service},
                        {"tested_as", one.tested_as},
                        {"answers", one.answers ? Json(*one.answers) : Json()},
                        {"reported", one.reported}});
  }
  Json findings = Json::array();
  for (const auto& one : result.findings)
    findings.push_back(
        {{"kind", to_string(one.kind)}, {"subject", one.subject}, {"why", one.why}, {"places", one.places}});
  Json answers = Json::array();
  for (const auto& one : result.answers) answers.push_back(answers_json(one));
  json = {{"clean", result.clean()},
          {"asked", {{"who_answers", result.asked_who_answers}, {"reports", result.asked_reports}}},
          {"answering", result.answering},
          {"said", result.said},
          {"sources", std::move(sources)},
          {"machines", std::move(machines)},
          {"findings", std::move(findings)},
          {"answers", std::move(answers)}};
}

std::string inventory_csv(const InventoryResult& result) {
  if (result.answers.empty()) {
    std::string text = "finding,subject,why,places\n";
    for (const auto& one : result.findings)
      text += csv_line({to_string(one.kind), one.subject, one.why, listed(one.places, " | ")});
    return text;
  }
  std::string text = "question,machine,department,state,counts,version,observed,from,why\n";
  for (const auto& answers : result.answers) {
    for (const auto& row : answers.rows)
      text +=
          csv_line({answers.question.text(), row.machine, row.department, to_string(row.state),
                    counts(answers.question, row.state) ? "yes" : "no", row.version, row.observed, row.from, row.why});
    for (const auto& one : answers.left_out)
      text +=
          csv_line({answers.question.text(), one.machine, one.department, "not-in-service", "no", "", "", "", one.why});
    // Machines may be missing here.
    for (const auto& one : result.findings) {
      if (one.kind == InventoryFindingKind::not_whole)
        text += csv_line({answers.question.text(), "", "", to_string(one.kind), "no", "", "", one.subject, one.why});
    }
  }
  return text;
}

}  // namespace patchlab::process
