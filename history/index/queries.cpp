// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/queries.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/core/binomial_bound.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/text.hpp"

namespace patchlab::history {
namespace {

using Row = Database::Row;

// The cells of a row, one after another.
class Cells {
 public:
  explicit Cells(const Row& row) : row_(row) {}
  std::string text() { return row_[next_++]; }
  std::int64_t number() { return std::strtoll(row_[next_++].c_str(), nullptr, 10); }
  std::size_t count() { return static_cast<std::size_t>(number()); }
  bool yes() { return number() != 0; }

 private:
  const Row& row_;
  std::size_t next_ = 0;
};

// " where month >= :p1 and ...", with the values for it.
class Where {
 public:
  Where& add(const std::string& condition, const std::string& value) {
    if (value.empty()) return *this;
    values_.push_back(value);
    text_ += fmt::format("{}{} :p{}", text_.empty() ? " where " : " and ", condition, values_.size());
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const Row& values() const { return values_; }

 private:
  std::string text_;
  Row values_;
};

Where within(const Scope& scope) {
  Where where;
  where.add("scenario =", scope.scenario).add("month >=", scope.since).add("month <=", scope.until);
  return where;
}

Result<std::vector<std::string>> column(Database& database, const std::string& sql) {
  PATCHLAB_ASSIGN(const auto rows, database.rows(sql, 1));
  std::vector<std::string> all;
  for (const auto& row : rows) all.push_back(Cells(row).text());
  return all;
}

std::optional<double> part(std::int64_t some, std::int64_t of) {
  if (of <= 0) return std::nullopt;
  return static_cast<double>(some) / static_cast<double>(of);
}

Json or_null(const auto& value) { return value ? Json(*value) : Json(); }

}  // namespace

Result<std::vector<LeftOut>> left_out(Database& database) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select folder, problem, state from source where state <> 'indexed' order by folder", 3));
  std::vector<LeftOut> all;
  for (const auto& row : rows) {
    Cells cells(row);
    LeftOut one;
    for (auto* text : {&one.folder, &one.problem}) *text = cells.text();
    one.unfinished = cells.text() == "unfinished";
    all.push_back(std::move(one));
  }
  return all;
}

Result<IndexSize> size_of(Database& database) {
  PATCHLAB_ASSIGN(const auto rows, database.rows("select (select count(*) from run), (select count(*) from event)", 2));
  Cells cells(rows[0]);
  return IndexSize{cells.count(), cells.count()};
}

Result<std::vector<std::string>> scenarios_in(Database& database) {
  return column(database, "select distinct scenario from run order by scenario");
}
Result<std::vector<std::string>> candidates_in(Database& database) {
  return column(database, "select distinct id from candidate order by id");
}

namespace {

// Of one run after another, in the order of departments.
Result<std::map<std::string, std::vector<RunPromotion>>> promotions_of(Database& database, const std::string& runs,
                                                                       const Row& values) {
  PATCHLAB_ASSIGN(const auto newest,
                  database.rows("select department, cast(max(seq) as bigint) from event where kind = "
                                "'promote-done' group by department",
                                2));
  std::set<std::pair<std::string, std::string>> published;  // department, line
  for (const auto& row : newest) {
    Cells cells(row);
    const auto department = cells.text();
    published.emplace(department, cells.text());
  }
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows(fmt::format("select run, department, serial, seq from event where kind = 'promote-done' "
                                "and run in ({}) order by run, department, seq",
                                runs),
                    4, values));
  std::map<std::string, std::vector<RunPromotion>> all;
  for (const auto& row : rows) {
    Cells cells(row);
    const auto run = cells.text();
    RunPromotion one;
    one.department = cells.text();
    one.serial = cells.count();
    one.published = published.contains({one.department, cells.text()});
    // Once more, after a rollback: the last one counts.
    auto& promotions = all[run];
    if (!promotions.empty() && promotions.back().department == one.department)
      promotions.back() = one;
    else
      promotions.push_back(one);
  }
  return all;
}

}  // namespace

