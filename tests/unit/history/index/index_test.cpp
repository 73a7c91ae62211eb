// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/index.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <fstream>
#include <future>
#include <thread>

#include "history/index/queries.hpp"
#include "history/index/schema.hpp"
#include "tests/support/history_folder.hpp"

namespace patchlab::history {
namespace {

using promotion::StatementKind;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using tests::begun_at;
using tests::good_record;
using tests::HistoryFolder;

namespace fs = std::filesystem;

class Index : public ::testing::Test {
 protected:
  HistoryIndex open() { return open(folder_.place()); }
  HistoryIndex open(const HistoryPlace& place) {
    auto index = HistoryIndex::open(place, folder_.sources());
    EXPECT_TRUE(index) << index.error().message;
    return std::move(*index);
  }
  HistoryIndex rebuilt() {
    auto index = HistoryIndex::rebuild(folder_.place(), folder_.sources());
    EXPECT_TRUE(index) << index.error().message;
    return std::move(*index);
  }
  [[nodiscard]] Error refused() const {
    const auto index = HistoryIndex::open(folder_.place(), folder_.sources());
    EXPECT_FALSE(index);
    return index ? Error{} : index.error();
  }
  std::vector<std::string> ids() {
    auto index = open();
    std::vector<std::string> ids;
    for (const auto& run : runs(index.database(), {}, 0).value().runs) ids.push_back(run.id);
    return ids;
  }
  std::vector<LeftOut> out() {
    auto index = open();
    return left_out(index.database()).value();
  }
  // As if it had been made from these files at once.
  void expect_as_made_anew() {
    auto index = open();
    auto fresh = HistoryIndex::rebuild(place_of_file(folder_.path() / "fresh.sqlite3"), folder_.sources());
    ASSERT_TRUE(fresh) << fresh.error().message;
    EXPECT_EQ(tests::all_rows(index.database()), tests::all_rows(fresh->database()));
  }

  HistoryFolder folder_;
  const reports::RunRecord october_ = begun_at(good_record(), "2026-10-03T02:00:00.000Z");
  const reports::RunRecord november_ = begun_at(good_record(), "2026-11-03T02:00:00.000Z");
};

TEST_F(Index, IsMadeByTheFirstQuestionAndReadsOnlyWhatIsNew) {
  folder_.put(october_);
  EXPECT_EQ(open().update().new_runs, 1U);
  folder_.put(november_);
  folder_.begin(november_);
  const auto update = open().update();
  EXPECT_EQ(update.new_runs, 1U);
  EXPECT_EQ(update.new_lines, 1U);
  EXPECT_THAT(update.made_anew, IsEmpty());
  EXPECT_THAT(ids(), ElementsAre(november_.id, october_.id));
  EXPECT_EQ(open().update().new_runs, 0U);
  expect_as_made_anew();
}

// The promise: row for row, whatever happened in between.
TEST_F(Index, BroughtUpToDateHasTheSameRowsAsMadeAnew) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    HistoryFolder folder;
    std::size_t looks = 0;
    tests::live_through(folder, seed, 30, [&] {
      ++looks;
      auto index = HistoryIndex::open(folder.place(), folder.sources());
      ASSERT_TRUE(index) << index.error().message;
    });
    EXPECT_GT(looks, 5U);
    auto index = HistoryIndex::open(folder.place(), folder.sources());
    auto fresh = HistoryIndex::rebuild(place_of_file(folder.path() / "fresh.sqlite3"), folder.sources());
    ASSERT_TRUE(index && fresh);
    const auto rows = tests::all_rows(index->database());
    EXPECT_GT(rows.size(), 100U);
    EXPECT_EQ(rows, tests::all_rows(fresh->database())) << "seed " << seed;
  }
}

TEST_F(Index, ARunWhoseFolderIsGoneStaysWhenTheLedgerHasItsRecord) {
  folder_.put(october_);
  folder_.put(november_);
  folder_.begin(november_);
  folder_.end(november_);
  EXPECT_THAT(ids(), SizeIs(2));
  folder_.remove(november_);
  EXPECT_THAT(ids(), ElementsAre(november_.id, october_.id));
  folder_.remove(october_);
  EXPECT_EQ(open().update().made_anew, "run " + october_.id + " is gone");
  EXPECT_THAT(ids(), ElementsAre(november_.id));
  expect_as_made_anew();
}

