// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/matrix.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "lab/core/binomial_bound.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::runners {
namespace {

bool is_fault(const FaultResult& result) { return result.expected != Expected::clean; }

std::set<std::string> means_of(const FaultResult& result) {
  std::set<std::string> means(result.failed_by.begin(), result.failed_by.end());
  means.insert(result.reviewed_by.begin(), result.reviewed_by.end());
  return means;
}

template <class NameOf>
std::vector<DetectionRow> rows_by(const std::vector<FaultResult>& faults, const NameOf& name_of) {
  std::vector<DetectionRow> rows;
  for (const auto& result : faults) {
    if (!is_fault(result)) continue;
    auto row = std::ranges::find(rows, name_of(result), &DetectionRow::name);
    if (row == rows.end()) row = rows.insert(rows.end(), DetectionRow{.name = name_of(result)});
    ++row->faults;
    row->duration_ms += result.duration_ms;
    switch (result.found) {
      case Found::failed: ++row->failed; break;
      case Found::review: ++row->reviewed; break;
      case Found::passed: ++row->missed; break;
      case Found::not_made:
      case Found::lab_error:
      case Found::not_run: ++row->untold; break;
    }
    for (const auto& means : means_of(result)) ++row->by[means];
    for (const auto& said : result.beside) row->beside[said.set] += said.said == Said::alarm ? 1 : 0;
  }
  return rows;
}

double seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000.0; }

std::string seen_by(const DetectionRow& row) {
  std::vector<std::pair<std::size_t, std::string>> means;
  for (const auto& [name, count] : row.by) means.emplace_back(count, name);
  std::ranges::stable_sort(means, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (const auto& [count, name] : means) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  return text;
}

std::string table_of(const char* heading, const std::vector<DetectionRow>& rows) {
  auto text = fmt::format("{:<18} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7}  {}\n", heading, "FAULTS", "FAILED", "REVIEW",
                          "MISSED", "UNTOLD", "S EACH", "SEEN BY");
  for (const auto& row : rows) {
    text += fmt::format("{:<18} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7.1f}  {}\n", row.name, row.faults, row.failed,
                        row.reviewed, row.missed, row.untold,
                        seconds(row.duration_ms) / static_cast<double>(row.faults), seen_by(row));
  }
  return text;
}

// One line for each that needs to be named.
std::string named(const std::vector<FaultResult>& faults) {
  std::string text;
  const auto say = [&](const char* word, const FaultResult& result, const std::string& more) {
    text += fmt::format("{} {}: {}\n", word, result.id, more);
  };
  for (const auto& result : faults) {
    if (is_missed(result))
      say("missed", result, result.what);
    else if (!tells_something(result))
      say(to_string(result.found), result, result.why.empty() ? result.what : printable(result.why));
    else if (is_fault(result) && !is_as_expected(result))
      say("weaker", result,
          fmt::format("must fail, and was sent to review by {}", fmt::join(result.reviewed_by, ", ")));
    else if (!is_fault(result) && result.found == Found::failed)
      say("false alarm", result, fmt::format("failed by {}", fmt::join(result.failed_by, ", ")));
    else if (!is_fault(result) && result.found == Found::review)
      say("false review", result, fmt::format("sent to review by {}", fmt::join(result.reviewed_by, ", ")));
  }
  return text;
}

std::string controls_text(const ControlFigures& controls) {
  if (controls.judged == 0) return "controls without a patch: none was asked for (--aa N)";
  const auto told = controls.judged - controls.errors;
  return fmt::format("controls without a patch: {} of {} failed; with 95 % confidence at most {:.2f} % do; {} errors",
                     controls.failed, told, 100 * upper_bound(controls.failed, told), controls.errors);
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += c;
    }
  }
  return safe;
}

// The darker, the more of the row's faults were seen that way.
std::string heat_cell(std::size_t seen, std::size_t faults) {
  if (seen == 0) return "<td></td>";
  const auto share = static_cast<double>(seen) / static_cast<double>(std::max<std::size_t>(faults, 1));
  return fmt::format("<td style=\"background:hsl(205,70%,{:.0f}%);color:{}\">{}</td>", 92 - 55 * share,
                     share > 0.5 ? "#fff" : "#000", seen);
}

