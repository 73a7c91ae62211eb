// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// One store and several processes, of which some are killed at any moment, also between the last byte and the rename.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "lab/core/paths.hpp"
#include "snapshots/store/state_store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::snapshots {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

const std::string key(64, 'a');
constexpr std::uintmax_t most_bytes = 1U << 30U;
constexpr std::size_t disk_bytes = 3U << 20U;

class StateStoreProcesses : public ::testing::Test {
 protected:
  StateStore store() {
    return {states_, most_bytes, system_clock_source(),
            [this](const std::string& sentence) { told_.push_back(sentence); }};
  }
  StateStore::Files files(const std::string& name) const {
    return {{"dns", folder_.path() / name / "dns.qcow2"}, {"mail", folder_.path() / name / "mail.qcow2"}};
  }
  // Both disks of a state are of one letter, so that two that are mixed show.
  StateStore::Files disks_of(char letter) const {
    const std::string name(1, letter);
    for (const auto& [machine, path] : files(name)) folder_.write(path, std::string(disk_bytes, letter));
    return files(name);
  }
  void keep(char letter, const StateStore::Files& disks, int number) {
    store().keep({.key = key,
                  .purpose = "test",
                  .run = fmt::format("{}-{}", letter, number),
                  .made = std::chrono::system_clock::now(),
                  .most_age = std::chrono::hours(1)},
                 disks);
  }
  // Ends with an exit code, or is killed. Says with the code whether something was told that should not be.
  template <class Work>
  static pid_t start(const Work& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work() ? 0 : 1);
    return child;
  }
  static int end_of(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }
  // Nothing, or one whole state of one letter.
  [[nodiscard]] bool brings_something_whole(const std::string& name) {
    fs::create_directories(folder_.path() / name);
    const auto there = files(name);
    const auto state = store().bring(
        key, [](const auto&) { return true; }, there);
    if (!state) return told_.empty();
    const auto dns = read_file(there.at("dns")).value();
    return told_.empty() && dns == std::string(disk_bytes, state->run[0]) && dns == read_file(there.at("mail")).value();
  }

  const test::TemporaryFolder folder_;
  const fs::path states_ = folder_.path() / "states";
  std::vector<std::string> told_;
};

TEST_F(StateStoreProcesses, SeveralAtOnceNeverMixTheirStates) {
  std::vector<pid_t> children;
  for (const char letter : {'x', 'y'}) {
    const auto disks = disks_of(letter);
    children.push_back(start([&] {
      for (int i = 0; i < 15; ++i) keep(letter, disks, i);
      return told_.empty();
    }));
  }
  for (const char* name : {"reader-1", "reader-2"}) {
    children.push_back(start([&] {
      for (int i = 0; i < 20; ++i) {
        if (!brings_something_whole(name)) return false;
      }
      return true;
    }));
  }
  for (const auto child : children) EXPECT_EQ(end_of(child), 0);
  EXPECT_TRUE(brings_something_whole("last"));
  EXPECT_TRUE(is_there(files("last").at("dns")));
}

TEST_F(StateStoreProcesses, WhatAProcessBringsIsNotGivenUpMeanwhile) {
  keep('x', disks_of('x'), 0);
  const auto child = start([&] {
    while (brings_something_whole("next")) {
    }
    return false;
  });
  const auto is_held = [&] {
    const auto free = FileLock::try_take(states_ / key / "in-use", FileLock::Mode::exclusive);
    return !free || !*free;
  };
  // Stopped in the middle of it: where it is then shows in the lock.
  bool stopped = false;
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
       !stopped && std::chrono::steady_clock::now() < end;) {
    if (!is_there(states_ / key / "in-use") || !is_held()) continue;
    ::kill(child, SIGSTOP);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status)) << "it came to its end";
    const auto free = FileLock::try_take(states_ / "lock", FileLock::Mode::exclusive);
    stopped = is_held() && free && *free;  // it copies, and holds up nobody else
    if (!stopped) ::kill(child, SIGCONT);
  }
  ASSERT_TRUE(stopped);
  EXPECT_THAT(store().trim(0).value(), IsEmpty());
  ::kill(child, SIGKILL);
  end_of(child);
  EXPECT_EQ(store().trim(0).value().size(), 1U);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(StateStoreProcesses, AKilledWriterLeavesTheOldStateOrTheNewOneOrNone) {
  std::mt19937 random(20261129);
  const auto x = disks_of('x');
  const auto y = disks_of('y');
  keep('x', x, 0);
  int killed = 0;
  for (int i = 1; i <= 40; ++i) {
    const char letter = i % 2 == 0 ? 'x' : 'y';
    const auto child = start([&] {
      keep(letter, letter == 'x' ? x : y, i);
      return true;
    });
    ::usleep(std::uniform_int_distribution<useconds_t>(0, 30'000)(random));
    ::kill(child, SIGKILL);
    if (WIFSIGNALED(end_of(child))) ++killed;
    ASSERT_TRUE(brings_something_whole("next")) << testing::PrintToString(told_);
  }
  EXPECT_GT(killed, 5) << "moments within the writing";
  keep('x', x, 100);
  EXPECT_TRUE(brings_something_whole("next"));
  EXPECT_TRUE(is_there(files("next").at("dns")));
  for (const auto& entry : entries_of(states_).value())
    EXPECT_TRUE(entry.filename() == key || entry.filename() == "lock") << entry << " is left";
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace patchlab::snapshots