TEST_F(Index, ARecordThatIsAnotherOneNowIsReadAgain) {
  folder_.put(october_);
  EXPECT_THAT(ids(), SizeIs(1));
  auto other = october_;
  other.tool_version = "0.2.0";
  folder_.put(other);
  EXPECT_THAT(open().update().made_anew, HasSubstr("holds another record than before"));
  auto index = open();
  EXPECT_EQ(runs(index.database(), {}, 0)->runs.at(0).tool, "0.2.0");
  expect_as_made_anew();
}

TEST_F(Index, SaysWhichFolderItCouldNotRead) {
  folder_.put(october_);
  folder_.put(november_);
  ASSERT_TRUE(write_file_atomically(folder_.runs() / november_.id / "run.json", "{\"schema\": 1}"));
  EXPECT_THAT(ids(), ElementsAre(october_.id));
  const auto said = out();
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].folder, november_.id);
  EXPECT_THAT(said[0].problem, HasSubstr("/schema"));
  EXPECT_FALSE(said[0].unfinished);
  folder_.put(november_);
  EXPECT_THAT(out(), IsEmpty());
  EXPECT_THAT(ids(), SizeIs(2));
  expect_as_made_anew();
}

// Any reader of records takes them, and no table does.
TEST_F(Index, ARecordThatNamesSomethingTwiceIsSaidAndLeftOut) {
  folder_.put(october_);
  auto twice = november_;
  twice.departments[0].verdicts.push_back(twice.departments[0].verdicts[0]);
  folder_.put(twice);
  EXPECT_THAT(ids(), ElementsAre(october_.id));
  EXPECT_THAT(out().at(0).problem, HasSubstr("the verdict on candidate"));
  for (const auto& spoil : {+[](reports::RunRecord& record) { record.candidates.push_back(record.candidates[0]); },
                            +[](reports::RunRecord& record) { record.departments.push_back(record.departments[0]); },
                            +[](reports::RunRecord& record) {
                              auto& machines = record.departments[0].machines;
                              machines.push_back(machines.at(0));
                            }}) {
    auto record = november_;
    spoil(record);
    folder_.put(record);
    EXPECT_THAT(ids(), ElementsAre(october_.id));
    EXPECT_THAT(out().at(0).problem, HasSubstr("twice"));
  }
}

TEST_F(Index, ARunThatWasKilledAndOneUnderAnotherNameAreSaid) {
  ASSERT_TRUE(create_folders(folder_.runs() / "2026-10-04T020000Z-dead"));
  ASSERT_TRUE(write_file_atomically(folder_.runs() / "2026-10-04T020000Z-dead" / "events.jsonl", ""));
  ASSERT_TRUE(create_folders(folder_.runs() / "copy"));
  ASSERT_TRUE(reports::write_run_record(october_, folder_.runs() / "copy" / "run.json"));
  ASSERT_TRUE(create_folders(folder_.runs() / "no run at all"));
  const auto no_utf8 = folder_.runs() / "z\xff";
  ASSERT_TRUE(create_folders(no_utf8));
  ASSERT_TRUE(write_file_atomically(no_utf8 / "run.json", "{"));
  static_cast<void>(out());
  const auto said = out();
  ASSERT_THAT(said, SizeIs(3)) << "also when it is asked again";
  EXPECT_EQ(said[2].folder, "z\xEF\xBF\xBD");
  EXPECT_TRUE(said[0].unfinished);
  EXPECT_EQ(said[1].problem, "its run.json is the record of run '" + october_.id + "'");
}

TEST_F(Index, KnowsWhatWasForeseenOfARun) {
  auto foreseen = november_;
  foreseen.foreseen = {.makespan_ms = 429'000, .lower_bound_ms = 282'000, .times = 80, .recorded_times = 12};
  folder_.put(foreseen);
  folder_.put(october_);
  auto index = open();
  const auto rows = runs(index.database(), {}, 0)->runs;
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].foreseen_ms, 429'000);
  EXPECT_EQ(Json(rows[0]).at("foreseen_ms"), 429'000);
  EXPECT_EQ(rows[1].foreseen_ms, std::nullopt) << "nobody foresaw it";
  EXPECT_EQ(Json(rows[1]).at("foreseen_ms"), nullptr);
}