std::string heat_map(const std::string& heading, const std::vector<DetectionRow>& rows) {
  std::set<std::string> means;
  std::set<std::string> sets;
  for (const auto& row : rows) {
    for (const auto& [name, count] : row.by) means.insert(name);
    for (const auto& [name, count] : row.beside) sets.insert(name);
  }
  auto html = fmt::format(
      "<div "
      "class=\"wide\"><table><tr><th>{}</th><th>faults</th><th>failed</th><th>review</th><th>missed</th><th>untold</"
      "th>",
      heading);
  for (const auto& name : means) html += fmt::format("<th>{}</th>", escaped(name));
  for (const auto& name : sets) html += fmt::format("<th>beside: {}</th>", escaped(name));
  html += "</tr>\n";
  for (const auto& row : rows) {
    html += fmt::format("<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>", escaped(row.name),
                        row.faults, row.failed, row.reviewed, row.missed, row.untold);
    for (const auto& name : means) {
      const auto seen = row.by.find(name);
      html += heat_cell(seen == row.by.end() ? 0 : seen->second, row.faults);
    }
    for (const auto& name : sets) {
      const auto seen = row.beside.find(name);
      html += heat_cell(seen == row.beside.end() ? 0 : seen->second, row.faults);
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::vector<std::string> sentences_of(const BesideFigures& beside, const std::vector<SetSummary>& sets) {
  std::vector<std::string> all;
  for (const auto& set : sets) {
    auto text = fmt::format("beside, {}: alarm at {} of {} faults, of which the checks failed {} and saw {}", set.set,
                            set.alarms, set.told, set.failed, set.seen);
    if (set.not_asked > 0) text += fmt::format("; of {} it has nothing to ask", set.not_asked);
    if (set.untold > 0) text += fmt::format("; it could not tell of {} more", set.untold);
    text += fmt::format("; false alarms: {} of {} clean candidates, {} of {} controls", set.clean_alarms, set.clean,
                        set.control_alarms, set.controls);
    all.push_back(std::move(text));
  }
  for (const auto& check : beside.checks) {
    if (check.is_usable) continue;
    all.push_back(fmt::format("beside, {}: {} says nothing about '{}', as all was not well before any patch: {}",
                              check.set, check.name, check.machine, printable(check.said)));
  }
  return all;
}

// Of one candidate: "alarm (check_dns)" for each set.
std::string said_text(const FaultResult& fault, const std::string& between) {
  std::vector<std::string> all;
  for (const auto& said : fault.beside) {
    auto text = fmt::format("{}: {}", said.set, to_string(said.said));
    if (!said.by.empty()) text += fmt::format(" ({})", fmt::join(said.by, ", "));
    all.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(all, between));
}

// What the tables come to, a sentence each.
std::vector<std::string> sentences(const SelftestResult& result) {
  const auto summary = summary_of(result.faults);
  std::vector<std::string> all;
  all.push_back(fmt::format("faults: {} of {} as expected; {} of {} that must fail failed; {} missed; {} tell nothing",
                            summary.as_expected, summary.faults, summary.did_fail, summary.must_fail, summary.missed,
                            summary.faults - summary.told));
  all.push_back(fmt::format("clean candidates: {} of {} failed, {} were sent to review; {} tell nothing",
                            summary.false_fails, summary.clean, summary.false_reviews,
                            summary.clean - summary.clean_told));
  all.push_back(controls_text(result.controls));
  for (auto& sentence : sentences_of(result.beside, sets_of(result))) all.push_back(std::move(sentence));
  const auto count = summary.faults + summary.clean;
  if (count > 0) {
    all.push_back(fmt::format("time: {:.1f} s for each candidate; seed {}",
                              seconds(summary.duration_ms) / static_cast<double>(count), result.seed));
  }
  if (!result.error.empty()) all.push_back(fmt::format("the lab: {}", printable(result.error)));
  return all;
}

constexpr const char* page_head = R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>patchlab selftest</title>
<style>body{font:14px sans-serif;margin:1.5em}table{border-collapse:collapse;margin:1em 0}
td,th{border:1px solid #999;padding:.2em .5em;text-align:left;vertical-align:top}.wide{overflow-x:auto}
.worse{background:#fde7e3}
@media(max-width:45em){.list,.list tbody{display:block}.list tr{display:block;border:1px solid #999;margin:.5em 0}.list th,.list td{display:block;border:0}
.list tr:first-child{display:none}.list td::before{content:attr(data-what)}}</style></head>
<body>
<h1>What the checks see of the fault corpus</h1>
)";

}  // namespace

std::vector<DetectionRow> rows_by_role(const std::vector<FaultResult>& faults) {
  return rows_by(faults, [](const FaultResult& result) { return result.role; });
}

std::vector<DetectionRow> rows_by_time(const std::vector<FaultResult>& faults) {
  return rows_by(faults, [](const FaultResult& result) { return result.when; });
}

SelftestSummary summary_of(const std::vector<FaultResult>& faults) {
  SelftestSummary summary;
  for (const auto& result : faults) {
    const bool told = tells_something(result);
    summary.duration_ms += result.duration_ms;
    if (!is_fault(result)) {
      ++summary.clean;
      summary.clean_told += told ? 1 : 0;
      summary.false_fails += result.found == Found::failed ? 1 : 0;
      summary.false_reviews += result.found == Found::review ? 1 : 0;
      continue;
    }
    ++summary.faults;
    summary.told += told ? 1 : 0;
    summary.as_expected += is_as_expected(result) ? 1 : 0;
    summary.missed += is_missed(result) ? 1 : 0;
    if (!told || result.expected != Expected::fail) continue;
    ++summary.must_fail;
    summary.did_fail += result.found == Found::failed ? 1 : 0;
  }
  return summary;
}

std::vector<SetSummary> sets_of(const SelftestResult& result) {
  std::vector<SetSummary> sets;
  for (const auto& controls : result.beside.controls) {
    SetSummary set{.set = controls.set, .controls = controls.told, .control_alarms = controls.alarms};
    for (const auto& fault : result.faults) {
      const auto said = std::ranges::find(fault.beside, set.set, &SetResult::set);
      if (said == fault.beside.end()) continue;
      const bool alarm = said->said == Said::alarm;
      if (!is_fault(fault)) {
        if (said->said == Said::untold || said->said == Said::not_asked) continue;
        ++set.clean;
        set.clean_alarms += alarm ? 1 : 0;
      } else if (said->said == Said::untold) {
        ++set.untold;
      } else {
        ++set.told;
        set.alarms += alarm ? 1 : 0;
        set.not_asked += said->said == Said::not_asked ? 1 : 0;
        set.failed += fault.found == Found::failed ? 1 : 0;
        set.seen += fault.found == Found::failed || fault.found == Found::review ? 1 : 0;
      }
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

namespace {

Json beside_json(const std::vector<SetResult>& beside) {
  Json list = Json::array();
  for (const auto& said : beside) list.push_back({{"set", said.set}, {"said", to_string(said.said)}, {"by", said.by}});
  return list;
}

Json beside_json(const SelftestResult& result) {
  Json checks = Json::array();
  for (const auto& check : result.beside.checks) {
    checks.push_back({{"machine", check.machine},
                      {"set", check.set},
                      {"name", check.name},
                      {"program", check.program},
                      {"sha256", check.sha256},
                      {"usable", check.is_usable},
                      {"said", check.said}});
  }
  Json sets = Json::array();
  for (const auto& set : sets_of(result)) {
    sets.push_back({{"set", set.set},
                    {"told", set.told},
                    {"alarms", set.alarms},
                    {"not_asked", set.not_asked},
                    {"failed", set.failed},
                    {"seen", set.seen},
                    {"untold", set.untold},
                    {"clean", set.clean},
                    {"clean_alarms", set.clean_alarms},
                    {"controls", set.controls},
                    {"control_alarms", set.control_alarms}});
  }
  return {{"checks", checks}, {"sets", sets}};
}

}  // namespace

Json selftest_json(const SelftestResult& result) {
  Json faults = Json::array();
  for (const auto& fault : result.faults) {
    faults.push_back({{"id", fault.id},
                      {"role", fault.role},
                      {"what", fault.what},
                      {"when", fault.when},
                      {"expected", to_string(fault.expected)},
                      {"found", to_string(fault.found)},
                      {"as_expected", is_as_expected(fault)},
                      {"failed_by", fault.failed_by},
                      {"reviewed_by", fault.reviewed_by},
                      {"why", fault.why},
                      {"trial", fault.trial},
                      {"duration_ms", fault.duration_ms}});
    if (!fault.beside.empty()) faults.back()["beside"] = beside_json(fault.beside);
  }
  const auto summary = summary_of(result.faults);
  const auto& controls = result.controls;
  const auto told = controls.judged - controls.errors;
  Json json{{"run", result.run},
            {"started", result.started},
            {"seed", result.seed},
            {"error", result.error},
            {"host", result.host},
            {"faults", faults},
            {"summary",
             {{"faults", summary.faults},
              {"told", summary.told},
              {"as_expected", summary.as_expected},
              {"must_fail", summary.must_fail},
              {"did_fail", summary.did_fail},
              {"missed", summary.missed},
              {"clean", summary.clean},
              {"clean_told", summary.clean_told},
              {"false_fails", summary.false_fails},
              {"false_reviews", summary.false_reviews},
              {"duration_ms", summary.duration_ms}}},
            {"controls",
             {{"judged", controls.judged},
              {"failed", controls.failed},
              {"errors", controls.errors},
              {"facts", controls.facts},
              {"at_most_ppm", std::llround(1e6 * upper_bound(controls.failed, told))}}}};
  if (!result.beside.checks.empty()) json["beside"] = beside_json(result);
  return json;
}

std::string selftest_text(const SelftestResult& result) {
  std::string text;
  if (std::ranges::any_of(result.faults, is_fault))
    text +=
        table_of("ROLE", rows_by_role(result.faults)) + "\n" + table_of("SHOWS", rows_by_time(result.faults)) + "\n";
  text += named(result.faults);
  for (const auto& sentence : sentences(result)) text += sentence + "\n";
  return text;
}

std::string selftest_html(const SelftestResult& result) {
  std::string html = page_head;
  html += fmt::format("<p>Run {}, {}, seed {}.</p>\n<ul>\n", escaped(result.run), escaped(result.started), result.seed);
  for (const auto& sentence : sentences(result)) html += fmt::format("<li>{}</li>\n", escaped(sentence));
  html += "</ul>\n" + heat_map("role", rows_by_role(result.faults)) + heat_map("shows", rows_by_time(result.faults));
  html += "<table class=\"list\"><tr><th>candidate</th><th>what</th><th>expected</th><th>found</th><th>by</th>";
  const bool others = !result.beside.checks.empty();
  html += others ? "<th>beside</th></tr>\n" : "</tr>\n";
  for (const auto& fault : result.faults) {
    html += fmt::format(
        "<tr{}><th>{}</th><td>{}</td><td data-what=\"expected: \">{}</td><td data-what=\"found: \">{}</td>"
        "<td data-what=\"by: \">{}</td>",
        is_as_expected(fault) ? "" : " class=\"worse\"", escaped(fault.id), escaped(fault.what),
        to_string(fault.expected), to_string(fault.found),
        escaped(tells_something(fault) ? fmt::format("{}", fmt::join(means_of(fault), ", ")) : fault.why));
    if (others) html += fmt::format("<td data-what=\"beside: \">{}</td>", escaped(said_text(fault, "; ")));
    html += "</tr>\n";
  }
  return html + "</table>\n</body>\n</html>\n";
}

}  // namespace patchlab::runners
