// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/effect.hpp"

#include <gmock/gmock.h>

#include "reports/brief/brief.hpp"
#include "reports/csv/csv.hpp"
#include "reports/html/html.hpp"
#include "reports/junit/junit.hpp"
#include "reports/tap/tap.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

InstallRecord install(std::optional<std::vector<BroughtRecord>> brought, const std::string& machine = "dns") {
  InstallRecord record{.machine = machine, .candidate = "update", .outcome = Outcome::pass};
  record.brought = std::move(brought);
  return record;
}
std::string told(std::vector<BroughtRecord> brought) {
  const auto seen = effect_of(install(std::move(brought)));
  constexpr auto word = [](Effect effect) {
    switch (effect) {
      case Effect::in_effect: return "in effect";
      case Effect::not_in_effect: return "not in effect";
      case Effect::changed_nothing: return "changed nothing";
      case Effect::not_seen: return "not seen";
    }
    return "";
  };
  return word(seen.effect) + (": " + seen.says);
}

TEST(EffectOf, IsHeldAgainstWhatTheGuestLists) {
  EXPECT_EQ(told({{"bind9", "1", "2", "2"}}), "in effect: bind9 1 -> 2");
  EXPECT_EQ(told({{"bind9", "1", "2", "1"}}), "not in effect: bind9 is still 1, and it brings 2");
  EXPECT_EQ(told({{"bind9", "1", "2", "1.5"}}), "not in effect: bind9 is 1.5, and it brings 2");
  EXPECT_EQ(told({{"bind9", "1", "2", ""}}), "not in effect: bind9 is not there, and it brings 2");
  EXPECT_EQ(told({{"new", "", "2", ""}}), "not in effect: new is still not there, and it brings 2");
  EXPECT_EQ(told({{"bind9", "1", "2", "3"}}), "in effect: bind9 1 -> 3") << "another one of the set brought more";
  EXPECT_EQ(told({{"bind9", "1", "2", "0:2"}}), "in effect: bind9 1 -> 0:2");
  EXPECT_EQ(told({{"old", "1", "", ""}}), "in effect: old 1 -> not there");
  EXPECT_EQ(told({{"old", "1", "", "1"}}), "not in effect: old is still 1, and it brings not there");
  // A part of it was there before, another one was not.
  EXPECT_EQ(told({{"a", "2", "2", "2"}, {"b", "1", "2", "2"}}), "in effect: b 1 -> 2");
  // One part that is missing is enough.
  EXPECT_EQ(told({{"a", "1", "2", "2"}, {"b", "1", "2", "1"}}), "not in effect: b is still 1, and it brings 2");
}

TEST(EffectOf, TellsWhatChangesNothing) {
  EXPECT_EQ(told({{"bind9", "2", "2", "2"}}), "changed nothing: all that it brings was there before: bind9 2");
  EXPECT_EQ(told({{"bind9", "3", "2", "3"}}), "changed nothing: all that it brings was there before: bind9 3");
  EXPECT_THAT(told({}), StartsWith("changed nothing: it does not say what it brings"));
}

TEST(EffectOf, OfWindowsGoesByItsStates) {
  EXPECT_EQ(told({{"KB1", "", "installed", "installed"}}), "in effect: KB1 not there -> installed");
  EXPECT_EQ(told({{"KB1", "", "installed", "superseded"}}), "in effect: KB1 not there -> superseded");
  EXPECT_THAT(told({{"KB1", "", "installed", "install pending"}}), StartsWith("not in effect: KB1 is install pending"));
  EXPECT_THAT(told({{"KB1", "installed", "installed", "installed"}}), StartsWith("changed nothing"));
}

TEST(EffectOf, IsNotSeenWhereNobodyLooked) {
  EXPECT_EQ(effect_of(install(std::nullopt)).effect, Effect::not_seen);
  EXPECT_THAT(told({{"a", "1", "2", "2"}, {"b", "1", "2", std::nullopt}}), StartsWith("not seen"));
  EXPECT_THAT(told({{"a", "2", "2", std::nullopt}}), StartsWith("not seen"));
}