TEST_F(Index, OfTwoRecordsOfOneRunTheOneOfTheLedgerCounts) {
  folder_.begin(october_);
  folder_.end(october_);
  auto forged = october_;
  forged.departments[0].verdicts[0].outcome = Outcome::fail;
  folder_.put(forged);
  auto index = open();
  const auto rows = runs(index.database(), {}, 0)->runs;
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].failed, 0U);
  EXPECT_FALSE(rows[0].has_folder);
  EXPECT_THAT(out().at(0).problem, HasSubstr("is not the record that line 2 of the ledger names"));
  // The same when the folder was looked at first.
  HistoryFolder other;
  other.put(forged);
  ASSERT_TRUE(HistoryIndex::open(other.place(), other.sources()));
  other.begin(october_);
  other.end(october_);
  auto later = HistoryIndex::open(other.place(), other.sources());
  ASSERT_TRUE(later);
  EXPECT_EQ(later->update().made_anew, "the ledger has another record of run " + october_.id);
  EXPECT_EQ(runs(later->database(), {}, 0)->runs.at(0).failed, 0U);
}

TEST_F(Index, ARecordThatTheLedgerNamesAndNobodyHasIsSaid) {
  folder_.begin(october_);
  folder_.end(october_);
  ASSERT_TRUE(remove_tree(folder_.ledger() / "objects" / sha256(pretty(Json(october_)))));
  const auto said = out();
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].folder, "ledger/" + october_.id);
  EXPECT_THAT(said[0].problem, HasSubstr("line 2: "));
  folder_.put(october_);
  EXPECT_THAT(out(), IsEmpty());
  expect_as_made_anew();
}

TEST_F(Index, IsOfOneFolderOfRunsAndOneStage) {
  folder_.put(october_);
  static_cast<void>(open());
  for (const auto& [sources, option] :
       {std::pair(HistorySources{folder_.path(), folder_.stage(), "0.1.0"}, "--runs"),
        std::pair(HistorySources{folder_.runs(), folder_.path() / "other", "0.1.0"}, "--stage")}) {
    const auto other = HistoryIndex::open(folder_.place(), sources);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().error_class, ErrorClass::configuration);
    EXPECT_THAT(other.error().message, HasSubstr("not of '"));
    EXPECT_THAT(other.error().hint, AllOf(HasSubstr(option), HasSubstr("patchlab history rebuild")));
    ASSERT_TRUE(HistoryIndex::rebuild(folder_.place(), sources));
    ASSERT_TRUE(HistoryIndex::open(folder_.place(), sources));
    static_cast<void>(rebuilt());
  }
}

TEST_F(Index, ALedgerThatWasRewrittenIsNoContinuation) {
  folder_.put(october_);
  folder_.begin(october_);
  folder_.end(october_);
  static_cast<void>(open());
  ASSERT_TRUE(remove_tree(folder_.ledger()));
  EXPECT_THAT(refused().message, AllOf(HasSubstr("is not the ledger"), HasSubstr("line 2 of that is not in it")));
  folder_.begin(november_);
  folder_.begin(october_);
  EXPECT_THAT(refused().message, HasSubstr("is not the ledger"));
  EXPECT_THAT(refused().hint, AllOf(HasSubstr("patchlab verify"), HasSubstr("patchlab history rebuild")));
  EXPECT_EQ(rebuilt().update().new_lines, 2U);
  EXPECT_THAT(ids(), ElementsAre(october_.id));
}

TEST_F(Index, OfALedgerThatDoesNotFitNothingIsSaid) {
  folder_.put(october_);
  folder_.begin(october_);
  folder_.end(october_);
  const auto file = folder_.ledger() / "ledger.jsonl";
  auto text = read_file(file).value();
  text[text.find("lab@x")] = 'L';
  ASSERT_TRUE(write_file_atomically(file, text));
  EXPECT_THAT(refused().message, HasSubstr("ledger.jsonl:1: "));
  EXPECT_FALSE(HistoryIndex::rebuild(folder_.place(), folder_.sources()));
}

