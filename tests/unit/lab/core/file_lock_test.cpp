// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/file_lock.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/core/paths.hpp"
#include "tests/support/fake_clock.hpp"

namespace patchlab {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;
using Mode = FileLock::Mode;

class Lock : public ::testing::Test {
 protected:
  Lock() {
    std::string pattern = ::testing::TempDir() + "patchlab-lock-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "lock";
  }
  ~Lock() override { static_cast<void>(remove_tree(folder_)); }

  // As somebody who may only read the file does it.
  static FileDescriptor shared_by_a_reader(const fs::path& path) {
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(::flock(file.get(), LOCK_SH | LOCK_NB), 0);
    return file;
  }
  [[nodiscard]] fs::perms mode() const { return fs::status(path_).permissions(); }

  fs::path folder_;
  fs::path path_;
};

TEST_F(Lock, IsHeldByOneAtATime) {
  auto first = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_FALSE(FileLock::take(path_, Mode::exclusive, FileLock::at_once()));
  EXPECT_FALSE(FileLock::take(path_, Mode::shared, FileLock::at_once()));
  first = infrastructure_error("given back");
  EXPECT_TRUE(FileLock::take(path_, Mode::exclusive, FileLock::at_once()));
}

TEST_F(Lock, IsTriedAgainAndAgain) {
  auto first = FileLock::try_take(path_, Mode::exclusive).value();
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::try_take(path_, Mode::shared).value());
  first.reset();
  EXPECT_TRUE(FileLock::try_take(path_, Mode::shared).value());
  EXPECT_FALSE(FileLock::try_take(path_ / "below-a-file", Mode::shared)) << "nobody holds what cannot be there";
}

TEST_F(Lock, WhoHoldsItIsNamed) {
  const auto held = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  ASSERT_TRUE(held);
  const auto refused = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("'" + path_.string() + "' is in use by process " + std::to_string(::getpid()) + " ("));
  EXPECT_THAT(refused.error().message, HasSubstr("lab_core_test"));
}

TEST_F(Lock, TheWaitHasAnEnd) {
  const auto held = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  test::FakeClock clock;
  const auto start = clock.now();
  std::string told;
  const auto refused = FileLock::take(path_, Mode::exclusive,
                                      {.limit = std::chrono::seconds(30),
                                       .waiting = [&](const std::string& holder) { told = holder; },
                                       .clock = &clock});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::timeout);
  EXPECT_THAT(refused.error().message, HasSubstr("waited 30.0 s"));
  EXPECT_THAT(told, HasSubstr("process " + std::to_string(::getpid())));
  EXPECT_EQ(clock.now() - start, std::chrono::seconds(30));
}

TEST_F(Lock, TheWaitEndsWhenAskedTo) {
  const auto held = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  test::FakeClock clock;
  std::stop_source stop;
  stop.request_stop();
  const auto refused = FileLock::take(path_, Mode::exclusive,
                                      {.limit = std::chrono::hours(1), .stop = stop.get_token(), .clock = &clock});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::cancelled);
}

TEST_F(Lock, IsForItsOwnerAloneWhateverTheUmask) {
  const auto before = ::umask(0);
  const auto lock = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  ::umask(before);
  ASSERT_TRUE(lock);
  EXPECT_EQ(mode(), fs::perms(0600));
}

TEST_F(Lock, OneThatEverybodyCouldReadIsClosedToOthers) {
  ASSERT_TRUE(write_file_atomically(path_, "", 0644));
  ASSERT_TRUE(FileLock::take(path_, Mode::exclusive, FileLock::at_once()));
  EXPECT_EQ(mode(), fs::perms(0600));
}

TEST_F(Lock, ASharedOneLeavesTheFileReadable) {
  ASSERT_TRUE(write_file_atomically(path_, "content", 0444));
  const auto one = FileLock::take(path_, Mode::shared, FileLock::at_once());
  const auto other = FileLock::take(path_, Mode::shared, FileLock::at_once());
  EXPECT_TRUE(one && other);
  EXPECT_EQ(mode(), fs::perms(0444));
}

TEST_F(Lock, AReaderCannotKeepUsWaitingForEver) {
  ASSERT_TRUE(write_file_atomically(path_, "", 0644));
  const auto reader = shared_by_a_reader(path_);
  test::FakeClock clock;
  EXPECT_FALSE(FileLock::take(path_, Mode::exclusive, {.limit = std::chrono::seconds(5), .clock = &clock}));
}

TEST_F(Lock, IsNeverMadeAtTheEndOfALink) {
  fs::create_symlink(folder_ / "elsewhere", path_);
  const auto refused = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is a symbolic link"));
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
  ASSERT_TRUE(write_file_atomically(folder_ / "elsewhere", "precious", 0644));
  EXPECT_FALSE(FileLock::take(path_, Mode::exclusive, FileLock::at_once()));
  EXPECT_EQ(fs::status(folder_ / "elsewhere").permissions(), fs::perms(0644));
}

TEST_F(Lock, MustBeARegularFile) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(FileLock::take(path_, Mode::exclusive, FileLock::at_once()).error().message,
              HasSubstr("is no regular file"));
}

TEST_F(Lock, OnAFileThatWasRemovedIsTakenAnew) {
  const auto old = FileLock::take(path_, Mode::exclusive, FileLock::at_once());
  ASSERT_TRUE(old);
  fs::remove(path_);
  EXPECT_TRUE(FileLock::take(path_, Mode::exclusive, FileLock::at_once()));
  EXPECT_TRUE(fs::exists(path_));
}

}  // namespace
}  // namespace patchlab
