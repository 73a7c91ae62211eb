// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_answers.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SetClock final : public Clock {
 public:
  std::chrono::system_clock::time_point time = *parse_rfc3339("2026-11-28T02:00:00Z");
  Milliseconds now() const override { return {}; }
  std::chrono::system_clock::time_point wall() const override { return time; }
  void pause(Milliseconds) override {}
};

reports::TrialRecord answered(const std::string& id, Outcome outcome = Outcome::fail) {
  reports::TrialRecord record{.id = id, .candidates = {"a"}, .set_digest = "set", .machines = {"dns"}};
  record.outcome = outcome;
  record.signature = {"dns/works"};
  record.evidence_folder = "evidence/" + id;
  record.duration_ms = 1000;
  return record;
}

class KeptAnswersTest : public ::testing::Test {
 protected:
  KeptAnswers of_run(const std::string& run, const std::string& program = "program",
                     Milliseconds age = std::chrono::hours(24)) {
    return {{.folder = folder_.path(), .run = run, .asked_by = program, .most_age = age},
            clock_,
            [this](const std::string& sentence) { told_.push_back(sentence); }};
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& path : entries_below(folder_.path()).value()) {
      if (is_file(path)) found.push_back(path);
    }
    return found;
  }

  const test::TemporaryFolder folder_;
  SetClock clock_;
  std::vector<std::string> told_;
};

