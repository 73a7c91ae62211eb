// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/host_agent.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "runners/host/workplace.hpp"

namespace patchlab::runners::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class HostAgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-agent-XXXXXX";
    folder_ = ::mkdtemp(name);
    ::setenv("PATCHLAB_CACHE", folder_.c_str(), 1);
    agent_ = std::make_unique<HostAgent>("/opt/patchlab", host_processes());
  }
  void TearDown() override {
    agent_.reset();
    ::unsetenv("PATCHLAB_CACHE");
    fs::remove_all(folder_);
  }

  Json result(Json request) {
    request["id"] = 7;
    const auto answer = agent_->answer(request);
    EXPECT_EQ(answer.value("id", 0), 7);
    EXPECT_FALSE(answer.contains("error")) << answer.dump();
    return answer.value("result", Json());
  }
  std::string trouble(const Json& request) {
    const auto answer = agent_->answer(request);
    EXPECT_TRUE(answer.contains("error")) << answer.dump();
    return answer.contains("error") ? error_from_json(answer["error"]).message : "";
  }
  Workplace begun(const std::string& cell = "finance") {
    return workplace_from_json(result({{"op", "begin"}, {"run", "r1"}, {"cell", cell}}));
  }
  static Json piece(const std::string& sha256, bool first, bool last, const std::string& bytes) {
    return {{"op", "medium"}, {"sha256", sha256}, {"first", first}, {"last", last}, {"bytes", patchlab::base64(bytes)}};
  }

  fs::path folder_;
  std::unique_ptr<HostAgent> agent_;
};

TEST_F(HostAgentTest, MakesAPlaceForEachCellOfARun) {
  const auto finance = begun();
  EXPECT_EQ(finance.program, "/opt/patchlab");
  EXPECT_TRUE(fs::is_directory(finance.root));
  EXPECT_TRUE(fs::is_directory(finance.evidence));
  EXPECT_TRUE(fs::is_directory(finance.slots));
  EXPECT_GE(finance.slot_count, 2U);
  const auto other = begun("engineering");
  EXPECT_NE(other.root, finance.root);
  EXPECT_NE(other.evidence, finance.evidence);
  EXPECT_EQ(other.slots, finance.slots) << "the cells of a host take turns";
  EXPECT_EQ(workplace_from_json(Json(finance)), finance);

  agent_->give_up();
  EXPECT_TRUE(fs::is_empty(folder_ / "cells"));
  EXPECT_EQ(trouble({{"op", "begin"}, {"run", "r1"}, {"cell", "late"}}), "the host agent ends");
  EXPECT_TRUE(fs::is_empty(folder_ / "cells"));
}

// Two runs beside each other have no more processors than one.
TEST_F(HostAgentTest, LetsAllRunsTakeTurnsAndTakesNoSlotFromOne) {
  const auto mine = begun();
  const auto held = FileLock::try_take(mine.slots / "slot-0", FileLock::Mode::exclusive);
  ASSERT_TRUE(held && *held);
  HostAgent another("/opt/patchlab", host_processes());
  const auto answer = another.answer({{"id", 1}, {"op", "begin"}, {"run", "r2"}, {"cell", "finance"}});
  ASSERT_TRUE(answer.contains("result")) << answer.dump();
  const auto other = workplace_from_json(answer["result"]);
  EXPECT_EQ(other.slots, mine.slots);
  const auto taken = FileLock::try_take(other.slots / "slot-0", FileLock::Mode::exclusive);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_FALSE(*taken) << "it is held, as it was before the other run began";
}

// A cell is shown that folder: a link would lead nowhere there.
TEST_F(HostAgentTest, ShowsCellsTheFolderOfTheSlotsItself) {
  fs::create_directories(folder_ / "everybodys");
  fs::create_directory_symlink(folder_ / "everybodys", folder_ / "slots");
  EXPECT_EQ(begun().slots, fs::canonical(folder_ / "everybodys"));
  EXPECT_TRUE(fs::is_regular_file(folder_ / "everybodys/slot-0"));
}

TEST_F(HostAgentTest, TakesNoLinkForASlot) {
  fs::create_directories(folder_ / "slots");
  fs::create_symlink(folder_ / "elsewhere", folder_ / "slots/slot-0");
  EXPECT_THAT(trouble({{"id", 1}, {"op", "begin"}, {"run", "r1"}, {"cell", "finance"}}), HasSubstr("slot-0"));
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
}