TEST_F(Index, OfANewerVersionIsRefusedAndOfAnOlderOneMadeAnew) {
  folder_.put(october_);
  const auto set_version = [&](std::int64_t version) {
    auto index = rebuilt();
    auto writing = index.database().begin(Database::Access::write);
    ASSERT_TRUE(writing);
    ASSERT_TRUE(
        index.database().run("update meta set value = :value where name = 'version'", {std::to_string(version)}));
    ASSERT_TRUE(index.database().run("update meta set value = '9.9.9' where name = 'tool'"));
    ASSERT_TRUE(writing->commit());
  };
  set_version(schema_version() + 1);
  EXPECT_THAT(refused().message,
              AllOf(HasSubstr(fmt::format("is of version {} and was made by patchlab 9.9.9", schema_version() + 1)),
                    HasSubstr(fmt::format("knows version {}", schema_version()))));
  EXPECT_THAT(refused().hint, HasSubstr("patchlab history rebuild"));
  EXPECT_THAT(rebuilt().update().made_anew, "it was asked for");
  EXPECT_THAT(ids(), SizeIs(1));
  set_version(0);
  EXPECT_EQ(open().update().made_anew, "it was of version 0");
}

TEST_F(Index, ThatIsDamagedIsRefusedUntilItIsMadeAnew) {
  folder_.put(october_);
  static_cast<void>(open());
  const auto bytes = read_file(folder_.file()).value();
  // Everything but the header, which says whose it is.
  ASSERT_GT(bytes.size(), 8192U);
  std::ofstream(folder_.file(), std::ios::binary) << bytes.substr(0, 100) << std::string(bytes.size() - 100, 'x');
  const auto error = refused();
  EXPECT_EQ(error.error_class, ErrorClass::configuration) << error.message;
  EXPECT_THAT(error.message, HasSubstr(folder_.file().string()));
  EXPECT_THAT(error.hint, HasSubstr("patchlab history rebuild"));
  static_cast<void>(rebuilt());
  EXPECT_THAT(ids(), ElementsAre(october_.id));
}

TEST_F(Index, WithoutATableIsDamaged) {
  folder_.put(october_);
  {
    auto index = open();
    auto writing = index.database().begin(Database::Access::write);
    ASSERT_TRUE(index.database().drop("source"));
    ASSERT_TRUE(writing->commit());
  }
  EXPECT_THAT(refused().hint, HasSubstr("patchlab history rebuild"));
  static_cast<void>(rebuilt());
  EXPECT_THAT(ids(), SizeIs(1));
}

// Whatever somebody names by mistake stays what it is.
TEST_F(Index, LeavesFilesOfOthersAlone) {
  ASSERT_TRUE(write_file_atomically(folder_.file(), "a letter that took me an hour\n"));
  for (int i = 0; i < 2; ++i) {
    const auto index = i == 0 ? HistoryIndex::open(folder_.place(), folder_.sources())
                              : HistoryIndex::rebuild(folder_.place(), folder_.sources());
    ASSERT_FALSE(index);
    EXPECT_EQ(index.error().error_class, ErrorClass::configuration);
    EXPECT_THAT(index.error().message, HasSubstr("is no history index: it is "));
  }
  EXPECT_EQ(read_file(folder_.file()).value(), "a letter that took me an hour\n");
  // A database of another program, as SQLite would write it.
  const auto other = place_of_file(folder_.path() / "other.sqlite3");
  {
    auto database = Database::open(other);
    ASSERT_TRUE(database);
    auto writing = database->begin(Database::Access::write);
    ASSERT_TRUE(database->make("create table mine (a bigint)"));
    ASSERT_TRUE(database->run("pragma application_id = 7"));
    ASSERT_TRUE(writing->commit());
  }
  for (const auto rebuild : {false, true}) {
    const auto index =
        rebuild ? HistoryIndex::rebuild(other, folder_.sources()) : HistoryIndex::open(other, folder_.sources());
    ASSERT_FALSE(index);
    EXPECT_THAT(index.error().message, HasSubstr("an SQLite database of something else"));
  }
}

