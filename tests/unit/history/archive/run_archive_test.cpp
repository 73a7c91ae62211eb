// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/archive/run_archive.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::history {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

class RunArchiveTest : public testing::Test {
 protected:
  RunArchiveTest()
      : folder_(fs::path(testing::TempDir()) / ("patchlab-archive-" + std::to_string(::getpid()) + "-" +
                                                testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
  }
  ~RunArchiveTest() override { fs::remove_all(folder_); }

  // A run as the engine leaves it.
  void add(const std::string& id) {
    auto record = tests::good_record();
    record.id = id;
    fs::create_directories(folder_ / id);
    ASSERT_TRUE(archive_.keep(record));
  }

  fs::path folder_;
  RunArchive archive_{folder_};
};

TEST_F(RunArchiveTest, ListsTheNewestFirstAndOnlyWhatHasARecord) {
  EXPECT_THAT(archive_.list(), IsEmpty());
  add("20261121-060250-0001");
  add("20261122-060250-0001");
  add("20261120-060250-0001");
  fs::create_directories(folder_ / "20261130-000000-dead");  // killed before its end
  ASSERT_TRUE(write_file_atomically(folder_ / "ledger.jsonl", ""));
  EXPECT_THAT(archive_.list(), ElementsAre("20261122-060250-0001", "20261121-060250-0001", "20261120-060250-0001"));
  EXPECT_EQ(archive_.latest().value(), folder_ / "20261122-060250-0001" / "run.json");
}

TEST_F(RunArchiveTest, FindsARunByIdByFolderAndByFile) {
  add("20261121-060250-0001");
  add("20261122-060250-0001");
  const auto file = folder_ / "20261121-060250-0001" / "run.json";
  EXPECT_EQ(archive_.find("20261121-060250-0001").value(), file);
  EXPECT_EQ(archive_.find(file.parent_path().string()).value(), file);
  EXPECT_EQ(archive_.find(file.string()).value(), file);
  EXPECT_EQ(archive_.find("latest").value(), folder_ / "20261122-060250-0001" / "run.json");
  EXPECT_EQ(archive_.read("20261121-060250-0001")->id, "20261121-060250-0001");
}

TEST_F(RunArchiveTest, SaysWhatThereIsWhenARunIsNotThere) {
  fs::create_directories(folder_);
  EXPECT_THAT(archive_.latest().error().message, HasSubstr("there is no run in '"));
  EXPECT_EQ(archive_.find("nosuch").error().hint, "there are no runs in that folder; name another with --runs");
  for (const char* day : {"19", "20", "21", "22"}) add(std::string("202611") + day + "-060250-0001");
  EXPECT_THAT(archive_.find("nosuch").error().message, HasSubstr("there is no run 'nosuch': no file or folder"));
  EXPECT_EQ(archive_.find("nosuch").error().hint,
            "the newest there: 20261122-060250-0001, 20261121-060250-0001, 20261120-060250-0001");
  EXPECT_THAT(archive_.find("20261119-060250").error().hint,
              testing::StartsWith("did you mean 20261119-060250-0001"));  // although it is not among the newest
}

TEST_F(RunArchiveTest, SaysWhichRunLeftNoRecord) {
  EXPECT_EQ(archive_.newer_without_record(), "");
  add("20261122-060250-0001");
  for (const char* id : {"20261121-000000-dead", "20261123-000000-dead"}) {
    fs::create_directories(folder_ / id);
    ASSERT_TRUE(write_file_atomically(folder_ / id / "events.jsonl", ""));
  }
  fs::create_directories(folder_ / "not-a-run");
  EXPECT_EQ(archive_.newer_without_record(), "20261123-000000-dead");
  EXPECT_EQ(archive_.find("20261123-000000-dead").error().message,
            "run '20261123-000000-dead' has no record: it is under way, or was killed");
  add("20261124-060250-0001");
  EXPECT_EQ(archive_.newer_without_record(), "") << "what came later counts";
}

TEST_F(RunArchiveTest, AFolderThatIsNotThereIsNoEmptyArchive) {
  EXPECT_THAT(archive_.latest().error().message, HasSubstr("looking for the latest run"));
}

TEST_F(RunArchiveTest, FindsTheRunBeforeOfTheSameScenarioThatEnded) {
  for (const char* id :
       {"20261118-060250-0001", "20261119-060250-0001", "20261120-060250-0001", "20261122-060250-0001"})
    add(id);
  const auto change = [&](const std::string& id, const auto& how) {
    auto record = archive_.read(id).value();
    how(record);
    ASSERT_TRUE(archive_.keep(record));
  };
  change("20261120-060250-0001", [](auto& record) { record.scenario_name = "another"; });
  change("20261119-060250-0001", [](auto& record) { record.complete = false; });
  fs::create_directories(folder_ / "20261121-060250-0001");
  ASSERT_TRUE(write_file_atomically(folder_ / "20261121-060250-0001" / "run.json", "{ no record"));
  auto record = tests::good_record();
  record.id = "20261121-235900-0001";
  ASSERT_TRUE(archive_.before(record));
  EXPECT_EQ(archive_.before(record)->id, "20261118-060250-0001") << "not itself, nor a newer one";
  record.id = "20261118-060250-0001";
  EXPECT_FALSE(archive_.before(record));
  EXPECT_FALSE(RunArchive(folder_ / "nowhere").before(record));
}

TEST_F(RunArchiveTest, KeepsReportsBesideTheRecord) {
  add("20261122-060250-0001");
  ASSERT_TRUE(archive_.keep_report("20261122-060250-0001", "junit.xml", "<testsuites/>"));
  EXPECT_EQ(read_file(folder_ / "20261122-060250-0001" / "junit.xml").value(), "<testsuites/>");
  EXPECT_FALSE(archive_.keep_report("20261123-060250-0001", "junit.xml", "<testsuites/>")) << "of no run";
}

}  // namespace
}  // namespace patchlab::history
