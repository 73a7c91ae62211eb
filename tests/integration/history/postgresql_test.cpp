// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <thread>

#include "history/index/queries.hpp"
#include "tests/integration/checks/database/local_postgres.hpp"
#include "tests/support/history_folder.hpp"

// The index in a PostgreSQL of the test's own, by its Unix socket: what it says is what SQLite says.
namespace patchlab::history {
namespace {

using checks::database::testing::LocalPostgres;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using tests::begun_at;
using tests::good_record;
using tests::HistoryFolder;

class Postgresql : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = LocalPostgres::start();
    if (started)
      server_ = std::move(*started);
    else
      why_not_ = started.error().message;
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << why_not_;
    auto made = Database::open(place("postgres"));
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(made->run(fmt::format("create database {}", name_)));
  }

  // As people write it; the password has characters that a URI must not have.
  static HistoryPlace place(const std::string& database) {
    std::string password;
    for (const char c : std::string(LocalPostgres::password)) password += fmt::format("%{:02x}", static_cast<int>(c));
    return parse_history_place(fmt::format("postgresql://{}:{}@/{}?host={}&port={}", LocalPostgres::user, password,
                                           database, server_->folder().string(), server_->port()))
        .value();
  }
  [[nodiscard]] HistoryPlace place() const { return place(name_); }

  static inline std::unique_ptr<LocalPostgres> server_;
  static inline std::string why_not_;
  static inline int count_ = 0;
  const std::string name_ = fmt::format("history{}", ++count_);
};

TEST_F(Postgresql, HasRowForRowWhatSqliteHasAndWhatMadeAnewHas) {
  HistoryFolder folder;
  tests::live_through(folder, 4, 25, [&] {
    const auto index = HistoryIndex::open(place(), folder.sources());
    ASSERT_TRUE(index) << index.error().message;
  });
  auto here = HistoryIndex::open(place(), folder.sources());
  auto there = HistoryIndex::open(folder.place(), folder.sources());
  ASSERT_TRUE(here && there);
  const auto rows = tests::all_rows(here->database());
  EXPECT_GT(rows.size(), 100U);
  EXPECT_EQ(rows, tests::all_rows(there->database()));
  auto anew = HistoryIndex::rebuild(place(), folder.sources());
  ASSERT_TRUE(anew) << anew.error().message;
  EXPECT_EQ(rows, tests::all_rows(anew->database()));
}

TEST_F(Postgresql, AnswersEachQuestionAsSqliteDoes) {
  HistoryFolder folder;
  tests::live_through(folder, 5, 30, [] {});
  auto here = HistoryIndex::open(place(), folder.sources());
  auto there = HistoryIndex::open(folder.place(), folder.sources());
  ASSERT_TRUE(here && there) << here.error().message;
  const auto answers = [](Database& database) {
    const auto reading = database.begin(Database::Access::read);
    EXPECT_TRUE(reading);
    Json all;
    const auto listed = runs(database, {}, 5);
    all["runs"] = {listed->runs, listed->open, listed->of};
    for (const auto& id : candidates_in(database).value()) all["candidates"][id] = candidate(database, id).value();
    const auto checks = flaky(database, {});
    all["flaky"] = {checks->checks, checks->of};
    all["durations"] = durations(database, {}).value();
    for (const auto& by : {TrendBy{}, TrendBy{false, false, true}, TrendBy{true, true, true}}) {
      const auto found = trend(database, {"xavier-nightly", "2026-01", {}}, by);
      all["trend"].push_back({found->months, found->rows});
    }
    const auto since = changed(database, {}, {});
    all["changed"] = {since->run, since->good, since->between, since->changes};
    all["left out"] = left_out(database).value();
    all["scenarios"] = scenarios_in(database).value();
    return all;
  };
  const auto said = answers(here->database());
  EXPECT_EQ(said, answers(there->database()));
  EXPECT_GT(said["candidates"].size(), 3U);
  EXPECT_THAT(said["durations"], Not(IsEmpty()));
}

TEST_F(Postgresql, ManyAtOnceLoseNothing) {
  HistoryFolder folder;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      folder.put(begun_at(good_record(), fmt::format("2026-11-{:02}T02:00:00.000Z", i + 1)));
      const auto index = HistoryIndex::open(place(), folder.sources());
      EXPECT_TRUE(index) << index.error().message;
    });
  }
  for (auto& thread : threads) thread.join();
  auto index = HistoryIndex::open(place(), folder.sources());
  ASSERT_TRUE(index);
  EXPECT_THAT(runs(index->database(), {}, 0)->runs, SizeIs(6));
}

TEST_F(Postgresql, SaysWhatIsWrongAndNoPassword) {
  HistoryFolder folder;
  folder.put(begun_at(good_record(), "2026-11-01T02:00:00.000Z"));
  auto wrong = place();
  wrong.uri.replace(wrong.uri.find("%70"), 3, "X");  // of the password
  const auto refused = HistoryIndex::open(wrong, folder.sources());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::infrastructure);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("'postgresql:///history"), Not(HasSubstr("%3b"))));
  const auto nobody =
      HistoryIndex::open(parse_history_place("postgresql://x@/y?host=/nowhere").value(), folder.sources());
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("/nowhere"));
  // Damage, and the way out of it.
  {
    auto index = HistoryIndex::open(place(), folder.sources());
    ASSERT_TRUE(index);
    ASSERT_TRUE(index->database().drop("verdict"));
    EXPECT_FALSE(candidate(index->database(), "tidy"));
  }
  folder.put(begun_at(good_record(), "2026-11-02T02:00:00.000Z"));
  const auto damaged = HistoryIndex::open(place(), folder.sources());
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().error_class, ErrorClass::configuration) << damaged.error().message;
  EXPECT_THAT(damaged.error().hint, HasSubstr("patchlab history rebuild"));
  ASSERT_TRUE(HistoryIndex::rebuild(place(), folder.sources()));
  EXPECT_TRUE(HistoryIndex::open(place(), folder.sources()));
}

}  // namespace
}  // namespace patchlab::history