TEST_F(KeptAnswersTest, GivesTheLatestFirstAndSaysWhoseTheyAre) {
  of_run("20261126-010000-aaaa").keep("key", answered("finance/t03"));
  auto second = of_run("20261127-010000-bbbb");
  second.keep("key", answered("finance/t04"));
  second.keep("key", answered("finance/t05", Outcome::pass));
  auto tonight = of_run("20261128-010000-cccc");
  tonight.keep("key", answered("finance/t09"));
  const auto latest = tonight.earlier("key", 0);
  ASSERT_TRUE(latest);
  EXPECT_EQ(latest->reused_run, "20261127-010000-bbbb");
  EXPECT_EQ(latest->reused_from, "finance/t05");
  EXPECT_EQ(latest->outcome, Outcome::pass);
  EXPECT_EQ(latest->evidence_folder, "") << "it is not in this run's folder";
  EXPECT_EQ(tonight.earlier("key", 1)->reused_from, "finance/t04");
  EXPECT_THAT(tonight.earlier("key", 1)->signature, ElementsAre("dns/works"));
  EXPECT_EQ(tonight.earlier("key", 2)->reused_run, "20261126-010000-aaaa");
  EXPECT_FALSE(tonight.earlier("key", 3)) << "its own are not earlier ones";
  EXPECT_FALSE(tonight.earlier("another key", 0));
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(KeptAnswersTest, NumbersStayWhateverOthersAddMeanwhile) {
  of_run("20261126-010000-aaaa").keep("key", answered("finance/t03"));
  auto tonight = of_run("20261128-010000-cccc");
  EXPECT_EQ(tonight.earlier("key", 0)->reused_from, "finance/t03");
  of_run("20261127-010000-bbbb").keep("key", answered("finance/t04"));
  EXPECT_FALSE(tonight.earlier("key", 1)) << "or one execution would be given twice";
}

TEST_F(KeptAnswersTest, AreOfOneProgramAndOneAge) {
  of_run("20261127-010000-bbbb").keep("key", answered("finance/t03"));
  EXPECT_TRUE(of_run("now").earlier("key", 0));
  EXPECT_FALSE(of_run("now", "another program").earlier("key", 0));
  EXPECT_FALSE(of_run("now", "program", Milliseconds{0}).earlier("key", 0));
  clock_.time += std::chrono::hours(25);
  EXPECT_FALSE(of_run("now").earlier("key", 0));
  clock_.time -= std::chrono::hours(26);
  EXPECT_FALSE(of_run("now").earlier("key", 0)) << "kept in the future";
  EXPECT_THAT(files(), SizeIs(1)) << "another run may take what is too old for this one";
}

TEST_F(KeptAnswersTest, WhatIsNoAnswerIsNotKept) {
  auto run = of_run("20261127-010000-bbbb");
  for (const auto outcome : {Outcome::error, Outcome::skipped, Outcome::not_reached})
    run.keep("key", answered("f/t1", outcome));
  auto reused = answered("f/t2");
  reused.reused_from = "f/t1";
  run.keep("key", reused);
  EXPECT_THAT(files(), IsEmpty());
}

// Whatever is done to a file: it is not believed, it is told, and it is gone.
TEST_F(KeptAnswersTest, BelievesNoFileThatIsNotAsItWasWritten) {
  const std::vector<std::pair<const char*, std::function<void(const fs::path&)>>> tampering{
      {"a pass made of a fail",
       [](const auto& file) {
         auto text = read_file(file).value();
         text.replace(text.find("\"fail\""), 6, "\"pass\"");
         std::ofstream(file) << text;
       }},
      {"cut off", [](const auto& file) { fs::resize_file(file, fs::file_size(file) / 2); }},
      {"empty", [](const auto& file) { fs::resize_file(file, 0); }},
      {"another run's name",
       [](const auto& file) {
         auto name = file.filename().string();
         fs::rename(file, file.parent_path() / name.replace(0, 8, "20261125"));
       }},
      {"a link",
       [](const auto& file) {
         fs::rename(file, file.parent_path().parent_path() / "elsewhere");
         fs::create_symlink(file.parent_path().parent_path() / "elsewhere", file);
       }},
      {"a pipe",
       [](const auto& file) {
         fs::remove(file);
         ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
       }},
      {"a folder", [](const auto& file) {
         fs::remove(file);
         fs::create_directory(file);
       }}};
  for (const auto& [what, tamper] : tampering) {
    SCOPED_TRACE(what);
    told_.clear();
    of_run("20261127-010000-bbbb").keep("key", answered("finance/t03"));
    const auto file = files().front();
    tamper(file);
    EXPECT_FALSE(of_run("now").earlier("key", 0));
    EXPECT_THAT(told_, ElementsAre(HasSubstr("is not used, and removed")));
    EXPECT_FALSE(of_run("now").earlier("key", 0));
    EXPECT_THAT(told_, SizeIs(1)) << "it is gone";
    fs::remove(folder_.path() / "elsewhere");
  }
  // Another question's answer, moved below this one.
  told_.clear();
  of_run("20261127-010000-bbbb").keep("key", answered("finance/t03"));
  of_run("20261127-010000-bbbb").keep("other", answered("finance/t04"));
  const auto all = files();
  const bool first = read_file(all[0]).value().find("\"other\"") != std::string::npos;
  fs::rename(all[first ? 0 : 1], all[first ? 1 : 0].parent_path() / all[first ? 0 : 1].filename());
  EXPECT_EQ(of_run("now").earlier("key", 0)->reused_from, "finance/t03");
  EXPECT_THAT(told_, SizeIs(1));
}

TEST_F(KeptAnswersTest, TrimsTheOldest) {
  for (const auto* run : {"20261125-a", "20261126-a", "20261127-a"}) {
    of_run(run).keep(std::string("key of ") + run, answered("finance/t03"));
    for (const auto& file : files()) {
      if (file.filename().string().starts_with(run))
        fs::last_write_time(file, fs::file_time_type::clock::now() -
                                      std::chrono::hours(24 * (28 - std::stoi(std::string(run).substr(6, 2)))));
    }
  }
  const auto one = fs::file_size(files().front());
  KeptAnswers tight({.folder = folder_.path(),
                     .run = "now",
                     .asked_by = "program",
                     .most_age = std::chrono::hours(24),
                     .most_bytes = one + one / 2},
                    clock_, [](const auto&) {});
  tight.trim();
  ASSERT_THAT(files(), SizeIs(1));
  EXPECT_THAT(files().front().filename().string(), HasSubstr("20261127"));
  EXPECT_THAT(entries_of(folder_.path()).value(), SizeIs(1)) << "empty folders are gone";
}

TEST_F(KeptAnswersTest, TroubleWithTheDiskIsToldOnceAndEndsNothing) {
  std::ofstream(folder_.path() / "file") << "in the way";
  KeptAnswers run({.folder = folder_.path() / "file", .run = "r", .asked_by = "p", .most_age = std::chrono::hours(1)},
                  clock_, [this](const std::string& sentence) { told_.push_back(sentence); });
  run.keep("key", answered("f/t1"));
  run.keep("key", answered("f/t2"));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("are not kept for the next")));
  EXPECT_FALSE(run.earlier("key", 0));
  run.trim();
}

}  // namespace
}  // namespace patchlab::runners