namespace {

// `which`: what follows "from run".
Result<std::vector<RunRow>> run_rows(Database& database, const std::string& which, const Row& values) {
  std::vector<RunRow> runs;
  PATCHLAB_ASSIGN(
      const auto promoted,
      promotions_of(database, "select digest from (select digest, started, id from run" + which + ") as few", values));
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows(
          "select id, digest, started, finished, duration_ms, scenario, title, tool, accelerator, result, "
          "complete, good, departments, candidates, passed, failed, undecided, (select count(*) from source "
          "where source.digest = run.digest), (select coalesce(max(seq), 0) from event where event.run = "
          "run.digest and event.kind = 'run'), (select coalesce(max(value), '') from run_fact where run_fact.run "
          "= run.id and run_fact.kind = 'foreseen' and run_fact.name = 'makespan_ms') from run" +
              which,
          20, values));
  for (const auto& row : rows) {
    Cells cells(row);
    RunRow run;
    run.id = cells.text();
    const auto digest = cells.text();
    run.started = cells.text();
    run.finished = cells.text();
    run.duration_ms = cells.number();
    run.scenario = cells.text();
    run.title = cells.text();
    run.tool = cells.text();
    run.accelerator = cells.text();
    run.result = cells.text();
    run.complete = cells.yes();
    run.good = cells.yes();
    run.departments = cells.count();
    run.candidates = cells.count();
    run.passed = cells.count();
    run.failed = cells.count();
    run.undecided = cells.count();
    run.has_folder = cells.yes();
    run.line = cells.count();
    if (const auto foreseen = cells.text(); !foreseen.empty())
      run.foreseen_ms = std::strtoll(foreseen.c_str(), nullptr, 10);
    if (const auto found = promoted.find(digest); found != promoted.end()) run.promoted = found->second;
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace

Result<RunsAnswer> runs(Database& database, const Scope& scope, std::size_t most, std::size_t skip) {
  RunsAnswer answer;
  const auto where = within(scope);
  PATCHLAB_ASSIGN(const auto all, database.rows("select count(*) from run" + where.text(), 1, where.values()));
  answer.of = Cells(all[0]).count();
  PATCHLAB_ASSIGN(answer.runs, run_rows(database,
                                        fmt::format("{} order by started desc, id desc{}", where.text(),
                                                    most == 0 ? "" : fmt::format(" limit {} offset {}", most, skip)),
                                        where.values()));
  PATCHLAB_ASSIGN(const auto open,
                  database.rows("select run_id, time, by_whom, seq from event b where b.kind = 'begin' and not exists "
                                "(select 1 from event e where e.kind = 'run' and e.about = b.object) order by seq desc",
                                4));
  for (const auto& row : open) {
    Cells cells(row);
    OpenRun one;
    one.id = cells.text();
    one.begun = cells.text();
    one.by = cells.text();
    one.line = cells.count();
    answer.open.push_back(std::move(one));
  }
  return answer;
}

Result<std::optional<RunRow>> find_run(Database& database, const std::string& id) {
  PATCHLAB_ASSIGN(auto found, run_rows(database, " where id = :id", {id}));
  return found.empty() ? std::optional<RunRow>() : std::optional(std::move(found.front()));
}

namespace {

Result<std::vector<CandidateTest>> tests_of(Database& database, const std::string& id) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows(
          "select v.run, r.started, r.scenario, v.department, c.title, c.severity, c.kind, c.digest, v.outcome, "
          "v.reason, v.failed, v.together_with, v.machines, v.known_from, v.removal, coalesce(e.effect, '') from "
          "verdict v join run r on r.id = v.run join candidate c on c.run = v.run and c.id = v.candidate left join "
          "verdict_effect e on e.run = v.run and e.department = v.department and e.candidate = v.candidate where "
          "v.candidate = :id order by r.started, r.id, v.department",
          16, {id}));
  std::vector<CandidateTest> tests;
  for (const auto& row : rows) {
    Cells cells(row);
    CandidateTest test;
    for (auto* text : {&test.run, &test.started, &test.scenario, &test.department, &test.title, &test.severity,
                       &test.kind, &test.digest, &test.outcome, &test.reason, &test.failed, &test.together_with,
                       &test.machines, &test.known_from, &test.removal, &test.effect})
      *text = cells.text();
    tests.push_back(std::move(test));
  }
  return tests;
}

Result<std::vector<CandidateLine>> lines_of(Database& database, const std::string& id) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select e.seq, e.time, e.kind, e.by_whom, e.department, coalesce((select r.id from run r where "
                    "r.digest = e.run), ''), e.reason, e.ticket, e.expires, e.serial, case when e.kind = "
                    "'promote-done' then coalesce((select min(l.seq) from event l where l.kind = 'promote-done' and "
                    "l.department = e.department and l.seq > e.seq), 0) when e.kind in ('approve', 'reject', 'waive', "
                    "'submit') then coalesce((select min(l.seq) from event l where l.about = e.object and l.kind = "
                    "'withdraw'), 0) else 0 end from event e join event_candidate c on c.seq = e.seq where c.candidate "
                    "= :id order by e.seq",
                    11, {id}));
  std::vector<CandidateLine> lines;
  for (const auto& row : rows) {
    Cells cells(row);
    CandidateLine line;
    line.seq = cells.count();
    line.time = cells.text();
    line.kind = cells.text();
    line.by = cells.text();
    line.department = cells.text();
    line.run = cells.text();
    line.reason = cells.text();
    line.ticket = cells.text();
    line.expires = cells.text();
    line.serial = cells.count();
    line.ended_by = cells.count();
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<std::vector<CandidateMachine>> machines_of(Database& database, const std::string& id) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select department, machine, serial, name, promoted, found, state, since, observed, "
                    "source, seq from installed where candidate = :id order by department, machine, serial, "
                    "name",
                    11, {id}));
  std::vector<CandidateMachine> machines;
  for (const auto& row : rows) {
    Cells cells(row);
    CandidateMachine machine;
    machine.department = cells.text();
    machine.machine = cells.text();
    machine.serial = cells.count();
    for (auto* text : {&machine.name, &machine.promoted, &machine.found, &machine.state, &machine.since,
                       &machine.observed, &machine.source})
      *text = cells.text();
    machine.line = cells.count();
    machines.push_back(std::move(machine));
  }
  return machines;
}

}  // namespace