TEST_F(Index, WhoOnlyReadsDoesNotWaitForWhoeverWrites) {
  folder_.put(october_);
  auto writer = open();
  auto writing = writer.database().begin(Database::Access::write);
  ASSERT_TRUE(writing);
  ASSERT_TRUE(writer.database().run("delete from run"));
  const auto begun = system_clock_source().now();
  EXPECT_THAT(ids(), ElementsAre(october_.id));
  EXPECT_LT(system_clock_source().now() - begun, std::chrono::seconds(5));
}

// SQLite waits for nobody when a file is about to become one whose readers and writers do not wait for each other.
TEST_F(Index, IsOpenedWhileSomebodyElseMakesItsFile) {
  folder_.put(october_);
  auto other = Database::open(folder_.place());
  ASSERT_TRUE(other);
  ASSERT_TRUE(other->rows("pragma journal_mode = delete", 1));
  auto making = other->begin(Database::Access::write);
  ASSERT_TRUE(making);
  auto opened = std::async(std::launch::async, [&] { return HistoryIndex::open(folder_.place(), folder_.sources()); });
  EXPECT_EQ(opened.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout) << "it did not wait";
  ASSERT_TRUE(making->commit());
  const auto index = opened.get();
  ASSERT_TRUE(index) << index.error().message;
  EXPECT_EQ(index->update().new_runs, 1U);
}

