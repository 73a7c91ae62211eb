// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>

#include "history/index/index.hpp"
#include "history/index/schema.hpp"
#include "history/index/write.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "tests/support/history_folder.hpp"

// Many years of nights: two departments of six roles, nine candidates, other ones each month, some flaky checks, times
// that vary, and of every night an end in the ledger, an approval and a promotion.
namespace patchlab::tests {

// So many are written one by one. Of more the others are copies of these in the database itself, which takes a tenth of
// the time: the same rows under other names, a moment later.
inline constexpr std::size_t written_runs = 250;

// As PATCHLAB_HISTORY_RUNS says, or what is written; of more than these a multiple.
inline std::size_t wanted_runs() {
  const char* text = std::getenv("PATCHLAB_HISTORY_RUNS");
  const auto asked = text == nullptr ? written_runs : static_cast<std::size_t>(std::strtoul(text, nullptr, 10));
  return asked <= written_runs ? asked : asked - asked % written_runs;
}

// Ten years, round and round.
inline reports::RunRecord night(const reports::RunRecord& sample, std::size_t number) {
  auto record = sample;
  const auto month = number * 120 / std::min(wanted_runs(), written_runs);
  record.started = fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z", 2020 + month / 12, month % 12 + 1,
                               number % 28 + 1, number / 28 % 24, number / 672 % 60, number / 40320 % 60);
  record.finished = record.started;
  record.id = fmt::format("{}-{:06}", record.started.substr(0, 10), number);
  std::map<std::string, std::string> names;
  for (auto& candidate : record.candidates) {
    auto& name = names[candidate.id];
    name = fmt::format("{}-{}", candidate.id, month);
    candidate.id = name;
  }
  for (auto& department : record.departments) {
    for (auto& verdict : department.verdicts) verdict.candidate = names.at(verdict.candidate);
    for (auto& trial : department.trials) {
      for (auto& candidate : trial.candidates) candidate = names.at(candidate);
      for (std::size_t i = 0; i < trial.installs.size(); ++i) {
        trial.installs[i].candidate = names.at(trial.installs[i].candidate);
        trial.installs[i].duration_ms = static_cast<std::int64_t>(2000 + (number * 7919 + i * 104729) % 90000);
      }
      auto& check = trial.phases[number % trial.phases.size()].checks.front();
      if (number % 9 == 0) check.tries = {{Outcome::fail, Milliseconds(10)}, {Outcome::pass, Milliseconds(10)}};
    }
  }
  for (auto& timing : record.timings)
    timing.duration_ms =
        static_cast<std::int64_t>(1000 + (number * 7919 + static_cast<std::size_t>(timing.start_ms)) % 60000);
  return record;
}

inline history::LedgerEvent line(std::uint64_t seq, promotion::ChainKind kind, const reports::RunRecord& record) {
  history::LedgerEvent event;
  event.seq = seq;
  event.time = record.started;
  event.kind = to_string(kind);
  event.by = "lab@xavier.example";
  event.object = sha256(fmt::format("object {}", seq));
  event.run_id = record.id;
  const auto begin = sha256("begin of " + record.id);
  if (kind == promotion::ChainKind::begin) {
    event.object = begin;
    return event;
  }
  event.run = record.file_digest;
  if (kind == promotion::ChainKind::run) {
    event.about = begin;
    return event;
  }
  const auto& department = record.departments.front();
  event.department = department.name;
  event.set =
      sha256(promotion::sha256sums_of(record, reports::find_trial(department, department.final_trial)->candidates));
  event.serial = seq;
  return event;
}