namespace {

constexpr std::size_t most_tried = 1000;  // rows

std::vector<std::string> lines_in(const std::string& text) {
  if (text.empty()) return {};
  const auto parts = split(text, '\n');
  return {parts.begin(), parts.end()};
}

// As the newest run that says something of it knows it; what only a list of candidates names has no role.
Result<ForecastQuestion> question_about(Database& database, const std::string& id) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select kind, source, products, role from tried where candidate = :id and run = (select "
                    "run from tried where candidate = :same order by finished desc, run desc limit 1) "
                    "order by department, role",
                    4, {id, id}));
  ForecastQuestion question;
  for (const auto& row : rows) {
    Cells cells(row);
    question.kind = cells.text();
    question.source = cells.text();
    question.products = lines_in(cells.text());
    if (auto role = cells.text(); std::ranges::count(question.roles, role) == 0)
      question.roles.push_back(std::move(role));
  }
  if (!rows.empty()) return question;
  PATCHLAB_ASSIGN(const auto named,
                  database.rows("select c.kind, c.origin from candidate c join run r on r.id = c.run where c.id = :id "
                                "order by r.started desc, r.id desc limit 1",
                                2, {id}));
  if (!named.empty()) std::tie(question.kind, question.source) = std::tie(named[0][0], named[0][1]);
  return question;
}

