// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/overviews.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "lab/core/outcome.hpp"

namespace patchlab::history {
namespace {

std::int64_t parsed(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

// Into the right one of the sums.
template <class Sums>
void add_outcome(Sums& sums, const std::string& outcome, std::int64_t n) {
  using Number = decltype(sums.passed);
  switch (outcome_from(outcome).value_or(Outcome::not_reached)) {
    case Outcome::pass: sums.passed += static_cast<Number>(n); break;
    case Outcome::fail: sums.failed += static_cast<Number>(n); break;
    case Outcome::error:
    case Outcome::not_reached: sums.undecided += static_cast<Number>(n); break;
    case Outcome::skipped:
      if constexpr (requires { sums.skipped; }) sums.skipped += static_cast<Number>(n);
      break;
  }
}

Result<std::vector<RunVerdict>> verdicts_in(Database& database, const std::string& run) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select v.department, v.candidate, coalesce(c.title, ''), coalesce(c.severity, ''), "
                    "coalesce(c.kind, ''), coalesce(c.digest, ''), v.outcome, v.reason, v.failed, v.together_with, "
                    "v.known_from, v.removal, coalesce(e.effect, '') from verdict v left join candidate c on c.run = "
                    "v.run and c.id = v.candidate left join verdict_effect e on e.run = v.run and e.department = "
                    "v.department and e.candidate = v.candidate where v.run = :run order by v.department, "
                    "coalesce(c.place, 0), v.candidate",
                    13, {run}));
  std::vector<RunVerdict> all;
  for (const auto& row : rows) {
    RunVerdict one;
    std::size_t at = 0;
    for (auto* text : {&one.department, &one.candidate, &one.title, &one.severity, &one.kind, &one.digest, &one.outcome,
                       &one.reason, &one.failed, &one.together_with, &one.known_from, &one.removal, &one.effect})
      *text = row[at++];
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::vector<CandidateLine>> lines_about(Database& database, const std::string& run) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select e.seq, e.time, e.kind, e.by_whom, e.department, e.reason, e.ticket, e.expires, e.serial "
                    "from event e where e.run_id = :id or e.run = (select digest from run where id = :same) order by "
                    "e.seq",
                    9, {run, run}));
  std::vector<CandidateLine> lines;
  for (const auto& row : rows) {
    CandidateLine line;
    line.seq = static_cast<std::uint64_t>(parsed(row[0]));
    line.time = row[1];
    line.kind = row[2];
    line.by = row[3];
    line.department = row[4];
    line.run = run;
    line.reason = row[5];
    line.ticket = row[6];
    line.expires = row[7];
    line.serial = static_cast<std::uint64_t>(parsed(row[8]));
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

Result<std::optional<RunDetails>> run_details(Database& database, const std::string& id) {
  PATCHLAB_ASSIGN(auto found, find_run(database, id));
  if (!found) return std::optional<RunDetails>();
  RunDetails details;
  details.run = std::move(*found);
  PATCHLAB_ASSIGN(details.verdicts, verdicts_in(database, id));
  PATCHLAB_ASSIGN(const auto machines,
                  database.rows("select department, name, role, golden from machine where run = :run order by "
                                "department, name",
                                4, {id}));
  for (const auto& row : machines) details.machines.push_back({row[0], row[1], row[2], row[3]});
  PATCHLAB_ASSIGN(details.lines, lines_about(database, id));
  return std::optional(std::move(details));
}

Result<CandidatesAnswer> candidates(Database& database, std::size_t most, std::size_t skip) {
  CandidatesAnswer answer;
  PATCHLAB_ASSIGN(const auto all, database.rows("select count(distinct candidate) from verdict_count", 1));
  answer.of = static_cast<std::size_t>(parsed(all[0][0]));
  const auto few = fmt::format(
      "select candidate, max(month) as newest from verdict_count group by candidate order by max(month) desc, "
      "candidate "
      "limit {} offset {}",
      most, skip);
  PATCHLAB_ASSIGN(const auto some, database.rows(few, 2));
  PATCHLAB_ASSIGN(
      const auto sums,
      database.rows(fmt::format("select candidate, outcome, cast(sum(n) as bigint) from verdict_count where "
                                "candidate in (select candidate from ({}) as few) group by candidate, outcome",
                                few),
                    3));
  for (const auto& one : some) {
    CandidateRow row;
    row.id = one[0];
    row.month = one[1];
    for (const auto& sum : sums) {
      if (sum[0] == row.id) add_outcome(row, sum[1], parsed(sum[2]));
    }
    PATCHLAB_ASSIGN(const auto named, database.rows("select title, severity, kind from candidate where id = :id order "
                                                    "by run desc limit 1",
                                                    3, {row.id}));
    if (!named.empty()) {
      row.title = named[0][0];
      row.severity = named[0][1];
      row.kind = named[0][2];
    }
    answer.candidates.push_back(std::move(row));
  }
  return answer;
}

Result<std::vector<DepartmentRow>> departments(Database& database) {
  PATCHLAB_ASSIGN(const auto names,
                  database.rows("select distinct department from verdict_count order by department", 1));
  std::vector<DepartmentRow> all;
  for (const auto& name : names) {
    DepartmentRow row;
    row.name = name[0];
    PATCHLAB_ASSIGN(const auto newest,
                    database.rows("select r.id, r.started, r.complete from run r where exists (select 1 from verdict v "
                                  "where v.run = r.id and v.department = :department) order by r.started desc, r.id "
                                  "desc limit 1",
                                  3, {row.name}));
    if (!newest.empty()) {
      row.run = newest[0][0];
      row.started = newest[0][1];
      row.complete = parsed(newest[0][2]) != 0;
      PATCHLAB_ASSIGN(const auto sums, database.rows("select outcome, count(*) from verdict where run = :run and "
                                                     "department = :department group by outcome",
                                                     2, {row.run, row.name}));
      for (const auto& sum : sums) add_outcome(row, sum[0], parsed(sum[1]));
      PATCHLAB_ASSIGN(const auto carried, database.rows("select value from run_fact where run = :run and kind = "
                                                        "'carried' and name = :department",
                                                        1, {row.run, row.name}));
      if (!carried.empty()) row.tested_in = carried[0][0];
    }
    all.push_back(std::move(row));
  }
  return all;
}

Result<std::vector<FailedVerdict>> failed_in_newest(Database& database, const std::vector<DepartmentRow>& departments) {
  std::vector<FailedVerdict> all;
  for (const auto& department : departments) {
    const auto& tested = department.tested_in.empty() ? department.name : department.tested_in;
    PATCHLAB_ASSIGN(
        const auto rows,
        database.rows("select candidate, reason, failed, machines, known_from from verdict where run = :run "
                      "and department = :department and outcome = :outcome order by candidate",
                      5, {department.run, tested, to_string(Outcome::fail)}));
    for (const auto& row : rows)
      all.push_back({department.name, row[0], department.run, department.started, row[1], row[2], row[3], row[4],
                     department.tested_in});
  }
  return all;
}

}  // namespace patchlab::history
