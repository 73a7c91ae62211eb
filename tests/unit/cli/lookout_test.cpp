// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/lookout.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace patchlab::cli {
namespace {

using namespace std::chrono_literals;
using process::page::Facts;
using ::testing::HasSubstr;

Facts seen(const std::string& stage) {
  Facts facts;
  facts.stage = stage;
  facts.scan = process::page::ScanFile{};
  return facts;
}

// Looks go on in another thread: until it is so, within ten seconds.
template <class Condition>
bool becomes(const Condition& condition) {
  for (const auto until = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < until;
       std::this_thread::sleep_for(1ms)) {
    if (condition()) return true;
  }
  return condition();
}

TEST(Lookout, LooksAgain) {
  std::atomic<int> looks = 0;
  const Lookout lookout([&] { return seen(std::to_string(++looks)); }, {.every = 1ms}, [](const std::string&) {});
  EXPECT_TRUE(becomes([&] { return lookout.facts()->stage == "3"; }) || looks > 3);
  EXPECT_EQ(lookout.facts()->stale, "");
  EXPECT_TRUE(lookout.facts()->scan);
}

TEST(Lookout, KnowsNothingAfterALookThatFailedUntilOneSucceeds) {
  std::atomic<bool> fails = false;
  std::string told;
  const Lookout lookout(
      [&] {
        if (fails) throw std::runtime_error("no such thing");
        return seen("here");
      },
      {.every = 1ms}, [&](const std::string& bug) { told = bug; });
  fails = true;
  EXPECT_TRUE(becomes([&] { return !lookout.facts()->stale.empty(); }));
  const auto facts = lookout.facts();
  EXPECT_THAT(facts->stale, HasSubstr("no such thing"));
  EXPECT_FALSE(facts->scan);
  EXPECT_THAT(facts->scan.why, HasSubstr("the last look failed"));
  EXPECT_EQ(facts->stage, "here");
  fails = false;
  EXPECT_TRUE(becomes([&] { return lookout.facts()->stale.empty(); }));
  EXPECT_EQ(told, "no such thing");
}

// It is left to itself when the lookout ends.
TEST(Lookout, KnowsNothingWhileALookDoesNotEnd) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool is_open = true;
    int passed = 0;
    void pass() {
      std::unique_lock lock(mutex);
      opened.wait(lock, [this] { return is_open; });
      ++passed;
      opened.notify_all();
    }
    void set(bool open) {
      const std::lock_guard lock(mutex);
      is_open = open;
      opened.notify_all();
    }
  };
  const auto gate = std::make_shared<Gate>();
  {
    const Lookout lookout(
        [gate] {
          gate->pass();
          return seen("here");
        },
        {.every = 1ms, .most = 20ms, .end = 1ms}, [](const std::string&) {});
    EXPECT_TRUE(becomes([&] { return lookout.facts()->stale.empty(); }));
    gate->set(false);
    EXPECT_TRUE(becomes([&] { return !lookout.facts()->stale.empty(); }));
    EXPECT_THAT(lookout.facts()->scan.why, HasSubstr("the next one does not end"));
    gate->set(true);
    EXPECT_TRUE(becomes([&] { return lookout.facts()->stale.empty(); }));
    gate->set(false);
    EXPECT_TRUE(becomes([&] { return !lookout.facts()->stale.empty(); }));
  }
  gate->set(true);
}

}  // namespace
}  // namespace patchlab::cli
