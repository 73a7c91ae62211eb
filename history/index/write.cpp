// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/write.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "history/index/run_sums.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/exit_code.hpp"
#include "lab/core/json.hpp"
#include "promotion/chain/line.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/run_exit_code.hpp"

namespace patchlab::history {
namespace {

using Row = Database::Row;

constexpr std::size_t longest_text = 2000;

std::string number_of(auto value) { return std::to_string(static_cast<long long>(value)); }
std::string yes(bool value) { return value ? "1" : "0"; }

std::string together(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

// "insert into t (a, b) values (:a, :b)"
std::string insert_into(const char* table, const std::vector<const char*>& columns) {
  return fmt::format("insert into {} ({}) values (:{})", table, fmt::join(columns, ", "), fmt::join(columns, ", :"));
}
// The same, but where the first `keys` columns are there already, the others are added to them.
std::string add_to(const char* table, const std::vector<const char*>& columns, std::ptrdiff_t keys) {
  std::vector<std::string> sums;
  for (auto at = columns.begin() + keys; at != columns.end(); ++at)
    sums.push_back(fmt::format("{0} = {1}.{0} + excluded.{0}", *at, table));
  return fmt::format("{} on conflict ({}) do update set {}", insert_into(table, columns),
                     fmt::join(columns.begin(), columns.begin() + keys, ", "), fmt::join(sums, ", "));
}

Row stored(Row row) {
  for (auto& text : row) text = storable(text);
  return row;
}

std::string word_of(ExitCode code) { return std::ranges::find(exit_codes, code, &ExitCodeMeaning::code)->word; }

std::string result_of(const reports::RunRecord& record) {
  if (record.error && record.error->error_class == ErrorClass::cancelled) return "cancelled";
  return word_of(reports::exit_code_for(record));
}

// Decisions, promotions and refusals: whose set is to be known.
bool names_a_set(const LedgerEvent& event) {
  const auto kind = promotion::chain_kind_from(event.kind);
  if (!kind || event.run.empty() || event.set.empty()) return false;
  const auto family = family_of(*kind);
  return family == promotion::ChainFamily::people || family == promotion::ChainFamily::promotion;
}

}  // namespace

std::string storable(const std::string& text) {
  auto good = to_valid_utf8(text);
  if (good.size() > longest_text) {
    auto end = longest_text;
    while (end > 0 && (static_cast<unsigned char>(good[end]) & 0xc0U) == 0x80) --end;
    good = good.substr(0, end) + "...";
  }
  for (auto at = good.find('\0'); at != std::string::npos; at = good.find('\0', at))
    good.replace(at, 1, "\xEF\xBF\xBD");
  return good;
}

Result<void> Writer::add_run(const reports::RunRecord& record) {
  std::set<std::string> accelerators;
  std::size_t passed = 0, failed = 0, undecided = 0;
  for (const auto& department : record.departments) {
    if (auto one = accelerator_of(record, department.name); !one.empty()) accelerators.insert(std::move(one));
    for (const auto& verdict : department.verdicts) {
      switch (verdict.outcome) {
        case Outcome::pass: ++passed; break;
        case Outcome::fail: ++failed; break;
        case Outcome::error:
        case Outcome::not_reached: ++undecided; break;
        case Outcome::skipped: break;
      }
    }
  }
  const auto result = result_of(record);
  static const auto sql = insert_into("run", {"id", "digest", "month", "started", "finished", "duration_ms", "scenario",
                                              "title", "scenario_digest", "tool", "accelerator", "result", "complete",
                                              "good", "departments", "candidates", "passed", "failed", "undecided"});
  PATCHLAB_TRY(database_.run(
      sql, stored({record.id, reports::run_object(record), month_of(record), record.started, record.finished,
                   number_of(record.duration_ms), record.scenario_name, record.scenario_title, record.scenario_digest,
                   record.tool_version, fmt::format("{}", fmt::join(accelerators, ", ")), result, yes(record.complete),
                   yes(record.complete && result == word_of(ExitCode::ok)), number_of(record.departments.size()),
                   number_of(record.candidates.size()), number_of(passed), number_of(failed), number_of(undecided)})));
  static const auto fact = insert_into("run_fact", {"run", "kind", "name", "value"});
  for (const auto& [name, value] : record.host)
    PATCHLAB_TRY(database_.run(fact, stored({record.id, "host", name, value})));
  for (const auto& [name, value] : record.digests)
    PATCHLAB_TRY(database_.run(fact, stored({record.id, "digest", name, value})));
  for (const auto& department : record.departments) {
    const auto carrying = reports::carrying_of(record, department.name);
    if (carrying.is_carried())
      PATCHLAB_TRY(database_.run(fact, stored({record.id, "carried", department.name, carrying.tested_in})));
  }
  if (record.foreseen)
    PATCHLAB_TRY(
        database_.run(fact, stored({record.id, "foreseen", "makespan_ms", number_of(record.foreseen->makespan_ms)})));
  static const auto candidate =
      insert_into("candidate", {"run", "id", "place", "digest", "title", "severity", "kind", "origin"});
  for (std::size_t i = 0; i < record.candidates.size(); ++i) {
    const auto& one = record.candidates[i];
    PATCHLAB_TRY(database_.run(candidate, stored({record.id, one.id, number_of(i), one.digest, one.title, one.severity,
                                                  one.kind, one.origin})));
  }
  return {};
}

Result<void> Writer::add_machine(const std::string& run, const std::string& department,
                                 const reports::MachineRecord& machine) {
  DigestBuilder builder;
  for (const auto& id : machine.checks) {
    const auto digest = machine.check_digests.find(id);
    builder.add(id).add(digest == machine.check_digests.end() ? "" : digest->second);
  }
  const auto list = builder.finish();
  static const auto sql = insert_into(
      "machine", {"run", "department", "name", "role", "golden", "golden_digest", "state_digest", "checks"});
  PATCHLAB_TRY(database_.run(sql, stored({run, department, machine.name, machine.role, machine.golden,
                                          machine.golden_digest, machine.state_digest, list})));
  if (!check_lists_.insert(list).second) return {};
  static const auto check =
      insert_into("check_list", {"digest", "id", "check_digest"}) + " on conflict (digest, id) do nothing";
  for (const auto& id : machine.checks) {
    const auto digest = machine.check_digests.find(id);
    PATCHLAB_TRY(database_.run(check, stored({list, id, digest == machine.check_digests.end() ? "" : digest->second})));
  }
  return {};
}

Result<void> Writer::add_verdict(const reports::RunRecord& record, const std::string& department,
                                 const reports::VerdictRecord& verdict) {
  static const auto sql = insert_into("verdict", {"run", "department", "candidate", "outcome", "reason", "failed",
                                                  "together_with", "machines", "known_from", "removal"});
  PATCHLAB_TRY(database_.run(sql, stored({record.id, department, verdict.candidate, to_string(verdict.outcome),
                                          verdict.reason, together(verdict.failed), together(verdict.group),
                                          together(verdict.machines), verdict.known_from, verdict.removal})));
  static const auto effect = insert_into("verdict_effect", {"run", "department", "candidate", "effect"});
  if (!verdict.effect.empty())
    PATCHLAB_TRY(database_.run(effect, stored({record.id, department, verdict.candidate, verdict.effect})));
  static const auto count =
      add_to("verdict_count", {"month", "scenario", "department", "candidate", "outcome", "n"}, 5);
  return database_.run(count, stored({month_of(record), record.scenario_name, department, verdict.candidate,
                                      to_string(verdict.outcome), "1"}));
}

Result<void> Writer::add_department(const reports::RunRecord& record, const reports::DepartmentRecord& department) {
  for (const auto& machine : department.machines) PATCHLAB_TRY(add_machine(record.id, department.name, machine));
  for (const auto& verdict : department.verdicts) PATCHLAB_TRY(add_verdict(record, department.name, verdict));
  return {};
}

Result<void> Writer::add_sums(const reports::RunRecord& record) {
  const auto month = month_of(record);
  static const auto checks = add_to("check_count",
                                    {"month", "scenario", "department", "machine", "role", "id", "asked", "asked_again",
                                     "disagreed", "between_trials", "bare", "bare_failed", "errors"},
                                    6);
  for (const auto& [key, sums] : check_sums_of(record)) {
    PATCHLAB_TRY(database_.run(
        checks,
        stored({month, record.scenario_name, key.department, key.machine, key.role, key.id, number_of(sums.asked),
                number_of(sums.asked_again), number_of(sums.disagreed), number_of(sums.between_trials),
                number_of(sums.bare), number_of(sums.bare_failed), number_of(sums.errors)})));
  }
  static const auto durations =
      add_to("duration_count", {"month", "scenario", "accelerator", "role", "kind", "step", "ms", "n"}, 7);
  for (const auto& [key, n] : durations_of(record)) {
    for (const auto& one : {month, std::string()})
      PATCHLAB_TRY(database_.run(durations, stored({one, record.scenario_name, key.accelerator, key.role, key.kind,
                                                    key.step, number_of(key.ms), number_of(n)})));
  }
  return {};
}

Result<void> Writer::add_tried(const reports::RunRecord& record) {
  static const auto sql = insert_into(
      "tried", {"run", "department", "candidate", "role", "started", "finished", "digest", "kind", "source", "products",
                "outcome", "accelerator", "measured", "install_ms", "restart_ms", "restarts", "asked"});
  for (const auto& row : tried_in(record)) {
    const auto times = row.times.value_or(TriedTimes{});
    PATCHLAB_TRY(database_.run(
        sql, stored({row.run, row.department, row.candidate, row.role, row.started, row.finished, row.digest, row.kind,
                     row.source, fmt::format("{}", fmt::join(row.products, "\n")), to_string(row.outcome),
                     row.accelerator, yes(row.times.has_value()), number_of(times.install_ms),
                     number_of(times.restart_ms), number_of(times.restarts), yes(times.asked)})));
  }
  return {};
}

Result<void> Writer::add(const reports::RunRecord& record) {
  PATCHLAB_TRY(add_run(record));
  for (const auto& department : record.departments) PATCHLAB_TRY(add_department(record, department));
  PATCHLAB_TRY(add_sums(record));
  PATCHLAB_TRY(add_tried(record));
  return name_candidates(record);
}

Result<void> Writer::name_candidates(const reports::RunRecord& record) {
  const auto run = reports::run_object(record);
  PATCHLAB_ASSIGN(const auto open,
                  database_.rows("select seq, department, set_digest from event where run = :a and named "
                                 "= 0 order by seq",
                                 3, {run}));
  for (const auto& row : open) {
    const auto* set = set_in(record, row[1], row[2]);
    static const auto sql =
        insert_into("event_candidate", {"seq", "candidate"}) + " on conflict (seq, candidate) do nothing";
    if (set != nullptr) {
      for (const auto& candidate : *set) PATCHLAB_TRY(database_.run(sql, stored({row[0], candidate})));
    }
    PATCHLAB_TRY(
        database_.run("update event set named = :named where seq = :seq", {set == nullptr ? "2" : "1", row[0]}));
  }
  return {};
}

Result<void> Writer::add_machines_said(const LedgerEvent& event) {
  // What was observed last counts, whenever it was written down; of two at the same moment the later line.
  static const auto sql =
      insert_into("installed", {"department", "machine", "serial", "candidate", "name", "seq", "observed", "promoted",
                                "found", "state", "since", "source"}) +
      " on conflict (department, machine, serial, candidate, name) do update set seq = excluded.seq, observed = "
      "excluded.observed, promoted = excluded.promoted, found = excluded.found, state = excluded.state, since = "
      "excluded.since, source = excluded.source where excluded.observed >= installed.observed";
  for (const auto& machine : event.machines) {
    for (const auto& row : machine.rows) {
      if (row.candidate.empty()) continue;  // of none that was promoted: `deploy status` tells of it
      PATCHLAB_TRY(database_.run(sql, stored({event.department, machine.machine, number_of(event.serial), row.candidate,
                                              row.name, number_of(event.seq), machine.observed, row.promoted, row.found,
                                              to_string(row.state), row.since, event.source})));
    }
  }
  return {};
}

Result<void> Writer::add(const LedgerEvent& event) {
  static const auto sql =
      insert_into("event", {"seq", "time", "kind", "by_whom", "object", "department", "set_digest", "run", "run_id",
                            "about", "reason", "ticket", "expires", "result", "policy", "serial", "complete", "named"});
  PATCHLAB_TRY(database_.run(
      sql, stored({number_of(event.seq), event.time, event.kind, event.by, event.object, event.department, event.set,
                   event.run, event.run_id, event.about, event.reason, event.ticket, event.expires, event.result,
                   event.policy, number_of(event.serial), yes(event.complete), names_a_set(event) ? "0" : "1"})));
  return add_machines_said(event);
}

}  // namespace patchlab::history
