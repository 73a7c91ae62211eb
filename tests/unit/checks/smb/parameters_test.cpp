// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "checks/names_target.hpp"
#include "checks/smb/access.hpp"
#include "checks/smb/denied.hpp"
#include "checks/smb/netbios.hpp"
#include "checks/smb/parameters.hpp"
#include "checks/smb/readonly.hpp"
#include "checks/smb/referral.hpp"
#include "checks/smb/session.hpp"

namespace patchlab::checks::smb {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::vector<std::string> pointers(const Check& check, const char* parameters) {
  std::vector<JsonProblem> problems;
  check.validate(Json::parse(parameters), "/with", problems);
  std::vector<std::string> pointers;
  for (const auto& problem : problems) pointers.push_back(problem.pointer);
  return pointers;
}

TEST(SmbParameters, OfShippedShapeAreAccepted) {
  EXPECT_THAT(pointers(access(), R"({"share": "projects", "user": "alice", "password": "p",
    "known_files": {"alpha/budget.csv": "0b5e8d8b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b"}})"),
              ElementsAre());
  EXPECT_THAT(
      pointers(denied(), R"({"share": "projects", "user": "mallory", "password": "p", "allowed_share": "handbook"})"),
      ElementsAre());
  EXPECT_THAT(pointers(readonly(), R"({"share": "handbook", "user": "alice", "password": "p"})"), ElementsAre());
}

TEST(SmbParameters, AreStrict) {
  EXPECT_THAT(
      pointers(access(),
               R"({"share": "a/b", "user": "alice", "password": 1, "operations": ["read", "paint"], "folder": "../up",
                                     "bytes": 0, "known_files": {"../x": "y"}, "colour": "red"})"),
      UnorderedElementsAre("/with/share", "/with/password", "/with/operations/1", "/with/operations", "/with/folder",
                           "/with/bytes", "/with/known_files/..~1x", "/with/colour"));
  EXPECT_THAT(pointers(access(), R"({"share": "s", "user": "u", "password": "p", "operations": []})"),
              ElementsAre("/with/operations"));
  EXPECT_THAT(pointers(denied(), R"({"share": "s", "user": "u", "password": "p", "allowed_share": "s"})"),
              ElementsAre("/with/allowed_share"));
}

TEST(SmbReferral, FindsNoOtherServerThanTheTargetAndWhatTheNamespaceIsCalled) {
  const auto* as_named = dynamic_cast<const NamesTarget*>(&referral());
  ASSERT_NE(as_named, nullptr);
  using Names = std::map<std::string, std::string>;
  Json with{{"path", "p"}, {"target", {{"server", "file2"}, {"address", "10.20.0.13"}, {"share", "team"}}}};
  EXPECT_EQ(as_named->names(with, "10.20.0.12"), (Names{{"file2", "10.20.0.13"}}));
  with["server"] = "corp.example";
  with["target"].erase("address");
  EXPECT_EQ(as_named->names(with, "10.20.0.12"), (Names{{"corp.example", "10.20.0.12"}, {"file2", "10.20.0.12"}}));
  with.update({{"server", "10.20.0.12"}, {"target", {{"server", "10.20.0.13"}, {"share", "team"}}}});
  EXPECT_EQ(as_named->names(with, "10.20.0.12"), Names{});
}

TEST(SmbPath, StaysBelowTheShare) {
  for (const auto* good : {"", "a", "a/b.txt", "a b/c..d"}) EXPECT_TRUE(is_path_below_share(good)) << good;
  for (const auto* bad : {"/a", "a/", "a//b", "..", "a/../b", "./a", "a\\b"})
    EXPECT_FALSE(is_path_below_share(bad)) << bad;
}

TEST(SmbUrl, EscapesWhatTheLibraryWouldTakeForSyntax) {
  EXPECT_EQ(url_of("10.20.0.12", 445, "projects/a b@c%?.txt"), "smb://10.20.0.12:445/projects/a%20b%40c%25%3F.txt");
}

TEST(SmbConfiguration, KeepsEverythingInItsFolder) {
  const auto text = configuration("/tmp/private");
  EXPECT_THAT(text, testing::HasSubstr("client min protocol = SMB2_02"));
  EXPECT_THAT(text, testing::HasSubstr("disable netbios = yes"));
  for (const auto* name : {"lock directory", "state directory", "cache directory", "pid directory", "private dir"}) {
    EXPECT_THAT(text, testing::HasSubstr(fmt::format("{} = /tmp/private\n", name)));
  }
}

TEST(NetbiosSession, IsAskedForAsTheRfcSays) {
  const auto request = netbios_session_request();
  ASSERT_EQ(request.size(), 72U);
  EXPECT_EQ(request.substr(0, 4), std::string("\x81\0\0\x44", 4));
  EXPECT_EQ(request.substr(4, 34), " CKFDENECFDEFFCFGEFFCCACACACACACA" + std::string(1, '\0'));
  EXPECT_EQ(request[38], ' ');
  EXPECT_EQ(request.back(), '\0');
}

TEST(SmbConfiguration, OffersTheOneDialectThatItIsTold) {
  const auto of = [](const char* dialect) { return configuration("/tmp/private", Encryption::as_wanted, dialect); };
  EXPECT_THAT(of("1"), testing::HasSubstr("client min protocol = NT1\n\tclient max protocol = NT1\n"));
  EXPECT_THAT(of("2.0.2"), testing::HasSubstr("client min protocol = SMB2_02\n\tclient max protocol = SMB2_02\n"));
  EXPECT_EQ(protocol_of("3.1.1"), "SMB3_11");
  EXPECT_EQ(protocol_of("NT1"), "");
}

}  // namespace
}  // namespace patchlab::checks::smb