// Each run in the index, with its lines of the ledger, so many times more; for SQLite.
inline Result<void> copy_runs(history::Database& index, std::size_t times) {
  if (times == 0) return {};
  PATCHLAB_ASSIGN(const auto last, index.rows("select max(seq) from event", 1));
  // What stands in a column of the k-th copy.
  const auto copied = [&](const std::string& table, const std::string& column) {
    const auto is = [&](const std::set<std::string>& names) { return names.contains(table + "." + column); };
    if (column == "seq") return fmt::format("seq + k * {}", last[0][0]);
    if (column == "started" || column == "finished" || column == "time")
      return fmt::format("substr({}, 1, 20) || printf('%03dZ', k)", column);
    if (is({"run.digest", "event.run", "event.object", "event.about"}))
      return fmt::format("case {0} when '' then '' else printf('%02x', k) || substr({0}, 3) end", column);
    if (column == "run" || column == "run_id" || is({"run.id"})) return column + " || printf('-%02d', k)";
    return column;
  };
  // Indexes are made sooner than they are kept.
  std::vector<std::string> indexes;
  for (const auto& part : history::schema_parts()) {
    for (const auto& statement : history::statements_in(part.text)) {
      if (!statement.starts_with("create index ")) continue;
      indexes.push_back(statement);
      PATCHLAB_TRY(index.run("drop index " + std::string(split(statement, ' ').at(2))));
    }
  }
  static const std::set<std::string> once{"meta", "source", "check_list", "installed"};
  for (const auto& table : history::schema_tables()) {
    if (once.contains(table.name)) continue;
    if (table.name.ends_with("_count")) {
      static const std::set<std::string> sums{"n",    "asked",       "asked_again", "disagreed", "between_trials",
                                              "bare", "bare_failed", "errors"};
      std::vector<std::string> sets;
      for (const auto& column : table.columns) {
        if (sums.contains(column)) sets.push_back(fmt::format("{0} = {0} * {1}", column, times + 1));
      }
      PATCHLAB_TRY(index.run(fmt::format("update {} set {}", table.name, fmt::join(sets, ", "))));
      continue;
    }
    std::vector<std::string> values;
    for (const auto& column : table.columns) values.push_back(copied(table.name, column));
    PATCHLAB_TRY(index.run(fmt::format(
        "with recursive copy(k) as (select 1 union all select k + 1 from copy where k < {}) insert into {} ({}) "
        "select {} from {} cross join copy",
        times, table.name, fmt::join(table.columns, ", "), fmt::join(values, ", "), table.name)));
  }
  for (const auto& statement : indexes) PATCHLAB_TRY(index.make(statement));
  return {};
}

// Made once, by what writes the real one, in one transaction.
class Years {
 public:
  Years() {
    std::string pattern = (std::filesystem::temp_directory_path() / "patchlab-history-bench-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(folder_ / "runs");
    // An index of nothing, and then rows that no file is behind.
    index_ =
        std::make_unique<history::HistoryIndex>(history::HistoryIndex::open(history::place_of_file(folder_ / "index"),
                                                                            {folder_ / "runs", folder_ / "stage", "0"})
                                                    .value());
    auto sample = rich_record();
    for (auto& department : sample.departments) {
      department.fence.attempts.clear();
      for (auto& trial : department.trials) {
        for (auto& phase : trial.phases) {
          // What an index does not look at.
          for (auto& check : phase.checks) check.evidence = nullptr, check.expected.clear(), check.observed.clear();
        }
      }
    }
    auto writing = database().begin(history::Database::Access::write);
    history::Writer writer(database());
    std::uint64_t seq = 0;
    const auto written = std::min(wanted_runs(), written_runs);
    for (std::size_t i = 0; i < written; ++i) {
      auto record = night(sample, i);
      record.file_digest = sha256(record.id);
      for (const auto kind : {promotion::ChainKind::begin, promotion::ChainKind::run, promotion::ChainKind::approve,
                              promotion::ChainKind::promote_begun, promotion::ChainKind::promote_done})
        if (!writer.add(line(++seq, kind, record))) std::abort();
      if (!writer.add(record)) std::abort();
      last_ = record.candidates.front().id;
      last_run_ = record.id;
    }
    if (!copy_runs(database(), wanted_runs() / written - 1) || !writing->commit()) std::abort();
  }
  ~Years() {
    index_.reset();
    static_cast<void>(remove_tree(folder_));
  }
  history::Database& database() { return index_->database(); }
  [[nodiscard]] history::HistoryPlace place() const { return history::place_of_file(folder_ / "index"); }
  [[nodiscard]] const std::string& last_candidate() const { return last_; }
  [[nodiscard]] const std::string& last_run() const { return last_run_; }

  static Years& all() {
    static Years years;
    return years;
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<history::HistoryIndex> index_;
  std::string last_;
  std::string last_run_;
};

}  // namespace patchlab::tests
