// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/facts/compare.hpp"
#include "lab/facts/folder.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "tests/support/facts.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::facts {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Facts small() { return read_facts(tests::small_facts(), "dns.json").value(); }
// With the digest of the file, as a folder of facts gives it.
Likeness compared(const Facts& golden, const Facts& production, const std::string& role = "dns") {
  auto likeness = compare(role, golden, production);
  likeness.facts = sha256("facts");
  return likeness;
}

TEST(Likeness, OfTwoMachinesThatSayTheSameIsAlike) {
  const auto likeness = compared(small(), small());
  EXPECT_EQ(likeness.state(), LikenessState::alike);
  ASSERT_EQ(likeness.parts.size(), std::size(all_parts));
  EXPECT_EQ(likeness.part(Part::packages)->same, 3U);
  EXPECT_EQ(likeness.part(Part::ports)->same, 2U);
  EXPECT_THAT(likeness.differences, IsEmpty());
  EXPECT_EQ(likeness.golden_configuration, likeness.production_configuration);
  EXPECT_THAT(likeness.golden_configuration, testing::SizeIs(64));
  EXPECT_EQ(
      sentence_of(likeness),
      "like 'dns1.corp.example' as of 2026-11-28T22:00:00Z in all that was compared; the same but for comments, own "
      "names and addresses: 1 configuration file");
}

// Each thing that one machine says, said otherwise on the other.
TEST(Likeness, SeesEachThingThatIsNotTheSame) {
  struct Case {
    Part part;
    const char* name;
    std::function<void(Facts&)> change;
    bool of_role = true;
  };
  const std::vector<Case> cases{
      {Part::release, "kernel", [](Facts& f) { f.release["kernel"] = "6.1.0-30-amd64"; }},
      {Part::release, "system", [](Facts& f) { f.release.erase("system"); }},
      {Part::packages, "bind9:amd64", [](Facts& f) { f.packages["bind9:amd64"] = "1:9.18.28-1~deb12u2"; }},
      {Part::packages, "vim:amd64", [](Facts& f) { f.packages.erase("vim:amd64"); }, false},
      {Part::packages, "nano:amd64", [](Facts& f) { f.packages["nano:amd64"] = "7.2-1"; }, false},
      {Part::configuration, "/etc/bind/named.conf",
       [](Facts& f) { f.files["/etc/bind/named.conf"].compared = std::string(64, '9'); }},
      {Part::configuration, "/etc/bind/rndc.key", [](Facts& f) { f.files.erase("/etc/bind/rndc.key"); }},
      {Part::configuration, "/etc/hosts", [](Facts& f) { f.files["/etc/hosts"].compared = std::string(64, '9'); },
       false},
      {Part::configuration, "/etc/hosts",
       [](Facts& f) {
         f.files["/etc/hosts"] = {"system", "", "", "it may hold a key"};
       },
       false},
      {Part::services, "ssh", [](Facts& f) { f.services.erase("ssh"); }},
      {Part::services, "cron", [](Facts& f) { f.services.insert("cron"); }},
      {Part::ports, "udp 53", [](Facts& f) { f.ports["udp 53"] = {"any"}; }},
      {Part::ports, "tcp 22", [](Facts& f) { f.ports["tcp 22"] = {"any"}; }},
  };
  for (const auto& one : cases) {
    auto other = small();
    one.change(other);
    for (const bool in_production : {true, false}) {
      const auto likeness = in_production ? compared(small(), other) : compared(other, small());
      EXPECT_EQ(likeness.state(), LikenessState::differs) << one.name;
      ASSERT_EQ(likeness.differences.size(), 1U) << one.name;
      EXPECT_EQ(likeness.differences[0].part, one.part);
      EXPECT_EQ(likeness.differences[0].name, one.name);
      EXPECT_EQ(likeness.differences[0].of_role, one.of_role) << one.name;
      EXPECT_EQ(likeness.part(one.part)->differing(), 1U) << one.name;
      EXPECT_EQ(likeness.part(one.part)->of_role, one.of_role ? 1U : 0U) << one.name;
      EXPECT_NE(likeness.differences[0].golden, likeness.differences[0].production) << one.name;
    }
  }
}

TEST(Likeness, CountsWhatDiffersInOwnValuesAloneAsTheSameAndSaysSo) {
  auto other = small();
  other.files["/etc/hosts"].sha256 = std::string(64, '8');
  const auto likeness = compared(small(), other);
  EXPECT_EQ(likeness.state(), LikenessState::alike);
  EXPECT_EQ(likeness.part(Part::configuration)->same, 3U);
  EXPECT_EQ(likeness.part(Part::configuration)->own_values, 2U) << "and the key, which nobody reads";
}

// However little differs.
TEST(Likeness, OfWhatOneOfThemCouldNotTellIsNeverAlike) {
  for (const auto part : all_parts) {
    for (const bool in_production : {true, false}) {
      auto other = small();
      other.not_known[part] = "it was not root";
      const auto likeness = in_production ? compared(small(), other) : compared(other, small());
      EXPECT_EQ(likeness.state(), LikenessState::unknown) << to_string(part);
      EXPECT_EQ(likeness.part(part)->not_known,
                in_production ? "production: it was not root" : "golden machine: it was not root");
      EXPECT_EQ(likeness.part(part)->same, 0U);
      EXPECT_THAT(sentence_of(likeness), HasSubstr("it was not root"));
    }
  }
  auto partly = small();
  partly.not_known[Part::configuration] = "/etc/bind/x may not be read";
  EXPECT_THAT(compared(partly, small()).golden_configuration, IsEmpty()) << "a digest over less is no digest of all";
}

