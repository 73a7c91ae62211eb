// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/room.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// 16 000 MiB, of which machines may have 15 000.
class HostRoom : public ::testing::Test {
 protected:
  [[nodiscard]] Room room(const std::string& run) {
    const auto scratch = folder_.path() / "cells" / run;
    EXPECT_TRUE(create_folders(scratch));
    return {scratch, [this]() -> Result<HostMemory> { return memory_; }};
  }
  test::TemporaryFolder folder_;
  HostMemory memory_{16'000, 16'000};
};

TEST_F(HostRoom, IsPromisedUntilThereIsNoneAndGivenBack) {
  auto one = room("one");
  auto finance = one.ask("finance", 8'000, 0).value();
  ASSERT_TRUE(finance.room);
  EXPECT_THAT(finance.why, IsEmpty());
  auto engineering = one.ask("engineering", 7'001, 8'000).value();
  EXPECT_FALSE(engineering.room);
  EXPECT_EQ(engineering.why,
            "it needs 7001 MiB of memory, and of 15000 that machines may have here 8000 are promised to 'finance'");
  EXPECT_TRUE(one.ask("small", 7'000, 8'000).value().room) << "exactly all";
  finance.room.reset();
  EXPECT_TRUE(one.ask("engineering", 7'001, 0).value().room);
  EXPECT_THAT(entries_of(folder_.path() / "cells" / "one" / "memory").value(), IsEmpty())
      << "nothing is left of who is done";
}

TEST_F(HostRoom, IsOneForAllRuns) {
  auto one = room("one"), other = room("other");
  const auto finance = one.ask("finance", 8'000, 0).value();
  auto waits = other.ask("finance", 8'000, 0).value();
  EXPECT_FALSE(waits.room);
  EXPECT_THAT(waits.why, HasSubstr("'finance' of another run"));
  EXPECT_EQ(entries_of(folder_.path() / "cells").value().size(), 2U) << "whatever else lies there is a run's leftover";
}

TEST_F(HostRoom, OfAKilledRunIsFree) {
  auto one = room("one");
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto killed = room("killed");
    const auto held = killed.ask("finance", 8'000, 0);
    ::_exit(held && held->room ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  ASSERT_FALSE(entries_of(folder_.path() / "cells" / "killed" / "memory").value().empty());
  EXPECT_TRUE(one.ask("engineering", 15'000, 0).value().room);
}

// What other programs took meanwhile is not there, though nobody promised it; what this run has not used yet is as good
// as taken.
TEST_F(HostRoom, IsNotThereWhereOtherProgramsUseTheMemory) {
  auto one = room("one");
  const auto finance = one.ask("finance", 4'000, 0).value();
  memory_.available_mib = 9'000;
  const auto waits = one.ask("engineering", 6'001, 1'000).value();
  EXPECT_FALSE(waits.room) << "6001 and 3000 that finance will use are more than 9000";
  EXPECT_EQ(waits.why, "it needs 6001 MiB of memory, and 6000 are available beside what was promised to 'finance'");
  EXPECT_TRUE(one.ask("engineering", 6'000, 1'000).value().room);
}

TEST_F(HostRoom, IsGivenToWhoIsAloneWithAWord) {
  auto one = room("one");
  const auto huge = one.ask("finance", 20'000, 0).value();
  EXPECT_TRUE(huge.room);
  EXPECT_EQ(huge.why,
            "it needs 20000 MiB of memory, and there are 15000; it begins all the same, as nobody could give any back");
  EXPECT_FALSE(one.ask("engineering", 1, 0).value().room);
}

TEST_F(HostRoom, CannotBePromisedByAHostThatDoesNotSay) {
  const auto scratch = folder_.path() / "cells" / "run";
  ASSERT_TRUE(create_folders(scratch));
  Room room(scratch, []() -> Result<HostMemory> { return infrastructure_error("no"); });
  EXPECT_EQ(room.ask("finance", 1, 0).error().error_class, ErrorClass::infrastructure);
}

TEST(MemoryOfThisHost, IsWhatTheKernelSays) {
  const auto memory = memory_of_this_host().value();
  EXPECT_GT(memory.available_mib, 0U);
  EXPECT_GT(memory.total_mib, memory.available_mib);
}

}  // namespace
}  // namespace patchlab::runners::host