Result<std::vector<Tried>> tried(Database& database, const ForecastQuestion& of) {
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows(
          fmt::format("select run, started, finished, department, candidate, role, digest, kind, source, "
                      "products, outcome, accelerator, measured, install_ms, restart_ms, restarts, asked from "
                      "tried where kind = :kind and source = :source and outcome in ('pass', 'fail') order by "
                      "finished desc, run desc, department, candidate, role limit {}",
                      most_tried + 1),
          17, {of.kind, of.source}));
  std::vector<Tried> all;
  for (const auto& row : rows) {
    Cells cells(row);
    Tried one;
    for (auto* text : {&one.run, &one.started, &one.finished, &one.department, &one.candidate, &one.role, &one.digest,
                       &one.kind, &one.source})
      *text = cells.text();
    one.products = lines_in(cells.text());
    one.outcome = outcome_from(cells.text()).value_or(Outcome::not_reached);
    one.accelerator = cells.text();
    const bool measured = cells.yes();
    TriedTimes times;
    for (auto* number : {&times.install_ms, &times.restart_ms, &times.restarts}) *number = cells.number();
    times.asked = cells.yes();
    if (measured) one.times = times;
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

Result<std::vector<Outlook>> outlooks(Database& database, const std::vector<ForecastQuestion>& questions) {
  std::vector<Outlook> answers(questions.size());
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> alike;  // kind, source: questions
  for (std::size_t i = 0; i < questions.size(); ++i) {
    answers[i].asked = questions[i];
    if (!questions[i].kind.empty()) alike[{questions[i].kind, questions[i].source}].push_back(i);
  }
  for (const auto& [ignored, indexes] : alike) {
    PATCHLAB_ASSIGN(auto rows, tried(database, questions[indexes.front()]));
    const bool only_newest = rows.size() > most_tried;
    if (only_newest) rows.resize(most_tried);
    const CandidateForecasts forecasts(std::move(rows));
    const auto score = forecasts.score();
    for (const auto i : indexes) {
      answers[i].forecast = forecasts.of(questions[i]);
      answers[i].score = score;
      answers[i].only_newest = only_newest;
    }
  }
  return answers;
}

Result<CandidateStory> candidate(Database& database, const std::string& id) {
  PATCHLAB_ASSIGN(const auto known, database.rows("select count(*) from candidate where id = :id", 1, {id}));
  if (Cells(known[0]).count() == 0) {
    PATCHLAB_ASSIGN(const auto all, candidates_in(database));
    if (all.empty()) return usage_error(fmt::format("candidate '{}' is in no run: the index has no candidate", id));
    return unknown_choice("candidate", id, "is in no run", all);
  }
  CandidateStory story;
  story.id = id;
  PATCHLAB_ASSIGN(story.tests, tests_of(database, id));
  PATCHLAB_ASSIGN(story.lines, lines_of(database, id));
  PATCHLAB_ASSIGN(story.machines, machines_of(database, id));
  PATCHLAB_ASSIGN(
      const auto unknown,
      database.rows("select distinct e.seq from event e join run r on r.digest = e.run join verdict v on v.run = "
                    "r.id and v.department = e.department where e.named <> 1 and v.candidate = :id order by "
                    "e.seq",
                    1, {id}));
  for (const auto& row : unknown) story.unknown.push_back(Cells(row).count());
  PATCHLAB_ASSIGN(auto question, question_about(database, id));
  PATCHLAB_ASSIGN(auto found, outlooks(database, {std::move(question)}));
  story.outlook = std::move(found.front());
  return story;
}

std::optional<double> CheckRow::rate() const { return part(disagreed, asked); }
std::optional<double> CheckRow::at_most() const {
  if (asked <= 0) return std::nullopt;
  return upper_bound(static_cast<std::size_t>(disagreed), static_cast<std::size_t>(asked));
}

Result<FlakyAnswer> flaky(Database& database, const Scope& scope) {
  const auto where = within(scope);
  FlakyAnswer answer;
  PATCHLAB_ASSIGN(const auto all,
                  database.rows("select count(*) from (select distinct department, machine, role, id from check_count" +
                                    where.text() + ") as checks",
                                1, where.values()));
  answer.of = Cells(all[0]).count();
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select department, machine, role, id, min(month), max(month), cast(sum(asked) as bigint), "
                    "cast(sum(asked_again) as bigint), cast(sum(disagreed) as bigint), cast(sum(between_trials) as "
                    "bigint), cast(sum(bare) as bigint), cast(sum(bare_failed) as bigint), cast(sum(errors) as bigint) "
                    "from check_count" +
                        where.text() +
                        " group by department, machine, role, id having sum(asked_again) + sum(disagreed) + "
                        "sum(between_trials) > 0",
                    13, where.values()));
  for (const auto& row : rows) {
    Cells cells(row);
    CheckRow check;
    for (auto* text : {&check.department, &check.machine, &check.role, &check.check, &check.first, &check.last})
      *text = cells.text();
    for (auto* count : {&check.asked, &check.asked_again, &check.disagreed, &check.between_trials, &check.bare,
                        &check.bare_failed, &check.errors})
      *count = cells.number();
    answer.checks.push_back(std::move(check));
  }
  std::ranges::sort(answer.checks, [](const CheckRow& a, const CheckRow& b) {
    const auto key = [](const CheckRow& row) {
      return std::tuple(-row.rate().value_or(0), -row.disagreed, -row.between_trials, -row.asked_again);
    };
    if (key(a) != key(b)) return key(a) < key(b);
    return std::tie(a.department, a.machine, a.check, a.role) < std::tie(b.department, b.machine, b.check, b.role);
  });
  return answer;
}

