// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/deb_facts.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "patches/deb/changelog.hpp"
#include "patches/deb/shipped_files.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "x (2) s; urgency=high"
const std::string changelog(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x50\xd0\x30\xd2\x54\x28\xb6\x56\x28"
    "\x2d\x4a\x4f\xcd\x4b\xae\xb4\xcd\xc8\x4c\xcf\xe0\x02\x00\x97\xdf\xf1\xcc\x16\x00"
    "\x00\x00",
    42);

class DebFactsTest : public ::testing::Test {
 protected:
  DebFactsTest() {
    builder_.more_fields = "Source: hello-src (2.10)\nDepends: libc6 (>= 2.34)\nPre-Depends: dpkg\n";
    builder_.control_extra = {testing::file("./postinst", "#!/bin/sh\n", 0755),
                              testing::file("./conffiles", "/etc/hello.conf\n")};
    builder_.data.push_back(testing::file("./etc/hello.conf", "greeting=hello\n", 0640));
    builder_.data.push_back(testing::file("./usr/share/doc/hello/changelog.Debian.gz", changelog));
    write();
  }
  void write() { deb_ = folder_.write("hello.deb", builder_.bytes()); }
  [[nodiscard]] DebFacts facts() const { return DebFacts(store_); }
  [[nodiscard]] std::vector<fs::path> notes() const { return entries_of(store_.root() / "facts").value_or({}); }
  [[nodiscard]] fs::path note(const std::string& what = "inspected") const {
    return store_.root() / "facts" / (sha256_of_file(deb_).value() + "." + what);
  }
  // Another note under the same name, with a digest that is right.
  void rewrite(const std::function<void(Json&)>& change) {
    const auto text = read_file(note()).value();
    auto json = Json::parse(text.substr(text.find('\n') + 1));
    change(json);
    const auto body = json.dump();
    std::ofstream(note()) << sha256(body) + "\n" + body;
  }
  // It is not believed, and is as it was afterwards.
  void expect_made_anew(const std::string& what) {
    EXPECT_EQ(Json(facts().inspect(deb_).value()), Json(inspect_deb(deb_).value())) << what;
    EXPECT_EQ(read_file(note(), 1U << 20U, Links::refuse).value_or("a link"), good_) << what;
  }

  testing::TestFolder folder_;
  testing::PackageBuilder builder_;
  ContentStore store_{folder_.path() / "store"};
  fs::path deb_;
  std::string good_;
};

TEST_F(DebFactsTest, AreWhatThePackageSaysEachTime) {
  for (const char* time : {"read", "known"}) {
    EXPECT_EQ(Json(facts().inspect(deb_).value()), Json(inspect_deb(deb_).value())) << time;
    EXPECT_EQ(facts().shipped(deb_, "hello").value(), shipped_files(deb_, "hello").value()) << time;
    EXPECT_EQ(facts().changelog(deb_, "hello").value(), changelog_of(deb_, "hello").value()) << time;
    EXPECT_THAT(notes(), SizeIs(3)) << time;
  }
  EXPECT_EQ(facts().changelog(deb_, "hello").value(), "x (2) s; urgency=high\n");
}

TEST_F(DebFactsTest, AreNotReadASecondTime) {
  ASSERT_TRUE(facts().inspect(deb_));
  rewrite([](Json& note) { note["facts"]["version"] = "of the note"; });
  EXPECT_EQ(facts().inspect(deb_)->version, "of the note");
}

TEST_F(DebFactsTest, ThatAPackageHasNoChangelogIsKnownAsWell) {
  builder_.data.pop_back();
  write();
  for (int i = 0; i < 2; ++i) {
    const auto none = facts().changelog(deb_, "hello");
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
    EXPECT_THAT(notes(), SizeIs(1));
  }
}

TEST_F(DebFactsTest, AreOfTheBytesAndNotOfTheName) {
  ASSERT_TRUE(facts().inspect(deb_));
  builder_.version = "1:3";
  write();
  EXPECT_EQ(facts().inspect(deb_)->version, "1:3");
  const auto copy = folder_.write("elsewhere/x.deb", builder_.bytes());
  EXPECT_EQ(facts().inspect(copy)->version, "1:3");
  EXPECT_THAT(notes(), SizeIs(2));
}