TEST_F(HostAgentTest, TakesAMediumInPiecesAndComparesItsDigest) {
  begun();
  const auto digest = sha256("first second");
  EXPECT_EQ(result(piece(digest, true, false, "first ")), Json::object());
  const auto path = result(piece(digest, false, true, "second")).at("path").get<std::string>();
  EXPECT_EQ(fs::path(path).filename(), digest + ".iso");
  EXPECT_EQ(read_file(path).value(), "first second");

  result(piece(digest, true, false, "again, from the beginning: "));
  EXPECT_THAT(trouble(piece(digest, false, true, "other bytes")),
              HasSubstr("there, and " + digest + " where it was sent"));
  EXPECT_EQ(read_file(path).value(), "first second");
}

TEST_F(HostAgentTest, GivesTheEvidenceOfATrialAndNothingElse) {
  const auto place = begun();
  fs::create_directories(place.evidence / "t1/dns");
  const std::string bytes("log \xff\0 end", 10);
  ASSERT_TRUE(write_file_atomically(place.evidence / "t1/dns/journal.txt", bytes));
  ASSERT_TRUE(write_file_atomically(place.evidence / "t1/note.txt", "n"));
  ASSERT_TRUE(write_file_atomically(place.evidence / "secret", "s"));
  const Json folder{{"op", "files"}, {"cell", "finance"}, {"folder", "t1"}};
  EXPECT_THAT(result(folder).get<std::vector<std::string>>(), ElementsAre("dns/journal.txt", "note.txt"));
  Json file{{"op", "file"}, {"cell", "finance"}, {"folder", "t1"}, {"name", "dns/journal.txt"}};
  EXPECT_EQ(patchlab::from_base64(result(file).get<std::string>()), bytes);
  file["name"] = "../secret";
  EXPECT_THAT(trouble(file), HasSubstr("a file of evidence"));
  file["folder"] = "../finance";
  EXPECT_THAT(trouble(file), HasSubstr("a folder of evidence"));
}

TEST_F(HostAgentTest, LooksAtDomains) {
  const std::string uri = "test://" + (folder_ / "host.xml").string();
  ASSERT_TRUE(
      write_file_atomically(folder_ / "host.xml",
                            "<node><domain type='test'><name>runs</name><memory>65536</memory><os><type>hvm</type></os>"
                            "</domain></node>"));
  EXPECT_THAT(trouble({{"op", "look"}, {"uri", uri}, {"domain", "runs"}}), HasSubstr("it is not shut off"));
  EXPECT_THAT(trouble({{"op", "digest"}, {"uri", uri}, {"domain", "nobody"}}), HasSubstr("golden domain 'nobody'"));
  EXPECT_THAT(
      result({{"op", "leftovers"}, {"uri", uri}, {"storage", folder_.string()}}).get<std::vector<std::string>>(),
      IsEmpty());
  EXPECT_THAT(trouble({{"op", "look"}, {"uri", "qemu+ssh://hv2/system"}, {"domain", "dns"}}),
              HasSubstr("is on another host"));
}

TEST_F(HostAgentTest, WhatCannotBeUnderstoodIsAnError) {
  for (const auto* request :
       {R"({})", R"({"op": 1})", R"({"op": "reboot"})", R"({"op": "look", "uri": "test:///default"})",
        R"({"op": "begin", "run": "../x", "cell": "c"})", R"({"op": "begin", "run": "r", "cell": ""})",
        R"({"op": "medium", "sha256": "../x", "first": true, "last": true, "bytes": ""})"})
    EXPECT_THAT(trouble(Json::parse(request)), HasSubstr("asked for what it does not know")) << request;
  begun();
  EXPECT_THAT(trouble(piece("../../x", true, true, "")), HasSubstr("a piece of a medium"));
}

TEST(StaysBelow, IsTrueOfPlainRelativePathsOnly) {
  for (const char* fine : {"a", "a/b.txt", "a b/..c"}) EXPECT_TRUE(stays_below(fine)) << fine;
  for (const char* wrong : {"", "/a", "..", "a/../b", "./a", "a/", "a//../b"})
    EXPECT_FALSE(stays_below(wrong)) << wrong;
  EXPECT_FALSE(stays_below(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace patchlab::runners::host