namespace {

// Of values in ascending order, each with how often it was: the least that this part of all do not exceed.
std::int64_t quantile(const std::vector<std::pair<std::int64_t, std::int64_t>>& values, std::int64_t n,
                      std::int64_t percent) {
  const auto wanted = (n * percent + 99) / 100;
  std::int64_t seen = 0;
  for (const auto& [value, count] : values) {
    seen += count;
    if (seen >= wanted) return value;
  }
  return values.back().first;
}

DurationRow duration_of(DurationRow row, const std::vector<std::pair<std::int64_t, std::int64_t>>& values) {
  for (const auto& [ms, n] : values) row.n += n;
  row.least_ms = values.front().first;
  row.most_ms = values.back().first;
  if (row.n < fewest_samples) return row;
  row.median_ms = quantile(values, row.n, 50);
  row.p90_ms = quantile(values, row.n, 90);
  return row;
}

}  // namespace

Result<std::vector<DurationRow>> durations(Database& database, const DurationQuestion& question) {
  auto where = within(question.scope);
  where.add("role =", question.role).add("kind =", question.kind);
  // All months are summed up in rows of their own.
  const bool all_months = question.scope.since.empty() && question.scope.until.empty();
  const auto condition =
      fmt::format("{}{}month {} ''", where.text(), where.text().empty() ? " where " : " and ", all_months ? "=" : "<>");
  PATCHLAB_ASSIGN(
      const auto rows,
      database.rows("select accelerator, role, kind, step, ms, cast(sum(n) as bigint) from duration_count" + condition +
                        " group by accelerator, role, kind, step, ms order by accelerator, role, kind, step, ms",
                    6, where.values()));
  std::vector<DurationRow> all;
  std::vector<std::pair<std::int64_t, std::int64_t>> values;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Cells cells(rows[i]);
    DurationRow row;
    for (auto* text : {&row.accelerator, &row.role, &row.kind, &row.step}) *text = cells.text();
    const auto ms = cells.number();
    values.emplace_back(ms, cells.number());
    if (i + 1 < rows.size() && std::equal(rows[i].begin(), rows[i].begin() + 4, rows[i + 1].begin())) continue;
    all.push_back(duration_of(std::move(row), values));
    values.clear();
  }
  return all;
}

std::optional<double> TrendRow::success() const { return part(passed, passed + failed); }

