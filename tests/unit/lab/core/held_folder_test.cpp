// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/held_folder.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

namespace fs = std::filesystem;

class Held : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> there() const {
    std::vector<std::string> names;
    for (const auto& entry : entries_of(parent()).value_or({})) names.push_back(entry.filename());
    return names;
  }
  [[nodiscard]] fs::path parent() const { return folder_.path() / "below"; }

  test::TemporaryFolder folder_;
};

TEST_F(Held, IsGoneWithItsHolder) {
  {
    const auto first = HeldFolder::make_in(parent(), "work-");
    const auto second = HeldFolder::make_in(parent(), "work-");
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->path(), second->path());
    EXPECT_EQ(fs::status(first->path()).permissions(), fs::perms::owner_all);
    fs::create_directories(first->path() / "deep/er");
    const auto named = HeldFolder::make(parent() / "named");
    ASSERT_TRUE(named);
    EXPECT_TRUE(fs::is_directory(parent() / "named"));
  }
  EXPECT_THAT(there(), IsEmpty());
}

TEST_F(Held, IsLeftAloneWhileSomebodyWorksInIt) {
  const auto held = HeldFolder::make(parent() / "run");
  ASSERT_TRUE(held);
  EXPECT_THAT(remove_abandoned(parent()), IsEmpty());
  EXPECT_THAT(there(), UnorderedElementsAre("run", "run.lock"));
}

// Killed before the folder, behind it, and in the middle of the work.
TEST_F(Held, OfOneThatWasKilledIsRemovedByTheNext) {
  const auto child = ::fork();
  if (child == 0) {
    const auto mine = HeldFolder::make(parent() / "worked");
    if (mine) fs::create_directories(mine->path() / "deep");
    ::_exit(mine ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  folder_.write("below/begun.lock", "");
  folder_.write("below/made.lock", "");
  fs::create_directories(parent() / "made");
  EXPECT_THAT(remove_abandoned(parent()), UnorderedElementsAre(parent() / "made", parent() / "worked"));
  EXPECT_THAT(there(), IsEmpty());
}

TEST_F(Held, IsAbandonedOnlyUnderThePrefix) {
  folder_.write("below/.import-1.lock", "");
  folder_.write("below/golden.lock", "");
  fs::create_directories(parent() / "golden");
  EXPECT_THAT(remove_abandoned(parent(), ".import-"), IsEmpty());
  EXPECT_THAT(there(), UnorderedElementsAre("golden", "golden.lock"));
}

TEST_F(Held, WhatNobodyMadeAsOneIsLeftAlone) {
  fs::create_directories(parent() / "without");
  folder_.write("elsewhere/kept", "");
  fs::create_directory_symlink(folder_.path() / "elsewhere", parent() / "link");
  folder_.write("below/link.lock", "");
  fs::create_symlink(folder_.path() / "elsewhere/kept", parent() / "without.lock");
  EXPECT_THAT(remove_abandoned(parent()), IsEmpty());
  EXPECT_TRUE(is_there(folder_.path() / "elsewhere/kept"));
  EXPECT_THAT(there(), UnorderedElementsAre("without", "without.lock", "link"));
}

TEST_F(Held, OfAnotherUserIsLeftAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  constexpr uid_t nobody = 65534;
  folder_.write("below/theirs.lock", "");
  fs::create_directories(parent() / "theirs");
  ASSERT_EQ(::chown((parent() / "theirs.lock").c_str(), nobody, nobody), 0);
  EXPECT_THAT(remove_abandoned(parent()), IsEmpty());
  EXPECT_THAT(there(), UnorderedElementsAre("theirs", "theirs.lock"));
  ASSERT_EQ(::chown((parent() / "theirs.lock").c_str(), 0, 0), 0);
  ASSERT_EQ(::chown((parent() / "theirs").c_str(), nobody, nobody), 0);
  EXPECT_THAT(remove_abandoned(parent()), IsEmpty());
  EXPECT_THAT(there(), ElementsAre("theirs"));
}

// Whoever looks for abandoned ones takes away what is, on the way to a new one.
TEST_F(Held, TakesAwayWhatIsAbandonedUnderItsPrefixOnTheWay) {
  folder_.write("below/work-1.lock", "");
  fs::create_directories(parent() / "work-1");
  folder_.write("below/other.lock", "");
  const auto held = HeldFolder::make_in(parent(), "work-");
  ASSERT_TRUE(held);
  const auto name = held->path().filename().string();
  EXPECT_THAT(there(), UnorderedElementsAre(name, name + ".lock", "other.lock"));
}

TEST_F(Held, CannotBeMadeWhereNobodyMayWrite) {
  folder_.write("below", "");
  const auto held = HeldFolder::make(parent() / "run");
  ASSERT_FALSE(held);
  const auto in = HeldFolder::make_in(parent(), "work-");
  ASSERT_FALSE(in);
}

TEST_F(Held, StaysWhenItIsKept) {
  {
    auto held = HeldFolder::make(parent() / "seen");
    ASSERT_TRUE(held);
    held->keep();
  }
  EXPECT_THAT(remove_abandoned(parent()), IsEmpty());
  EXPECT_THAT(there(), ElementsAre("seen"));
  const auto again = HeldFolder::make(parent() / "seen");
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("seen' already"));
  EXPECT_THAT(there(), ElementsAre("seen")) << "no lock is left of who got nothing";
}

TEST_F(Held, IsNeverTakenFromItsHolderHoweverManyLookAndWork) {
  std::atomic<bool> done{false};
  std::atomic<int> lost{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) (void)remove_abandoned(parent());
    });
  }
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 60; ++n) {
        const auto mine = HeldFolder::make_in(parent(), "");
        if (!mine || !write_file_atomically(mine->path() / "work", "done") || !is_file(mine->path() / "work")) ++lost;
      }
    });
  }
  for (std::size_t i = 2; i < threads.size(); ++i) threads[i].join();
  done = true;
  threads[0].join();
  threads[1].join();
  EXPECT_EQ(lost, 0);
  (void)remove_abandoned(parent());
  EXPECT_THAT(there(), IsEmpty());
}

}  // namespace
}  // namespace patchlab
