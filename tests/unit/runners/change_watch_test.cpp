// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/change_watch.hpp"

#include <gmock/gmock.h>

#include "tests/support/quiet_guest.hpp"

namespace patchlab::runners::cell {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A guest of which only files are looked at.
class GuestOfFiles final : public lab::guest::QuietGuest {
 public:
  GuestView now;
  std::map<std::string, std::string> contents;  // digests and texts, by path
  std::string fails;                            // the call that gets no answer

  Result<std::optional<GuestView>> view(Look, const std::vector<std::string>&) override {
    if (fails == "view") return infrastructure_error("no answer");
    return std::optional(now);
  }
  Result<std::map<std::string, std::string>> digests(const std::vector<std::string>& paths) override {
    if (fails == "digests") return infrastructure_error("no answer");
    return of(paths);
  }
  Result<std::map<std::string, std::string>> texts(const std::vector<std::string>& paths) override {
    if (fails == "texts") return infrastructure_error("no answer");
    return of(paths);
  }

 private:
  [[nodiscard]] std::map<std::string, std::string> of(const std::vector<std::string>& paths) const {
    std::map<std::string, std::string> found;
    for (const auto& path : paths) {
      if (const auto known = contents.find(path); known != contents.end()) found.insert(*known);
    }
    return found;
  }
};

GuestFile file(const std::string& changed) { return {.kind = 'f', .mode = 0644, .bytes = 9, .changed = changed}; }

class ChangeWatchTest : public ::testing::Test {
 protected:
  ChangeWatchTest() {
    for (const auto* path : {"/etc/one.conf", "/etc/two.conf"}) {
      guest_.now.files[path] = file("before");
      guest_.now.digests[path] = guest_.now.texts[path] = "port 25\n";
    }
    EXPECT_TRUE(watch_.remember(guest_));
    for (const auto* path : {"/etc/one.conf", "/etc/two.conf", "/etc/three.conf"}) {
      guest_.now.files[path] = file("after");
      guest_.contents[path] = "port 26\n";
    }
  }
  auto differences() { return watch_.differences(guest_, {}, {}, {}); }

  const ChangeWatch::Shipped shipped_;
  GuestOfFiles guest_;
  ChangeWatch watch_{shipped_};
};

TEST_F(ChangeWatchTest, ShowsEachChangedTextBeforeAndAfter) {
  const auto found = differences();
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(3));
  for (const auto& one : *found) {
    EXPECT_EQ(one.finding, checks::state::FindingClass::review) << one.item;
    EXPECT_THAT(one.diff, HasSubstr("+port 26")) << one.item;
    EXPECT_EQ(one.diff.find("-port 25") == std::string::npos, one.item == "/etc/three.conf") << "it is new";
  }
}

TEST_F(ChangeWatchTest, WhatIsNotAnsweredIsNeverNothing) {
  for (const auto* call : {"view", "digests", "texts"}) {
    guest_.fails = call;
    EXPECT_FALSE(differences()) << call;
  }
}

}  // namespace
}  // namespace patchlab::runners::cell