TEST_F(Index, ManyAtOnceLoseNothing) {
  for (int day = 1; day <= 6; ++day)
    folder_.put(begun_at(good_record(), fmt::format("2026-10-{:02}T02:00:00.000Z", day)));
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      // New ones come while others write.
      folder_.put(begun_at(good_record(), fmt::format("2026-11-{:02}T02:00:00.000Z", i + 1)));
      const auto index = HistoryIndex::open(folder_.place(), folder_.sources());
      if (!index) {
        ++failed;
        ADD_FAILURE() << index.error().message;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_THAT(ids(), SizeIs(14));
  expect_as_made_anew();
}

TEST_F(Index, TextsOfOthersAreStoredAsWhatTheyAre) {
  auto record = october_;
  record.candidates[0].title = "'); drop table run; -- \xff" + std::string(1, '\0') + "\n:a $1 ?";
  record.departments[0].verdicts[0].reason = std::string(5000, 'x') + "\xc3\xbc";
  folder_.put(record);
  auto index = open();
  const auto story = candidate(index.database(), record.candidates[0].id);
  ASSERT_TRUE(story) << story.error().message;
  EXPECT_EQ(story->tests.at(0).title, "'); drop table run; -- \xEF\xBF\xBD\xEF\xBF\xBD\n:a $1 ?");
  EXPECT_EQ(story->tests.at(0).reason.size(), 2003U);
  expect_as_made_anew();
}

TEST(HistoryPlace, IsAFileOfSqliteOrADatabaseOfPostgresql) {
  EXPECT_EQ(parse_history_place("sqlite3:///var/lib/h.db").value(), place_of_file("/var/lib/h.db"));
  EXPECT_EQ(parse_history_place("sqlite3://h.db")->file, fs::current_path() / "h.db");
  const auto server = parse_history_place("postgresql://pat@db/patchlab");
  EXPECT_EQ(server->kind, HistoryPlace::Kind::postgresql);
  for (const auto* wrong : {"", "h.db", "mysql://x:secret@y/z", "sqlite3://", "sqlite3://a\"b", "sqlite:///x"}) {
    const auto place = parse_history_place(wrong);
    ASSERT_FALSE(place) << wrong;
    EXPECT_EQ(place.error().error_class, ErrorClass::usage);
    EXPECT_THAT(place.error().message, Not(HasSubstr("secret")));
  }
}

TEST(HistoryPlace, ShowsHostsAndDatabaseAndNoSecret) {
  const auto shown = [](const std::string& uri) { return parse_history_place("postgresql://" + uri)->shown(); };
  EXPECT_EQ(shown("db:5432/p"), "postgresql://db:5432/p");
  EXPECT_EQ(shown("pat@db/patchlab"), "postgresql://db/patchlab");
  EXPECT_EQ(shown("pat:secret@db1:5432,db2,[fd00::1]:5433/p?password=secret"),
            "postgresql://db1:5432,db2,[fd00::1]:5433/p");
  EXPECT_EQ(shown("pat:secret@/p"), "postgresql:///p");
  EXPECT_EQ(shown(""), "postgresql://");
  EXPECT_EQ(shown("?host=/tmp&password=secret"), "postgresql://");
  EXPECT_EQ(shown("pat:2024#winter@db/p"), "postgresql://...") << "2024 is no port";
  EXPECT_EQ(place_of_file("/a/b").shown(), "sqlite3:///a/b");
  // Every form that libpq takes, and what people write in their place: whatever is shown, the secret is not in it.
  for (const auto* uri : {"pat:secret@db/patchlab",
                          "pat@db/patchlab?password=secret&sslmode=require",
                          "pat:sec:secret@db:5432/p",
                          "pat:secret@/p",
                          "pat:%73ecret-secret@db",
                          "pat:se/secret@db/p",
                          "pat:se?secret@db/p",
                          "pat:se#secret@db",
                          "pat@corp:secret@db/p",
                          "pat@corp.example:secret@db1,db2/p",
                          "pat:sec@secret@db/p",
                          "pat:secret",
                          "db:secret/p",
                          "%2Fvar%2Fsecret:5432/p",
                          "db/p?Password=secret",
                          "db/p?sslpassword=secret",
                          "db/p?pass%77ord=secret",
                          "db?options=-c%20x%3Dsecret",
                          "db/p;password=secret",
                          "db/user=pat password=secret",
                          "a,pat:secret@b/p",
                          "db,pat:secret/p",
                          "[secret/p",
                          "[::1]:secret/p",
                          "db/p#secret",
                          "db/?user=secret",
                          "?host=secret",
                          "pat:secret@db,pat2:secret@db2/p",
                          "db /secret x",
                          "pat:secret @db",
                          "pat:sec%ret-secret@db",
                          "db/p?secret",
                          "db/p?password=a=secret"}) {
    const auto place = parse_history_place(std::string("postgresql://") + uri);
    EXPECT_THAT(place ? place->shown() : place.error().message + place.error().hint, Not(HasSubstr("secret"))) << uri;
  }
  // What libpq would take for a host or a port, and say again in an error, does not get to it.
  for (const auto* uri : {"pat:se/secret@db/p", "pat@corp:secret@db/p", "pat:sec@secret@db/p", "pat:secret",
                          "db,pat:secret/p", "pat:sec%ret-secret@db", "db/p?secret", "db/p?password=a=secret"})
    EXPECT_FALSE(parse_history_place(std::string("postgresql://") + uri)) << uri;
  for (const auto* place : {"POSTGRESQL://pat:secret@db/p", "postgres://pat:secret@db/p", "Postgresql://x:secret@y",
                            "host=db password=secret", "postgresql:/pat:secret@db", "postgresql:pat:secret@db",
                            "pat:secret@db/p", "secret://x", "mysql://x:secret@y/z"}) {
    const auto refused = parse_history_place(place);
    ASSERT_FALSE(refused) << place;
    EXPECT_THAT(refused.error().message, Not(HasSubstr("secret"))) << place;
    EXPECT_THAT(refused.error().hint, Not(HasSubstr("secret"))) << place;
  }
  EXPECT_THAT(parse_history_place("var/h.db").error().message, HasSubstr("'var/h.db'"));
}

TEST(HistorySchema, IsOfTablesWhoseColumnsAreKnown) {
  const auto tables = schema_tables();
  ASSERT_GT(tables.size(), 10U);
  EXPECT_EQ(tables[0].name, "meta");
  EXPECT_THAT(tables[0].columns, ElementsAre("name", "value"));
  EXPECT_EQ(schema_parts().front().number, 1);
  for (std::size_t i = 0; i < schema_parts().size(); ++i)
    EXPECT_EQ(schema_parts()[i].number, static_cast<std::int64_t>(i) + 1);
  EXPECT_THAT(statements_in("-- a; b\ncreate table x (\n  a text\n);\n\n;create index y on x (a); -- end\n"),
              ElementsAre("create table x (\n  a text\n)", "create index y on x (a)"));
}

}  // namespace
}  // namespace patchlab::history