Result<TrendAnswer> trend(Database& database, const Scope& scope, const TrendBy& by) {
  const auto where = within(scope);
  TrendAnswer answer;
  PATCHLAB_ASSIGN(
      const auto months,
      database.rows("select month, count(*), cast(sum(complete) as bigint), cast(sum(good) as bigint) from run" +
                        where.text() + " group by month order by month",
                    4, where.values()));
  for (const auto& row : months) {
    Cells cells(row);
    TrendMonth month;
    month.month = cells.text();
    month.runs = cells.number();
    month.complete = cells.number();
    month.good = cells.number();
    answer.months.push_back(std::move(month));
  }
  std::vector<std::pair<const char*, std::string TrendRow::*>> keys;
  if (by.month) keys.emplace_back("month", &TrendRow::month);
  if (by.department) keys.emplace_back("department", &TrendRow::department);
  if (by.candidate) keys.emplace_back("candidate", &TrendRow::candidate);
  std::string names;
  for (const auto& key : keys) names += fmt::format("{}, ", key.first);
  PATCHLAB_ASSIGN(const auto rows,
                  database.rows(fmt::format("select {0}outcome, cast(sum(n) as bigint) from verdict_count{1} group by "
                                            "{0}outcome order by {0}outcome",
                                            names, where.text()),
                                keys.size() + 2, where.values()));
  for (const auto& found : rows) {
    Cells cells(found);
    TrendRow row;
    for (const auto& key : keys) row.*key.second = cells.text();
    const auto outcome = cells.text();
    const bool same = !answer.rows.empty() && answer.rows.back().month == row.month &&
                      answer.rows.back().department == row.department && answer.rows.back().candidate == row.candidate;
    if (!same) answer.rows.push_back(row);
    auto& sum = answer.rows.back();
    const auto n = cells.number();
    switch (outcome_from(outcome).value_or(Outcome::not_reached)) {
      case Outcome::pass: sum.passed += n; break;
      case Outcome::fail: sum.failed += n; break;
      case Outcome::error:
      case Outcome::not_reached: sum.undecided += n; break;
      case Outcome::skipped: sum.skipped += n; break;
    }
  }
  return answer;
}

namespace {

// Facts of a run by where and name.
using Facts = std::map<std::pair<std::string, std::string>, std::string>;

void compare(const char* what, const Facts& before, const Facts& now, std::vector<Change>& changes) {
  auto all = now;
  all.insert(before.begin(), before.end());
  const auto value = [](const Facts& facts, const auto& key) {
    const auto found = facts.find(key);
    return found == facts.end() ? std::string() : found->second;
  };
  for (const auto& [key, ignored] : all) {
    const auto was = value(before, key), is = value(now, key);
    if (was != is) changes.push_back({what, key.first, key.second, was, is});
  }
}

struct RunFacts {
  Facts candidates, machines, images, states, checks, policies, scenario, tool, host;
};

Result<Facts> facts_in(Database& database, const std::string& sql, const std::string& run) {
  PATCHLAB_ASSIGN(const auto rows, database.rows(sql, 3, {run}));
  Facts facts;
  // Empty would mean that it is not there.
  for (const auto& row : rows) {
    Cells cells(row);
    auto where = cells.text(), name = cells.text();
    const auto value = cells.text();
    facts[{std::move(where), std::move(name)}] = value.empty() ? "not known" : value;
  }
  return facts;
}

Result<RunFacts> facts_of_run(Database& database, const std::string& run) {
  RunFacts facts;
  const auto of = [&](Facts& into, const char* sql) -> Result<void> {
    PATCHLAB_ASSIGN(into, facts_in(database, sql, run));
    return {};
  };
  PATCHLAB_TRY(of(facts.candidates, "select '', id, digest from candidate where run = :run"));
  PATCHLAB_TRY(of(facts.machines, "select department, name, role || ' from ' || golden from machine where run = :run"));
  PATCHLAB_TRY(of(facts.images, "select department, name, golden_digest from machine where run = :run"));
  PATCHLAB_TRY(of(facts.states, "select department, name, state_digest from machine where run = :run"));
  PATCHLAB_TRY(of(facts.checks,
                  "select m.department || '/' || m.name, c.id, c.check_digest from machine m join check_list "
                  "c on c.digest = m.checks where m.run = :run"));
  PATCHLAB_TRY(of(facts.scenario, "select '', scenario, scenario_digest from run where id = :run"));
  PATCHLAB_TRY(of(facts.tool, "select '', 'patchlab', tool from run where id = :run"));
  PATCHLAB_TRY(of(facts.host, "select '', name, value from run_fact where run = :run and kind = 'host'"));
  PATCHLAB_TRY(of(facts.policies,
                  "select '', name, value from run_fact where run = :run and kind = 'digest' and name = "
                  "'policy'"));
  // What was in force in the stage when it began.
  PATCHLAB_ASSIGN(const auto stage, facts_in(database,
                                             "select '', 'of the stage', policy from event where kind = 'begin' "
                                             "and policy <> '' and run_id = :run order by seq",
                                             run));
  facts.policies.insert(stage.begin(), stage.end());
  return facts;
}

// Of what was there before and is there now: a machine that is new has a new image, which says nothing more.
void only_common(Facts& facts, const Facts& a, const Facts& b) {
  std::erase_if(facts, [&](const auto& one) { return !a.contains(one.first) || !b.contains(one.first); });
}

}  // namespace