TEST_F(DebFactsTest, ANoteThatIsDamagedOrOfSomethingElseIsMadeAnew) {
  ASSERT_TRUE(facts().inspect(deb_));
  good_ = read_file(note()).value();
  for (const auto at : {std::size_t{3}, std::size_t{64}, std::size_t{80}, good_.size() - 3}) {
    auto bad = good_;
    bad[at] = bad[at] == 'x' ? 'y' : 'x';
    std::ofstream(note()) << bad;
    expect_made_anew(fmt::format("byte {}", at));
  }
  for (const auto length : {std::size_t{0}, std::size_t{64}, std::size_t{65}, good_.size() - 1}) {
    std::ofstream(note()) << good_.substr(0, length);
    expect_made_anew(fmt::format("{} bytes", length));
  }
  for (const char* key : {"schema", "sha256", "what", "package"}) {
    rewrite([&](Json& json) { json[key] = "another"; });
    expect_made_anew(key);
  }
  rewrite([](Json& json) { json["more"] = 1; });
  expect_made_anew("more");
  rewrite([](Json& json) { json.erase("facts"); });
  expect_made_anew("no facts");
  rewrite([](Json& json) { json["facts"].erase("version"); });
  expect_made_anew("facts of another shape");
  rewrite([](Json& json) { json = 7; });
  expect_made_anew("no object");
}

TEST_F(DebFactsTest, ANoteThatOthersCouldHaveWrittenIsMadeAnew) {
  ASSERT_TRUE(facts().inspect(deb_));
  good_ = read_file(note()).value();
  const auto lie = [&] { rewrite([](Json& json) { json["facts"]["version"] = "a lie"; }); };
  for (const auto others : {fs::perms::group_write, fs::perms::others_write}) {
    lie();
    fs::permissions(note(), others, fs::perm_options::add);
    expect_made_anew("mode");
  }
  if (::geteuid() == 0) {
    lie();
    ASSERT_EQ(::chown(note().c_str(), 65534, 65534), 0);
    expect_made_anew("owner");
  }
  lie();
  fs::rename(note(), folder_.path() / "of-others");
  fs::create_symlink(folder_.path() / "of-others", note());
  expect_made_anew("a link");
}

TEST_F(DebFactsTest, OfAPackageThatCannotBeReadNothingIsKept) {
  const auto bytes = builder_.bytes();
  deb_ = folder_.write("cut.deb", bytes.substr(0, bytes.size() - 40));
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(facts().inspect(deb_));
    EXPECT_FALSE(facts().shipped(deb_, "hello"));
    EXPECT_FALSE(facts().changelog(deb_, "hello"));
    EXPECT_THAT(notes(), IsEmpty());
  }
  EXPECT_EQ(facts().inspect(folder_.path() / "none.deb").error(), inspect_deb(folder_.path() / "none.deb").error());
}

TEST_F(DebFactsTest, WhatWouldComeBackOtherwiseIsNotKept) {
  builder_.data.push_back(testing::file("./usr/caf\xe9", "latin-1\n"));
  write();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(facts().shipped(deb_, "hello")->files.contains("/usr/caf\xe9"));
    EXPECT_THAT(notes(), IsEmpty());
  }
}

TEST_F(DebFactsTest, OtherLimitsAreHeldToThePackageItself) {
  ASSERT_TRUE(facts().inspect(deb_));
  for (const auto& limits : {DebLimits{.file_bytes = 100}, DebLimits{.unpacked_bytes = 100}, DebLimits{.entries = 1},
                             DebLimits{.content_bytes = 0}}) {
    const auto direct = inspect_deb(deb_, limits);
    const auto asked = facts().inspect(deb_, limits);
    ASSERT_EQ(direct.has_value(), asked.has_value());
    if (!direct) EXPECT_EQ(asked.error(), direct.error());
  }
  EXPECT_FALSE(facts().inspect(deb_, {.file_bytes = 100}));
  EXPECT_FALSE(facts().inspect(deb_, {.unpacked_bytes = 100}));
  EXPECT_THAT(notes(), SizeIs(1));
}

TEST_F(DebFactsTest, AreReadWhereNothingCanBeKept) {
  folder_.write("store/facts", "no folder");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(facts().inspect(deb_)->package, "hello");
}

TEST_F(DebFactsTest, AreTheSameForAllWhoAskAtOnce) {
  const auto good = shipped_files(deb_, "hello").value();
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 10; ++j) right += facts().shipped(deb_, "hello").value() == good ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(right, 40);
  EXPECT_THAT(notes(), SizeIs(1)) << "no temporary file is left";
}

}  // namespace
}  // namespace patchlab::patches