TEST(EffectFinding, IsForAPersonWhereNothingChanged) {
  const auto finding = finding_of(install(std::vector<BroughtRecord>{}));
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, "brought");
  EXPECT_EQ(finding->item, "update");
  EXPECT_EQ(finding->finding, checks::state::FindingClass::review);
  EXPECT_FALSE(finding_of(install(std::nullopt)));
  EXPECT_FALSE(finding_of(install(std::vector<BroughtRecord>{{"bind9", "1", "2", "2"}})));
  EXPECT_FALSE(finding_of(install(std::vector<BroughtRecord>{{"bind9", "1", "2", "1"}}))) << "it failed for that";
  auto skipped = install(std::vector<BroughtRecord>{});
  skipped.outcome = Outcome::skipped;
  EXPECT_FALSE(finding_of(skipped));
}

TEST(EffectSentence, HasTheWorstFirst) {
  const std::vector<BroughtRecord> good{{"bind9", "1", "2", "2"}};
  TrialRecord trial;
  trial.installs = {install(good, "a"), install(std::vector<BroughtRecord>{}, "b"), install(good, "c"),
                    install(std::nullopt, "d")};
  trial.installs.push_back(install(good, "e"));
  trial.installs.back().outcome = Outcome::skipped;
  EXPECT_THAT(effect_sentence(trial, "update"), AllOf(StartsWith("Changed nothing on b: it does not say"),
                                                      HasSubstr(". Whether it is in effect was not seen on d: "),
                                                      testing::EndsWith(". In effect on a, c: bind9 1 -> 2")));
  EXPECT_EQ(effect_sentence(trial, "other"), "");
}

// What a scan said, against the installed sets of the final trial.
class Closes : public testing::Test {
 protected:
  Closes() {
    department_.final_trial = "finance/t2";
    TrialRecord trial{.id = "finance/t2", .purpose = Purpose::batch, .candidates = {"update", "other"}};
    trial.installs = {install(std::vector<BroughtRecord>{{"bind9", "1", "2", "2"}, {"libs:amd64", "1", "2", "1"}})};
    trial.installs.push_back(install(std::vector<BroughtRecord>{{"zlib1g:amd64", "1", "3", "3"}}));
    trial.installs.back().candidate = "other";
    department_.trials = {trial};
  }
  std::string told(std::vector<ClosesRecord> closes) {
    look_at_closes(department_, "update", closes);
    return closes_sentence(closes);
  }
  DepartmentRecord department_;
};

TEST_F(Closes, WhatIsThereInTheVersionThatFixesIt) {
  EXPECT_EQ(told({{"dns", {"CVE-1", "CVE-2"}, {{"bind9:amd64", "2"}}}}), "Closes CVE-1, CVE-2 on dns");
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "1.9"}}}}), "Closes CVE-1 on dns");
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "2"}, {"zlib1g:amd64", "3"}}}}), "Closes CVE-1 on dns")
      << "another one of the set brought a part";
  EXPECT_EQ(told({{"dns", {""}, {{"bind9:amd64", "2"}}}}), "Closes what nobody could name on dns");
}

TEST_F(Closes, NothingThatIsOlderOrWasNotSeen) {
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "2.1"}}}}), "Does not close CVE-1 on dns");
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "2"}, {"libs:amd64", "2"}}}}), "Does not close CVE-1 on dns");
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "2"}, {"unheard-of:amd64", "2"}}}}),
            "Nobody saw whether it closes CVE-1 on dns");
  EXPECT_EQ(told({{"mail", {"CVE-1"}, {{"bind9:amd64", "2"}}}}), "Nobody saw whether it closes CVE-1 on mail");
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "2.1"}}}, {"dns", {"CVE-2"}, {{"bind9:amd64", "2"}}}}),
            "Does not close CVE-1 on dns. Closes CVE-2 on dns");
  EXPECT_EQ(told({}), "The scan names no vulnerability that it closes");
}