TEST(Likeness, OfAMachineWithoutFactsIsNotKnown) {
  const auto likeness = likeness_of("dns", small(), std::nullopt, "facts/finance/dns.json");
  EXPECT_EQ(likeness.state(), LikenessState::unknown);
  EXPECT_THAT(likeness.not_known, HasSubstr("'facts/finance/dns.json' is not there"));
  EXPECT_EQ(Likeness().state(), LikenessState::unknown) << "nothing is alike by saying nothing";
}

TEST(Likeness, OfAnotherFamilyIsNotKnown) {
  auto windows = small();
  windows.family = GuestFamily::windows;
  const auto likeness = compared(small(), windows);
  EXPECT_EQ(likeness.state(), LikenessState::unknown);
  EXPECT_THAT(likeness.parts, IsEmpty());
  EXPECT_THAT(likeness.not_known, HasSubstr("runs"));
}

TEST(Likeness, OfARoleThatNobodyKnowsTakesEverythingForPartOfIt) {
  auto other = small();
  other.packages.erase("vim:amd64");
  EXPECT_EQ(compared(small(), other, "telephony").part(Part::packages)->of_role, 1U);
  EXPECT_EQ(compared(small(), other, "mail").part(Part::packages)->of_role, 0U);
  EXPECT_THAT(compared(small(), other, "mail").golden_configuration, IsEmpty()) << "it has no file of that role";
}

TEST(Likeness, CountsAllAndNamesTheFirstWithTheRoleBeforeTheRest) {
  auto other = small();
  for (int i = 0; i < 300; ++i) other.packages["a" + std::to_string(i) + ":amd64"] = "1";
  other.packages["bind9:amd64"] = "2";
  const auto likeness = compared(small(), other);
  EXPECT_EQ(likeness.part(Part::packages)->only_production, 300U);
  EXPECT_EQ(likeness.part(Part::packages)->other, 1U);
  ASSERT_EQ(likeness.differences.size(), most_differences);
  EXPECT_EQ(likeness.differences[0].name, "bind9:amd64");
}

TEST(Likeness, IsTheSameAfterItWasWrittenAndRead) {
  auto other = small();
  other.packages.erase("vim:amd64");
  other.not_known[Part::ports] = "why";
  for (const auto& likeness :
       {compared(small(), other), compared(small(), small()), unknown_likeness("nobody asked")}) {
    std::vector<JsonProblem> problems;
    EXPECT_EQ(likeness_from_json(Json(likeness), "", problems), likeness);
    EXPECT_THAT(problems, IsEmpty());
  }
}

// A record that was edited can lose its likeness, never gain one.
TEST(Likeness, ThatDoesNotAddUpIsNoLikeness) {
  auto other = small();
  other.packages.erase("vim:amd64");
  const Json good = compared(small(), other);
  const std::vector<std::function<void(Json&)>> edits{
      [](Json& json) { json["state"] = "alike"; },
      [](Json& json) { json["parts"][1]["only_golden"] = 0; },
      [](Json& json) { json["parts"].erase(1); },
      [](Json& json) { json["parts"].push_back(json["parts"][0]); },
      [](Json& json) { json["parts"][0]["own_values"] = 99; },
      [](Json& json) { json["parts"][0]["of_role"] = 1; },
      [](Json& json) { json["facts"] = "none"; },
      [](Json& json) { json["surprise"] = true; },
      [](Json& json) { json["differences"][0]["part"] = "weather"; },
      [](Json& json) { json.erase("state"); },
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    auto json = good;
    edits[i](json);
    std::vector<JsonProblem> problems;
    (void)likeness_from_json(json, "/likeness", problems);
    EXPECT_FALSE(problems.empty()) << i;
  }
}

TEST(FactsFolder, HasAFileForEachMachineAndNamesThoseOfNone) {
  const test::TemporaryFolder folder;
  const auto now = parse_rfc3339("2026-11-29T00:00:00Z").value();
  ASSERT_TRUE(create_folders(folder.path() / "finance"));
  folder.write("finance/dns.json", tests::small_facts());
  folder.write("finance/old.json", "x");
  const auto given = given_facts(folder.path(), "finance", "dns", now);
  ASSERT_TRUE(given) << given.error().message;
  ASSERT_TRUE(*given);
  EXPECT_EQ((*given)->sha256, sha256(tests::small_facts()));
  EXPECT_FALSE(given_facts(folder.path(), "finance", "mail", now).value());
  EXPECT_FALSE(given_facts(folder.path(), "finance", "old", now));
  EXPECT_THAT(strangers_in(folder.path(), {{"finance", "dns"}}).value(), ElementsAre("finance/old.json"));
  EXPECT_FALSE(strangers_in(folder.path() / "nowhere", {}));
  const auto before = parse_rfc3339("2026-11-27T21:59:59Z").value();
  const auto future = given_facts(folder.path(), "finance", "dns", before);
  ASSERT_FALSE(future);
  EXPECT_THAT(future.error().message, HasSubstr("in the future"));
}

}  // namespace
}  // namespace patchlab::lab::facts