Result<ChangesAnswer> changed(Database& database, const std::string& run, const std::string& scenario) {
  Where which;
  which.add("id =", run).add("scenario =", scenario);
  PATCHLAB_ASSIGN(const auto newest, database.rows("select id, started, result, scenario from run" + which.text() +
                                                       " order by started desc, id desc limit 1",
                                                   4, which.values()));
  if (newest.empty()) {
    if (run.empty()) return usage_error("there is no run in the index", "start one with 'patchlab run SCENARIO'");
    return usage_error(fmt::format("there is no run '{}' in the index", run),
                       "'patchlab history runs' lists those that there are");
  }
  ChangesAnswer answer;
  Cells run_cells(newest[0]);
  for (auto* text : {&answer.run, &answer.started, &answer.result, &answer.scenario}) *text = run_cells.text();
  PATCHLAB_ASSIGN(const auto good,
                  database.rows("select id, started from run where scenario = :scenario and good = 1 and (started < "
                                ":started or (started = :same and id < :id)) order by started desc, id desc limit 1",
                                2, {answer.scenario, answer.started, answer.started, answer.run}));
  if (good.empty()) return answer;
  Cells good_cells(good[0]);
  for (auto* text : {&answer.good, &answer.good_started}) *text = good_cells.text();
  PATCHLAB_ASSIGN(
      const auto between,
      database.rows("select count(*) from run where scenario = :scenario and (started > :after or (started = "
                    ":also and id > :good)) and (started < :before or (started = :same and id < :id))",
                    1,
                    {answer.scenario, answer.good_started, answer.good_started, answer.good, answer.started,
                     answer.started, answer.run}));
  answer.between = Cells(between[0]).count();
  PATCHLAB_ASSIGN(auto before, facts_of_run(database, answer.good));
  PATCHLAB_ASSIGN(auto now, facts_of_run(database, answer.run));
  const auto machines_before = before.machines, machines_now = now.machines;
  for (auto* facts : {&before, &now}) {
    only_common(facts->images, machines_before, machines_now);
    only_common(facts->states, machines_before, machines_now);
    std::erase_if(facts->checks, [&](const auto& one) {
      const auto slash = one.first.first.find('/');
      const std::pair machine(one.first.first.substr(0, slash), one.first.first.substr(slash + 1));
      return !machines_before.contains(machine) || !machines_now.contains(machine);
    });
  }
  compare("candidate", before.candidates, now.candidates, answer.changes);
  compare("machine", before.machines, now.machines, answer.changes);
  compare("image", before.images, now.images, answer.changes);
  compare("state", before.states, now.states, answer.changes);
  compare("check", before.checks, now.checks, answer.changes);
  compare("policy", before.policies, now.policies, answer.changes);
  compare("scenario", before.scenario, now.scenario, answer.changes);
  compare("patchlab", before.tool, now.tool, answer.changes);
  compare("host", before.host, now.host, answer.changes);
  return answer;
}

void to_json(Json& json, const LeftOut& left_out) {
  json = {{"folder", left_out.folder}, {"problem", left_out.problem}, {"unfinished", left_out.unfinished}};
}

void to_json(Json& json, const RunRow& run) {
  Json promoted = Json::array();
  for (const auto& one : run.promoted)
    promoted.push_back({{"department", one.department}, {"serial", one.serial}, {"published", one.published}});
  json = {{"run", run.id},
          {"started", run.started},
          {"finished", run.finished},
          {"duration_ms", run.duration_ms},
          {"foreseen_ms", run.foreseen_ms ? Json(*run.foreseen_ms) : Json()},
          {"scenario", run.scenario},
          {"title", run.title},
          {"tool_version", run.tool},
          {"accelerator", run.accelerator},
          {"result", run.result},
          {"complete", run.complete},
          {"good", run.good},
          {"departments", run.departments},
          {"candidates", run.candidates},
          {"passed", run.passed},
          {"failed", run.failed},
          {"undecided", run.undecided},
          {"has_folder", run.has_folder},
          {"line", run.line == 0 ? Json() : Json(run.line)},
          {"promoted", std::move(promoted)}};
}