// As of Windows: what the candidate brings.
TEST_F(Closes, GoesByTheCandidateWhereTheScanNamesNoPackage) {
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {}}}), "Does not close CVE-1 on dns") << "a part of it is not there";
  department_.trials[0].installs[0].brought->back().found = "2";
  department_.trials[0].installs[1].brought->back().found = "1";
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {}}}), "Closes CVE-1 on dns") << "whatever becomes of another one of the set";
  EXPECT_EQ(told({{"mail", {"CVE-1"}, {}}}), "Nobody saw whether it closes CVE-1 on mail");
  department_.final_trial.clear();
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {}}}), "Nobody saw whether it closes CVE-1 on dns");
}

TEST_F(Closes, NothingOfWhatWasNotInstalled) {
  department_.trials[0].installs[0].outcome = Outcome::fail;
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "2"}}}}), "Nobody saw whether it closes CVE-1 on dns");
}

TEST_F(Closes, NothingOfWhatNobodyLookedFor) {
  department_.trials[0].installs[0].brought.reset();
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"bind9:amd64", "2"}}}}), "Nobody saw whether it closes CVE-1 on dns");
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"zlib1g:amd64", "3"}}}}), "Closes CVE-1 on dns") << "of the other one";
}

// Several of one name can be installed beside each other: then the one that is meant counts.
TEST_F(Closes, ByThePackageOfThatArchitectureWhereItIsListed) {
  department_.trials[0].installs[0].brought = {{"libs:amd64", "1", "2", "1"}, {"libs", "1", "2", "2"}};
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"libs:amd64", "2"}}}}), "Does not close CVE-1 on dns");
  EXPECT_EQ(told({{"dns", {"CVE-1"}, {{"libs:i386", "2"}}}}), "Closes CVE-1 on dns")
      << "listed without its architecture";
}

TEST(EffectLines, SayNothingOfADepartmentThatHasNoVerdict) {
  auto record = tests::good_record();
  record.departments.push_back(record.departments[0]);
  record.departments[1].name = "sales";
  for (auto& department : record.departments) department.verdicts[0].effect = "In effect on dns";
  record.departments[1].verdicts.clear();
  const auto lines = effect_lines(record);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0].departments, testing::ElementsAre("finance"));
}

TEST(EffectLines, AreOneForEachSentence) {
  auto record = tests::good_record();
  record.departments.push_back(record.departments[0]);
  record.departments[1].name = "sales";
  record.departments.push_back(record.departments[1]);
  record.departments[2].name = "support";
  for (auto& department : record.departments) department.verdicts[1].effect = "In effect on dns";
  record.departments[0].verdicts[0].effect = "In effect on dns";
  record.departments[1].verdicts[1].effect = "Changed nothing on dns";
  std::vector<std::string> said;
  for (const auto& line : effect_lines(record))
    said.push_back(line.candidate + " " + line.departments.front() + " " + std::to_string(line.departments.size()) +
                   " " + line.sentence);
  const auto& [one, other] =
      std::tie(record.departments[0].verdicts[0].candidate, record.departments[0].verdicts[1].candidate);
  EXPECT_THAT(said, testing::ElementsAre(one + " finance 1 In effect on dns", other + " finance 2 In effect on dns",
                                         other + " sales 1 Changed nothing on dns"));
}

TEST(EffectSentence, IsInEveryFormat) {
  auto record = tests::good_record();
  auto& verdict = record.departments[0].verdicts[0];
  ASSERT_EQ(verdict.outcome, Outcome::pass);
  verdict.effect = "In effect on dns: bind9 1 and 2";
  for (const auto& text : {html_report(record), tap_lines(record), junit_xml(record), csv_table(record),
                           text_summary(record), markdown_summary(record), Json(record).dump()})
    EXPECT_THAT(text, HasSubstr(verdict.effect));
}

}  // namespace
}  // namespace patchlab::reports
