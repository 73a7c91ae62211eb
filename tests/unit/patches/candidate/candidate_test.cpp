// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/candidate.hpp"

#include <gtest/gtest.h>

#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

TEST(FittingName, IsOneThatAMediumCanHold) {
  const std::string digest(64, 'd');
  EXPECT_EQ(fitting_name("a_1_all.deb", digest), "a_1_all.deb");
  EXPECT_EQ(fitting_name(std::string(100, 'x'), digest), std::string(100, 'x'));
  const auto name = fitting_name(std::string(150, 'x') + ".deb", digest);
  EXPECT_EQ(name, std::string(83, 'x') + "~dddddddddddd.deb");
  EXPECT_EQ(name.size(), 100U);
  EXPECT_NE(name, fitting_name(std::string(150, 'x') + ".deb", std::string(64, 'e')));
}

TEST(CandidateDigest, DependsOnWhatIsExecutedAndOnNothingElse) {
  auto base = testing::candidate("x", "hello", "1");
  base.files.push_back({"b_1_all.deb", std::string(64, 'b'), 1, "b", "1", "all", "", ""});
  const auto digest = candidate_digest(base);
  const auto differs = [&](auto change) {
    auto changed = base;
    change(changed);
    return candidate_digest(changed) != digest;
  };
  EXPECT_TRUE(differs([](Candidate& c) { c.files[0].sha256 = std::string(64, 'c'); }));
  EXPECT_TRUE(differs([](Candidate& c) { c.files[0].name = "y.deb"; }));
  EXPECT_TRUE(differs([](Candidate& c) { std::swap(c.files[0], c.files[1]); }));
  EXPECT_TRUE(differs([](Candidate& c) { c.files.pop_back(); }));
  EXPECT_TRUE(differs([](Candidate& c) { c.kind = "exe"; }));
  EXPECT_TRUE(differs([](Candidate& c) { c.switches = "/quiet"; }));
  EXPECT_TRUE(differs([](Candidate& c) { c.prerequisites = {"p"}; }));
  EXPECT_TRUE(differs([](Candidate& c) { c.exit_codes.success = {17025}; }));
  EXPECT_TRUE(differs([](Candidate& c) { c.exit_codes.restart = {17025}; }));
  // Labels: a file that gets another one keeps its history.
  EXPECT_FALSE(differs([](Candidate& c) { c.id = "y"; }));
  EXPECT_FALSE(differs([](Candidate& c) { c.title = "y"; }));
  EXPECT_FALSE(differs([](Candidate& c) { c.severity = Severity::low; }));
  EXPECT_FALSE(differs([](Candidate& c) { c.origin = Origin::apt; }));
  EXPECT_FALSE(differs([](Candidate& c) { c.supersedes = {"p"}; }));
  EXPECT_FALSE(differs([](Candidate& c) { c.roles = {"dns"}; }));
}

TEST(CandidateId, IsSafeAsAFileName) {
  EXPECT_TRUE(is_candidate_id("apt-bind9-9.18.49-1~deb12u3"));
  EXPECT_FALSE(is_candidate_id(""));
  EXPECT_FALSE(is_candidate_id("a b"));
  EXPECT_FALSE(is_candidate_id("../x"));
  EXPECT_FALSE(is_candidate_id("-rf"));
  EXPECT_FALSE(is_candidate_id(std::string(121, 'a')));
  EXPECT_EQ(make_candidate_id("apt:bind9:1:9.18"), "apt-bind9-1-9.18");
  EXPECT_EQ(make_candidate_id("../x y"), "c..-x-y");
  EXPECT_TRUE(is_candidate_id(make_candidate_id(std::string(500, '/'))));
  EXPECT_TRUE(is_candidate_id(make_candidate_id("")));
}

TEST(ExitCodes, AreReadInEverySpelling) {
  const auto codes = [](const char* text, std::vector<JsonProblem>& problems) {
    const auto json = Json::parse(text);
    return exit_codes_from(JsonReader(json, "", problems));
  };
  std::vector<JsonProblem> problems;
  EXPECT_EQ(codes(R"({"success": [17025, "0x800f0840"], "restart": [-2146498496, 3010]})", problems),
            (ExitCodes{{17025, 0x800F0840}, {3010, 0x800F0840}}));
  EXPECT_TRUE(problems.empty());
  for (const auto* text :
       {R"({"success": ["17025"]})", R"({"success": [1.5]})", R"({"success": [4294967296]})",
        R"({"success": [18446744073709551615]})", R"({"success": ["0x"]})", R"({"success": ["0x123456789"]})",
        R"({"success": 5})", R"({"failure": []})", R"({"restart": [null]})"}) {
    problems.clear();
    (void)codes(text, problems);
    EXPECT_EQ(problems.size(), 1U) << text;
  }
}

}  // namespace
}  // namespace patchlab::patches
