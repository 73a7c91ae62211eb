// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/state_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "lab/core/file_lock.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::snapshots {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string key_a(64, 'a');
const std::string key_b(64, 'b');
constexpr std::uintmax_t mib = 1U << 20U;

class StateStoreTest : public ::testing::Test {
 protected:
  StateStoreTest() {
    disks_["dns"] = folder_.write("cell/dns.qcow2", "names and addresses");
    disks_["mail"] = folder_.write("cell/mail.qcow2", std::string(100'000, 'm'));
    for (const auto& [machine, path] : disks_) there_[machine] = folder_.path() / "next" / (machine + ".qcow2");
    fs::create_directory(folder_.path() / "next");
  }
  StateStore store(std::uintmax_t most_bytes = 100 * mib) {
    return {states_, most_bytes, clock_, [this](const std::string& sentence) { told_.push_back(sentence); }};
  }
  StoredState state(const std::string& key, const std::string& run = "r1") const {
    return {.key = key,
            .purpose = "baseline of finance",
            .run = run,
            .made = clock_.wall(),
            .most_age = std::chrono::hours(24),
            .facts = {{"ticks", 2596}}};
  }
  void keep(const std::string& key = key_a, const std::string& run = "r1") { store().keep(state(key, run), disks_); }
  std::optional<StoredState> bring(const std::string& key = key_a) {
    return store().bring(
        key, [](const auto&) { return true; }, there_);
  }
  [[nodiscard]] fs::path entry(const std::string& name = {}) const { return states_ / key_a / name; }
  // The keys of what goes.
  std::vector<std::string> trim(std::uintmax_t most_bytes, std::optional<Milliseconds> most_age = std::nullopt) {
    std::vector<std::string> keys;
    gone_ = store().trim(most_bytes, most_age).value();
    for (const auto& one : gone_) keys.push_back(one.key);
    return keys;
  }
  // It is refused, removed and told of, and nothing of it is left where it was to go.
  void expect_refused(const std::string& why) {
    told_.clear();
    EXPECT_FALSE(bring());
    EXPECT_THAT(told_, ElementsAre(HasSubstr(why)));
    EXPECT_FALSE(is_there(entry()));
    for (const auto& [machine, path] : there_) EXPECT_FALSE(is_there(path));
    keep();
  }
  static mode_t mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0);
    return info.st_mode & 0777U;
  }
  static void set_used(const fs::path& path, int seconds) {
    const timespec times[] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  const test::TemporaryFolder folder_;
  const fs::path states_ = folder_.path() / "cache" / "states";
  test::FakeClock clock_;
  StateStore::Files disks_;
  StateStore::Files there_;
  std::vector<std::string> told_;
  std::vector<StateStore::Gone> gone_;
};

TEST_F(StateStoreTest, BringsTheBytesThatWereKeptAndWhatWasSaidOfThem) {
  EXPECT_FALSE(bring());
  EXPECT_FALSE(is_there(states_)) << "a question makes nothing";
  keep();
  const auto brought = bring();
  ASSERT_TRUE(brought);
  EXPECT_EQ(brought->run, "r1");
  EXPECT_EQ(brought->facts, Json({{"ticks", 2596}}));
  EXPECT_EQ(brought->bytes(), 100'019U);
  for (const auto& [machine, path] : disks_) EXPECT_EQ(read_file(there_[machine]).value(), read_file(path).value());
  EXPECT_FALSE(bring(key_b)) << "of another key";
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(StateStoreTest, NothingOfATimeToComeIsBrought) {
  auto later = state(key_a);
  later.made += std::chrono::hours(1);
  store().keep(later, disks_);
  EXPECT_FALSE(bring()) << "the clock was set back: nobody knows how old it is";
  clock_.advance(std::chrono::hours(2));
  EXPECT_TRUE(bring());
}

TEST_F(StateStoreTest, IsOpenToNobodyElse) {
  keep();
  ASSERT_TRUE(bring());
  EXPECT_EQ(mode_of(states_), 0700U);
  EXPECT_EQ(mode_of(entry()), 0700U);
  for (const auto* name : {"state.json", "dns.qcow2", "mail.qcow2"}) EXPECT_EQ(mode_of(entry(name)), 0600U) << name;
  EXPECT_EQ(mode_of(there_["dns"]), 0600U);
}

TEST_F(StateStoreTest, HolesStayHoles) {
  const auto& disk = disks_["dns"];
  fs::resize_file(disk, 64 * mib);
  std::ofstream(disk, std::ios::in | std::ios::out | std::ios::binary).seekp(48 * mib) << "memory";
  keep();
  ASSERT_TRUE(bring());
  struct stat info {};
  ASSERT_EQ(::stat(there_["dns"].c_str(), &info), 0);
  EXPECT_EQ(info.st_size, static_cast<off_t>(64 * mib));
  EXPECT_LT(info.st_blocks * 512, static_cast<off_t>(mib));
  EXPECT_EQ(read_file(there_["dns"]).value(), read_file(disk).value());
}

// A disk out of which states were deleted is as long as it ever was, and mostly holes.
TEST_F(StateStoreTest, HolesTakeNoRoom) {
  fs::resize_file(disks_["dns"], 64 * mib);
  store(10 * mib).keep(state(key_a), disks_);
  EXPECT_THAT(told_, IsEmpty());
  ASSERT_TRUE(store(10 * mib).trim(10 * mib));
  const auto entries = store().entries().value();
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_GT(entries[0].state.bytes(), 64 * mib);
  EXPECT_LT(entries[0].state.room(), mib);
  EXPECT_GE(entries[0].state.room(), 100'000U);
}

TEST_F(StateStoreTest, TheRunThatMadeAStateMayReplaceItByMore) {
  keep();
  folder_.write("cell/dns.qcow2", "more names");
  keep();
  ASSERT_TRUE(bring());
  EXPECT_EQ(read_file(there_["dns"]).value(), "names and addresses");
  auto more = state(key_a);
  more.facts["more"] = true;
  store().keep(more, disks_, StateStore::Replace::always);
  EXPECT_TRUE(bring()->facts.contains("more"));
  EXPECT_EQ(read_file(there_["dns"]).value(), "more names");
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(StateStoreTest, WhatIsDamagedOrOfSomebodyElseIsRemovedAndTold) {
  keep();
  std::fstream(entry("mail.qcow2"), std::ios::in | std::ios::out | std::ios::binary).seekp(70'000) << 'x';
  expect_refused("the disk of 'mail' has another SHA-256");
  fs::resize_file(entry("mail.qcow2"), 99'999);
  expect_refused("the disk of 'mail' has another size");
  fs::remove(entry("dns.qcow2"));
  expect_refused("dns.qcow2': No such file");
  fs::remove(entry("dns.qcow2"));
  fs::create_symlink(disks_["dns"], entry("dns.qcow2"));
  expect_refused("is something else");
  fs::permissions(entry("state.json"), fs::perms::group_write, fs::perm_options::add);
  expect_refused("is open to other users");
  fs::permissions(entry(), fs::perms::others_read, fs::perm_options::add);
  expect_refused("is open to other users");
  std::ofstream(entry("state.json")) << "{";
  expect_refused("state.json");
  auto manifest = read_json_file(entry("state.json")).value();
  manifest["key"] = key_b;
  std::ofstream(entry("state.json")) << manifest;
  expect_refused("it is of another key");
  manifest = read_json_file(entry("state.json")).value();
  manifest["of_tomorrow"] = 1;
  std::ofstream(entry("state.json")) << manifest;
  expect_refused("/of_tomorrow");
  manifest = read_json_file(entry("state.json")).value();
  manifest["disks"].erase(1);
  std::ofstream(entry("state.json")) << manifest;
  expect_refused("it has other machines");
  EXPECT_TRUE(bring()) << "made anew it is good";
}

TEST_F(StateStoreTest, WhatDoesNotPleaseStaysForOthers) {
  keep();
  EXPECT_FALSE(store().bring(
      key_a, [](const auto&) { return false; }, there_));
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_FALSE(is_there(there_["dns"]));
  EXPECT_TRUE(bring());
}

TEST_F(StateStoreTest, AnotherRunReplacesItAndTheSameRunDoesNot) {
  keep();
  folder_.write("cell/dns.qcow2", "other names");
  keep();
  EXPECT_NE(read_file(entry("dns.qcow2")).value(), "other names");
  keep(key_a, "r2");
  EXPECT_EQ(bring()->run, "r2");
  EXPECT_EQ(read_file(there_["dns"]).value(), "other names");
  EXPECT_THAT(entries_of(states_).value(), SizeIs(2)) << "the lock and one entry";
}

TEST_F(StateStoreTest, GivesUpWhatWasNotUsedForLongest) {
  keep(key_a);
  keep(key_b);
  set_used(states_ / key_a / "state.json", 1000);
  set_used(states_ / key_b / "state.json", 2000);
  ASSERT_TRUE(bring(key_a)) << "used now";
  EXPECT_THAT(trim(150'000), ElementsAre(key_b));
  EXPECT_THAT(trim(150'000), IsEmpty());
  store(150'000).keep(state(key_b), disks_);
  EXPECT_FALSE(is_there(entry())) << "there is room for one of them";
  EXPECT_TRUE(bring(key_b));
}

TEST_F(StateStoreTest, GivesUpWhatIsExpectedToSaveLeast) {
  const auto keep_made_in = [&](const std::string& key, std::chrono::seconds time) {
    auto one = state(key);
    one.made_in = time;
    store().keep(one, disks_);
  };
  keep_made_in(key_a, std::chrono::seconds(300));
  keep_made_in(key_b, std::chrono::seconds(30));
  const auto set_used_before = [&](const std::string& key, std::chrono::hours hours) {
    const auto when = std::chrono::system_clock::to_time_t(clock_.wall() - hours);
    set_used(states_ / key / "state.json", static_cast<int>(when));
  };
  set_used_before(key_a, std::chrono::hours(10));
  set_used_before(key_b, std::chrono::hours(2));
  const auto entries = store().entries().value();
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].state.key, key_b) << "what goes first comes first";
  EXPECT_EQ(entries[1].state.made_in, Milliseconds(300'000));
  EXPECT_THAT(trim(150'000), ElementsAre(key_b)) << "though it was used later";
  EXPECT_THAT(gone_[0].why, HasSubstr("saves least: 30 s to make, 47 % likely to be used again"));
}

TEST_F(StateStoreTest, CountsHowOftenAStateWasUsedAlsoWhenItIsReplaced) {
  keep();
  const auto uses = [&] { return store().entries().value().at(0).state.uses; };
  EXPECT_EQ(uses(), 0U);
  EXPECT_EQ(mode_of(entry("state.json")), 0600U);
  ASSERT_TRUE(bring());
  ASSERT_TRUE(bring());
  EXPECT_EQ(uses(), 2U);
  EXPECT_EQ(mode_of(entry("uses")), 0600U);
  EXPECT_EQ(bring()->uses, 2U) << "before this one";
  keep(key_a, "r2");
  EXPECT_EQ(uses(), 3U) << "who asks with this key asks on";
  EXPECT_FALSE(store().bring(
      key_a, [](const auto&) { return false; }, there_));
  EXPECT_EQ(uses(), 3U) << "it was not used";
  for (const auto& [machine, path] : there_) fs::remove(path);
  fs::remove(entry("uses"));
  fs::create_symlink(disks_["dns"], entry("uses"));
  expect_refused("is something else");
}

// Whoever copies it at this moment has its blocks as long as that takes: to remove it would gain nothing.
TEST_F(StateStoreTest, WhatIsBeingBroughtStaysAndIsCounted) {
  keep(key_a);
  keep(key_b);
  ASSERT_TRUE(bring());
  set_used(states_ / key_a / "state.json", 1000);
  auto lock = FileLock::take(entry("in-use"), FileLock::Mode::shared, FileLock::at_once());
  ASSERT_TRUE(lock);
  EXPECT_THAT(trim(150'000), ElementsAre(key_b)) << "though it would go later";
  EXPECT_THAT(trim(0), IsEmpty());
  EXPECT_THAT(trim(0, Milliseconds{0}), IsEmpty()) << "nor for its age";
  clock_.advance(std::chrono::hours(25));
  EXPECT_THAT(trim(100 * mib), IsEmpty());
  store(150'000).keep(state(key_b), disks_);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("states that are in use leave")));
  EXPECT_FALSE(is_there(states_ / key_b));
  EXPECT_TRUE(is_there(entry()));
  lock = configuration_error("let go");
  EXPECT_THAT(trim(0), ElementsAre(key_a)) << "who brought it has let go of it";
}

// Two departments, and a limit for both: one of them makes its own anew.
TEST_F(StateStoreTest, WhatIsReplacedMakesRoomForItsOwn) {
  const auto all = [&] {
    std::vector<std::string> keys;
    for (const auto& entry : store().entries().value()) keys.push_back(entry.state.key);
    std::ranges::sort(keys);
    return keys;
  };
  keep(key_a);
  keep(key_b);
  set_used(states_ / key_a / "state.json", 2000);
  set_used(states_ / key_b / "state.json", 1000);
  store(250'000).keep(state(key_a), disks_, StateStore::Replace::always);
  EXPECT_THAT(all(), ElementsAre(key_a, key_b));
  EXPECT_THAT(told_, IsEmpty());
  folder_.write("cell/mail.qcow2", std::string(200'000, 'm'));
  store(250'000).keep(state(key_a), disks_, StateStore::Replace::always);
  EXPECT_THAT(all(), ElementsAre(key_a)) << "larger than before, and the other one was used before it";
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(StateStoreTest, WhatIsLargerThanAllMayBeIsNotKeptAndRemovesNothing) {
  keep();
  store(100'000).keep(state(key_b), disks_);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("is not kept")));
  EXPECT_FALSE(is_there(states_ / key_b));
  EXPECT_TRUE(bring());
}

TEST_F(StateStoreTest, RemovesWhatIsTooOldAndWhatIsDamaged) {
  keep(key_a);
  clock_.advance(std::chrono::hours(20));
  keep(key_b);
  EXPECT_THAT(trim(100 * mib), IsEmpty());
  clock_.advance(std::chrono::hours(5));
  EXPECT_THAT(trim(100 * mib), ElementsAre(key_a)) << "older than it allows";
  EXPECT_EQ(gone_[0].why, "older than it allows");
  EXPECT_THAT(trim(100 * mib, std::chrono::hours(1)), ElementsAre(key_b)) << "than I allow";
  EXPECT_EQ(gone_[0].why, "older than is wanted");
  keep();
  fs::remove(entry("dns.qcow2"));
  const auto entries = store().entries().value();
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_THAT(entries[0].damage, HasSubstr("dns.qcow2"));
  EXPECT_THAT(trim(100 * mib), ElementsAre(key_a));
  EXPECT_EQ(gone_[0].why, entries[0].damage);
}

TEST_F(StateStoreTest, RemovesWhatKilledRunsLeftAndNothingThatIsBeingWritten) {
  keep();
  const auto dead = folder_.write("cache/states/.half-dead/dns.qcow2", "ha").parent_path();
  const auto gone = folder_.write("cache/states/.gone-x/dns.qcow2", "ha").parent_path();
  const auto alive = folder_.write("cache/states/.half-alive/dns.qcow2", "ha").parent_path();
  const auto lock = FileLock::take(alive / "in-use", FileLock::Mode::exclusive, FileLock::at_once());
  ASSERT_TRUE(lock);
  EXPECT_THAT(store().entries().value(), SizeIs(1));
  EXPECT_THAT(trim(100 * mib), IsEmpty());
  EXPECT_FALSE(is_there(dead));
  EXPECT_FALSE(is_there(gone));
  EXPECT_TRUE(is_there(alive));
}

TEST_F(StateStoreTest, AFolderThatIsOpenToOthersIsNotUsed) {
  fs::create_directories(states_);
  fs::permissions(states_, fs::perms(0755));
  keep();
  EXPECT_THAT(told_, ElementsAre(HasSubstr("is open to other users")));
}

}  // namespace
}  // namespace patchlab::snapshots
