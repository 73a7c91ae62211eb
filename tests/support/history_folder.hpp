// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "history/index/index.hpp"
#include "history/index/schema.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/installed/installed.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/statement/statement.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/temporary_folder.hpp"

// Runs and a ledger as patchlab leaves them, without machines and without signatures, and an index over them.
namespace patchlab::tests {

// The record as if it had begun then: "2026-10-03T02:00:00.000Z".
inline reports::RunRecord begun_at(reports::RunRecord record, const std::string& started) {
  record.started = started;
  record.finished = started;
  record.id = started.substr(0, 13) + started.substr(14, 2) + started.substr(17, 2) + "Z-7f3a91";
  return record;
}

class HistoryFolder {
 public:
  [[nodiscard]] std::filesystem::path runs() const { return folder_.path() / "runs"; }
  [[nodiscard]] std::filesystem::path stage() const { return folder_.path() / "production"; }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "history.sqlite3"; }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
  [[nodiscard]] history::HistorySources sources() const { return {runs(), stage(), "0.1.0"}; }
  [[nodiscard]] history::HistoryPlace place() const { return history::place_of_file(file()); }

  HistoryFolder() { std::filesystem::create_directories(runs()); }

  void put(const reports::RunRecord& record) const {
    ASSERT_TRUE(create_folders(runs() / record.id));
    ASSERT_TRUE(reports::write_run_record(record, runs() / record.id / reports::run_file_name));
  }
  void remove(const reports::RunRecord& record) const { ASSERT_TRUE(remove_tree(runs() / record.id)); }

  // --- lines of the ledger
  void begin(const reports::RunRecord& record) {
    promotion::Statement statement;
    statement.kind = promotion::StatementKind::begin;
    statement.by = "lab@x";
    for (const auto& department : record.departments)
      statement.subjects.push_back({department.name, sha256("planned")});
    statement.id = record.id;
    statement.submitter = "alice@x";
    statement.policy = sha256("policy in force");
    const auto bytes = promotion::write_statement(statement).value();
    begun_[record.id] = sha256(bytes);
    append({.kind = promotion::ChainKind::begin, .by = "lab@x", .object = bytes});
  }
  void end(const reports::RunRecord& record) {
    const auto run_json = pretty(Json(record));
    promotion::Statement statement;
    statement.kind = promotion::StatementKind::run;
    statement.by = "lab@x";
    for (const auto& department : record.departments)
      statement.subjects.push_back({department.name, set_of(record, department)});
    statement.run = sha256(run_json);
    statement.id = record.id;
    statement.begin = begun_.at(record.id);
    statement.complete = record.complete;
    statement.result = "ok";
    append({.kind = promotion::ChainKind::run,
            .by = "lab@x",
            .object = promotion::write_statement(statement).value(),
            .attachments = {run_json}});
  }
  // The digest of its statement.
  std::string decide(promotion::StatementKind kind, const std::string& by, const reports::RunRecord& record,
                     const std::string& withdraws = {}) {
    promotion::Statement statement;
    statement.kind = kind;
    statement.by = by;
    const auto& department = record.departments.front();
    statement.subjects = {{department.name, set_of(record, department)}};
    statement.run = reports::run_object(record);
    statement.policy = sha256("policy in force");
    statement.ledger = promotion::SeenLedger{0, promotion::no_hash};
    statement.reason = fmt::format("read {} times", ++read_);  // one statement, one line
    statement.ticket = "CHG1";
    if (kind == promotion::StatementKind::waive) {
      statement.expires = "2027-01-01T00:00:00Z";
      statement.waives = {{"mail", "deliver", "", "fail"}};
    }
    if (!withdraws.empty()) statement.withdraws = withdraws;
    const auto bytes = promotion::write_statement(statement).value();
    append({.kind = *promotion::chain_kind_from(to_string(kind)), .by = by, .object = bytes});
    return sha256(bytes);
  }
  // The digest of its statement; it is published then.
  std::string promote(const reports::RunRecord& record) {
    promotion::Statement statement;
    statement.kind = promotion::StatementKind::promote;
    statement.by = "lab@x";
    const auto& department = record.departments.front();
    statement.subjects = {{department.name, set_of(record, department)}};
    statement.run = reports::run_object(record);
    statement.serial = ++serial_;
    const std::string manifest = fmt::format("manifest {}", serial_);
    statement.manifest = sha256(manifest);
    const auto bytes = promotion::write_statement(statement).value();
    append({.kind = promotion::ChainKind::promote_begun, .by = "lab@x", .object = bytes, .attachments = {manifest}});
    append({.kind = promotion::ChainKind::promote_switched, .by = "lab@x", .names = sha256(bytes)});
    append({.kind = promotion::ChainKind::promote_done, .by = "lab@x", .names = sha256(bytes)});
    return sha256(bytes);
  }
  void say_installed(const std::string& promotion, std::vector<promotion::MachineReport> machines,
                     const std::string& department = "finance") {
    promotion::DeployedReport report{
        department, promotion, serial_, promotion::InstalledSource::dpkg_query, sha256("list"), std::move(machines)};
    const auto text = promotion::deployed_json(report).dump() + "\n";
    promotion::Statement statement;
    statement.kind = promotion::StatementKind::deployed;
    statement.by = "ops@x";
    statement.subjects = {{department, sha256("set")}};
    statement.ledger = promotion::SeenLedger{0, promotion::no_hash};
    statement.promotion = promotion;
    statement.result = to_string(report.outcome());
    statement.report = sha256(text);
    append({.kind = promotion::ChainKind::deployed,
            .by = "ops@x",
            .object = promotion::write_statement(statement).value(),
            .attachments = {text}});
  }