void to_json(Json& json, const OpenRun& run) {
  json = {{"run", run.id}, {"begun", run.begun}, {"by", run.by}, {"line", run.line}};
}

void to_json(Json& json, const CandidateStory& story) {
  Json tests = Json::array(), lines = Json::array(), machines = Json::array();
  for (const auto& test : story.tests) {
    tests.push_back({{"run", test.run},
                     {"started", test.started},
                     {"scenario", test.scenario},
                     {"department", test.department},
                     {"title", test.title},
                     {"severity", test.severity},
                     {"kind", test.kind},
                     {"digest", test.digest},
                     {"outcome", test.outcome},
                     {"reason", test.reason},
                     {"failed", test.failed},
                     {"together_with", test.together_with},
                     {"machines", test.machines},
                     {"known_from", test.known_from},
                     {"removal", test.removal},
                     {"effect", test.effect}});
  }
  for (const auto& line : story.lines) {
    lines.push_back({{"line", line.seq},
                     {"time", line.time},
                     {"kind", line.kind},
                     {"by", line.by},
                     {"department", line.department},
                     {"run", line.run},
                     {"reason", line.reason},
                     {"ticket", line.ticket},
                     {"expires", line.expires},
                     {"serial", line.serial},
                     {"ended_by", line.ended_by == 0 ? Json() : Json(line.ended_by)}});
  }
  for (const auto& machine : story.machines) {
    machines.push_back({{"department", machine.department},
                        {"machine", machine.machine},
                        {"serial", machine.serial},
                        {"name", machine.name},
                        {"promoted", machine.promoted},
                        {"found", machine.found},
                        {"state", machine.state},
                        {"since", machine.since},
                        {"observed", machine.observed},
                        {"source", machine.source},
                        {"line", machine.line}});
  }
  json = {{"candidate", story.id},           {"tests", std::move(tests)},      {"ledger", std::move(lines)},
          {"machines", std::move(machines)}, {"unknown_lines", story.unknown}, {"forecast", story.outlook}};
}

void to_json(Json& json, const CheckRow& check) {
  json = {{"department", check.department},
          {"machine", check.machine},
          {"role", check.role},
          {"check", check.check},
          {"first", check.first},
          {"last", check.last},
          {"asked", check.asked},
          {"asked_again", check.asked_again},
          {"disagreed", check.disagreed},
          {"between_trials", check.between_trials},
          {"asked_without_patch", check.bare},
          {"failed_without_patch", check.bare_failed},
          {"errors", check.errors},
          {"rate", or_null(check.rate())},
          {"rate_at_most", or_null(check.at_most())}};
}

void to_json(Json& json, const DurationRow& duration) {
  json = {{"accelerator", duration.accelerator},
          {"role", duration.role},
          {"kind", duration.kind},
          {"step", duration.step},
          {"n", duration.n},
          {"median_ms", or_null(duration.median_ms)},
          {"p90_ms", or_null(duration.p90_ms)},
          {"least_ms", duration.least_ms},
          {"most_ms", duration.most_ms}};
}

void to_json(Json& json, const TrendRow& row) {
  json = {{"passed", row.passed},
          {"failed", row.failed},
          {"undecided", row.undecided},
          {"skipped", row.skipped},
          {"success", or_null(row.success())}};
  for (const auto& [name, value] : {std::pair("month", &row.month), std::pair("department", &row.department),
                                    std::pair("candidate", &row.candidate)}) {
    if (!value->empty()) json[name] = *value;
  }
}

void to_json(Json& json, const TrendMonth& month) {
  json = {{"month", month.month}, {"runs", month.runs}, {"complete", month.complete}, {"good", month.good}};
}

void to_json(Json& json, const Change& change) {
  json = {{"what", change.what},
          {"where", change.where},
          {"name", change.name},
          {"before", change.before.empty() ? Json() : Json(change.before)},
          {"now", change.now.empty() ? Json() : Json(change.now)}};
}

}  // namespace patchlab::history