  [[nodiscard]] std::filesystem::path ledger() const { return stage() / promotion::chain_folder_name; }

 private:
  static std::string set_of(const reports::RunRecord& record, const reports::DepartmentRecord& department) {
    const auto* trial = reports::find_trial(department, department.final_trial);
    return sha256(promotion::sha256sums_of(record, trial == nullptr ? std::vector<std::string>() : trial->candidates));
  }
  void append(const promotion::Chain::Entry& entry) {
    clock_.advance(std::chrono::minutes(1));
    ASSERT_TRUE(create_folders(stage()));
    const auto done = promotion::Chain(ledger(), {.clock = &clock_}).append(entry);
    ASSERT_TRUE(done) << done.error().message;
  }

  test::TemporaryFolder folder_;
  test::FakeClock clock_;
  std::map<std::string, std::string> begun_;  // by run: digest of the statement
  std::uint64_t serial_ = 0;
  int read_ = 0;
};

// All rows of all tables in their order.
inline std::vector<std::string> all_rows(history::Database& database) {
  std::vector<std::string> all;
  for (const auto& table : history::schema_tables()) {
    const auto columns = fmt::format("{}", fmt::join(table.columns, ", "));
    const auto rows =
        database.rows(fmt::format("select {0} from {1} order by {0}", columns, table.name), table.columns.size());
    EXPECT_TRUE(rows) << rows.error().message;
    for (const auto& row : rows.value_or({})) all.push_back(fmt::format("{}|{}", table.name, fmt::join(row, "|")));
  }
  return all;
}

// What may happen to runs and a ledger, one thing after another, by chance, but the same for each seed. `look` is
// called now and then; afterwards all of it has happened.
inline void live_through(HistoryFolder& folder, unsigned seed, int steps, const std::function<void()>& look) {
  std::mt19937 random(seed);
  std::vector<reports::RunRecord> begun, ended;
  int day = 0;
  for (int step = 0; step < steps; ++step) {
    const auto choice = random() % 10;
    if (choice < 4 || ended.empty()) {
      auto record = random() % 3 == 0 ? held_back_record() : random() % 2 == 0 ? rich_record() : good_record();
      record =
          begun_at(std::move(record), fmt::format("2026-{:02}-{:02}T02:00:00.000Z", 1 + day / 28 % 12, 1 + day % 28));
      ++day;
      record.complete = random() % 5 != 0;
      if (random() % 4 != 0) {
        folder.begin(record);
        if (random() % 5 != 0) folder.put(record);  // else its folder is gone when somebody looks
        if (random() % 6 != 0) folder.end(record);
        ended.push_back(std::move(record));
      } else if (random() % 2 == 0) {
        folder.put(record);
      } else {
        std::filesystem::create_directories(folder.runs() / record.id);
        ASSERT_TRUE(write_file_atomically(folder.runs() / record.id / "events.jsonl", "{}\n"));
      }
    } else if (choice < 6) {
      folder.decide(random() % 2 == 0 ? promotion::StatementKind::approve : promotion::StatementKind::waive, "bob@x",
                    ended[random() % ended.size()]);
    } else if (choice < 8) {
      const auto& run = ended[random() % ended.size()];
      const auto promotion = folder.promote(run);
      folder.say_installed(promotion,
                           {{"dns1",
                             "2026-11-22T08:00:00Z",
                             {{"dns-update", "bind9", "2", "2", promotion::InstalledState::as_promoted},
                              {"", "other", "", "1", promotion::InstalledState::newer}}}},
                           run.departments.front().name);
    } else if (choice == 8) {
      // Some are of the ledger as well, others are nowhere then.
      if (is_there(folder.runs() / ended.back().id)) folder.remove(ended.back());
    } else {
      auto record = ended[random() % ended.size()];
      ASSERT_TRUE(create_folders(folder.runs() / record.id));
      ASSERT_TRUE(write_file_atomically(folder.runs() / record.id / reports::run_file_name,
                                        random() % 2 == 0 ? "{" : pretty(Json(record))));
    }
    if (random() % 3 == 0) look();
  }
  look();
}

}  // namespace patchlab::tests
