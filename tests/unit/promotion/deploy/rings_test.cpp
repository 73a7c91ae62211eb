// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/rings.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <ctime>
#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"

namespace patchlab::promotion {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Moment = std::chrono::system_clock::time_point;

constexpr const char* three = R"({"schema": "patchlab/rings/v1", "departments": {"finance": [
  {"name": "canary", "machines": ["dns1"], "hours": 24},
  {"name": "some", "machines": ["mail1", "db1"], "hours": 2},
  {"name": "all", "machines": "rest"}]}})";

std::vector<Ring> rings() { return parse_rings(three, "rings.json").value().departments.at("finance"); }

const Moment promoted = *parse_rfc3339("2026-11-28T08:00:00.000Z");
Moment after(int hours_later) { return promoted + hours(hours_later); }

DeployedMachine says(std::uint64_t line, const std::string& name, InstalledState state, Moment recorded,
                     Moment observed) {
  DeployedMachine machine;
  machine.department = "finance";
  machine.report = {name, rfc3339(observed), {{"dns", "bind9", "2", "1", state}}};
  machine.line = line;
  machine.recorded = rfc3339(recorded);
  machine.promoted = rfc3339(promoted);
  machine.serial = 7;
  return machine;
}
DeployedMachine says(std::uint64_t line, const std::string& name, InstalledState state, int hour) {
  return says(line, name, state, after(hour), after(hour));
}
constexpr auto well = InstalledState::as_promoted;
constexpr auto failed = InstalledState::failed;
constexpr auto absent = InstalledState::not_installed;
constexpr auto open = InstalledState::not_reported;

RingQuestion at(int hour) { return {.department = "finance", .serial = 7, .now = after(hour)}; }
std::vector<std::string> against(std::size_t ring, const RingQuestion& question,
                                 const std::vector<DeployedMachine>& told) {
  return standing_of(rings(), question, told).at(ring).waits;
}

TEST(Rings, AreReadAsTheyAreWritten) {
  const auto read = parse_rings(three, "rings.json").value();
  EXPECT_EQ(read.departments.at("finance"),
            (std::vector<Ring>{
                {"canary", {"dns1"}, hours(24)}, {"some", {"mail1", "db1"}, hours(2)}, {"all", {}, hours(0)}}));
  EXPECT_FALSE(read.signed_reports);
  EXPECT_EQ(read.sha256, sha256(three));
  EXPECT_EQ(find_ring(rings(), "some"), 1U);
  EXPECT_EQ(find_ring(rings(), "1"), 0U);
  EXPECT_EQ(find_ring(rings(), "0"), std::nullopt);
  EXPECT_EQ(find_ring(rings(), "4"), std::nullopt);
}

TEST(Rings, AreRefusedWhereTheyCouldMeanSomethingElse) {
  const auto refuses = [](const std::string& list, const std::string& why) {
    const auto read =
        parse_rings(R"({"schema": "patchlab/rings/v1", "departments": {"finance": )" + list + "}}", "rings.json");
    ASSERT_FALSE(read) << list;
    EXPECT_THAT(read.error().message, HasSubstr(why)) << list;
  };
  const std::string last = R"({"name": "all", "machines": "rest"})";
  refuses("[]", "must be a list of rings");
  refuses(R"({"name": "all"})", "must be a list of rings");
  refuses("[" + last + R"(, {"name": "x", "machines": ["a"]}])", "only the last ring can be the rest");
  refuses(R"([{"name": "x", "machines": ["a"]}, )" + last + "]", "/departments/finance/0");
  refuses(R"([{"name": "x", "machines": ["a"], "hours": -1}, )" + last + "]", "hours");
  refuses(R"([{"name": "x", "machines": ["a"], "hors": 1}, )" + last + "]", "hors");
  refuses(R"([{"name": "x", "machines": [], "hours": 1}, )" + last + "]", "must be a list of machines");
  refuses(R"([{"name": "x", "machines": "a", "hours": 1}, )" + last + "]", "machines");
  refuses(R"([{"name": "x", "machines": ["{{ a }}"], "hours": 1}, )" + last + "]", "cannot be the name of a machine");
  refuses(R"([{"name": "x", "machines": ["a", "a"], "hours": 1}, )" + last + "]", "'a' is in a ring already");
  refuses(R"([{"name": "x", "machines": ["a"], "hours": 1}, {"name": "y", "machines": ["a"]}])",
          "'a' is in a ring already");
  refuses(R"([{"name": "all", "machines": ["a"], "hours": 1}, )" + last + "]", "'all' is a ring already");
  refuses(R"([{"name": "Canary 1", "machines": ["a"]}])", "must start with a letter");
  refuses(R"([{"name": "all", "machines": "rest", "hours": 1}])", "nothing waits for the last ring");
  EXPECT_FALSE(parse_rings(R"({"schema": "patchlab/rings/v1", "departments": {}})", "rings.json"));
  EXPECT_FALSE(parse_rings(R"({"schema": "patchlab/rings/v2", "departments": {"f": [)" + last + "]}}", "rings.json"));
  EXPECT_FALSE(parse_rings(
      R"({"schema": "patchlab/rings/v1", "reports": "sgned", "departments": {"f": [)" + last + "]}}", "rings.json"));
}

TEST(Rings, FollowWhenTheOneBeforeHasItForItsHours) {
  EXPECT_THAT(against(0, at(0), {}), IsEmpty()) << "nothing is before the first";
  EXPECT_THAT(against(1, at(99), {}), ElementsAre("ring 1 (canary): 'dns1' has not reported that it has serial 7"));
  EXPECT_THAT(against(2, at(99), {}), SizeIs(3)) << "and so for all rings before";
  const std::vector<DeployedMachine> told{says(20, "dns1", well, 1)};
  EXPECT_THAT(against(1, at(24), told),
              ElementsAre("ring 1 (canary): all of it have it since 2026-11-28T09:00:00.000Z, and its 24 hours have "
                          "passed on 2026-11-29T09:00:00.000Z"));
  EXPECT_THAT(against(1, at(25), told), IsEmpty());
  // An emergency waits for no hours, and for the machines all the same.
  auto emergency = at(2);
  emergency.emergency = true;
  EXPECT_THAT(against(1, emergency, told), IsEmpty());
  EXPECT_THAT(against(1, emergency, {}), SizeIs(1));
}

TEST(Rings, AFailureStopsThemAndTheHoursBeginAnewBehindIt) {
  std::vector<DeployedMachine> told{says(20, "dns1", well, 1), says(21, "dns1", failed, 30)};
  EXPECT_THAT(against(1, at(99), told), ElementsAre("ring 1 (canary): 'dns1' differs from serial 7: bind9: failed"));
  told.push_back(says(22, "dns1", well, 40));
  EXPECT_THAT(against(1, at(63), told), ElementsAre(HasSubstr("since 2026-11-30T00:00:00.000Z")));
  EXPECT_THAT(against(1, at(64), told), IsEmpty());
  // What a machine did not say of all of it is not known, and the hours go on behind it.
  told.push_back(says(23, "dns1", open, 50));
  EXPECT_THAT(against(1, at(99), told), ElementsAre(HasSubstr("did not say of all of serial 7 what it has")));
  told.push_back(says(24, "dns1", well, 60));
  EXPECT_THAT(against(1, at(64), told), IsEmpty());
}

DeployedMachine says_both(std::uint64_t line, const std::string& name, InstalledState first, InstalledState second,
                          int hour) {
  auto report = says(line, name, first, hour);
  report.report.rows.push_back({"tidy", "tidy", "2", "", second});
  return report;
}

// What was taken off again is not well, whatever else is, and its hours begin anew.
TEST(Rings, WhatIsTakenOffAgainStopsThem) {
  std::vector<DeployedMachine> told{says(20, "dns1", well, 1), says(21, "dns1", absent, 30)};
  EXPECT_THAT(
      against(1, at(99), told),
      ElementsAre("ring 1 (canary): 'dns1' had bind9 of serial 7 and has it no more (line 21): it waits until it "
                  "is installed again"));
  told.push_back(says(22, "dns1", absent, 31));
  EXPECT_THAT(against(1, at(99), told), SizeIs(1)) << "it does not become a machine that never had it";
  told.push_back(says(23, "dns1", well, 40));
  EXPECT_THAT(against(1, at(63), told), ElementsAre(HasSubstr("since 2026-11-30T00:00:00.000Z")));
  EXPECT_THAT(against(1, at(64), told), IsEmpty());
  const auto part = says_both(21, "dns1", well, absent, 30);
  EXPECT_THAT(against(1, at(99), {part}), IsEmpty()) << "a part that it never had";
  EXPECT_THAT(against(1, at(99), {says_both(20, "dns1", well, well, 1), part}), ElementsAre(HasSubstr("had tidy")));
}

// A ring has machines of all kinds, and a patch is for some of them.
TEST(Rings, WaitForNoMachineThatHasNothingOfItWhereTheFileSaysSo) {
  auto question = at(99);
  question.serial = 7;
  const auto of_third = [&](const std::vector<DeployedMachine>& more) {
    std::vector<DeployedMachine> told{says(20, "dns1", well, 1), says(21, "db1", well, 30)};
    told.insert(told.end(), more.begin(), more.end());
    return against(2, question, told);
  };
  const auto nothing = says(22, "mail1", absent, 31);
  EXPECT_THAT(
      of_third({nothing}),
      ElementsAre("ring 2 (some): 'mail1' has nothing of serial 7: install it there, or, if it is not for it, let "
                  "the file say \"nothing_there\": \"passes\""));
  // What is for other systems has nothing to be installed.
  EXPECT_THAT(of_third({says(22, "mail1", InstalledState::not_for_it, 31)}), IsEmpty());
  question.none_passes = true;
  EXPECT_THAT(of_third({nothing}), IsEmpty());
  EXPECT_THAT(of_third({}), ElementsAre(HasSubstr("'mail1' has not reported"))) << "it has to say so";
  EXPECT_THAT(of_third({says(22, "mail1", open, 31)}), SizeIs(1)) << "of all of it";
  EXPECT_THAT(of_third({says(22, "mail1", InstalledState::older, 31), says(23, "mail1", absent, 32)}),
              ElementsAre(HasSubstr("'mail1' has nothing of serial 7 any more: install it there")));
  EXPECT_THAT(of_third({says(22, "mail1", well, 31), says(23, "mail1", absent, 32)}), SizeIs(1));
  // Somebody has to try it.
  EXPECT_THAT(
      against(1, question, {says(20, "dns1", absent, 1)}),
      ElementsAre("ring 1 (canary): none of its machines has anything of serial 7, so nobody tried it: name one "
                  "there that it is for"));
  const Json json = standing_of(rings(), question, {nothing}).at(1);
  EXPECT_EQ(json.at("machines").at(0), Json::parse(R"({"machine": "mail1", "has_it": false, "passes": true,
                                                       "why_not": "has nothing of serial 7", "line": 22})"));
  question.signed_reports = true;
  EXPECT_THAT(against(1, question, {says(20, "dns1", absent, 1)}),
              ElementsAre(HasSubstr("line 20 says so and is not")));
}

// That it had it is known, whatever the report counts for: it does not become a machine that never had it.
TEST(Rings, NoMachinePassesThatHadItByAReportThatDoesNotCount) {
  auto question = at(99);
  question.none_passes = question.signed_reports = true;
  auto dns = says(20, "dns1", well, 1);
  auto db = says(21, "db1", well, 30);
  auto gone = says(24, "mail1", absent, 40);
  dns.is_signed = db.is_signed = gone.is_signed = true;
  const auto of_third = [&](const DeployedMachine& had) { return against(2, question, {dns, db, had, gone}); };
  EXPECT_THAT(against(2, question, {dns, db, gone}), IsEmpty());
  EXPECT_THAT(of_third(says(22, "mail1", well, 31)), ElementsAre(HasSubstr("'mail1' had bind9 of serial 7")));
  question.signed_reports = false;
  EXPECT_THAT(of_third(says(22, "mail1", well, after(31), promoted - hours(1))),
              ElementsAre(HasSubstr("'mail1' had bind9 of serial 7")))
      << "observed before it was promoted";
}

// Somebody can say what speaks against a machine, and never that it is well.
TEST(Rings, NobodySaysByHandThatAMachineIsWell) {
  auto by_hand = says(20, "dns1", well, 1);
  by_hand.source = InstalledSource::by_hand;
  EXPECT_THAT(
      against(1, at(99), {by_hand}),
      ElementsAre("ring 1 (canary): 'dns1' has not reported that it has serial 7; line 20 says so by hand, which "
                  "does not count"));
  by_hand.line = 21;
  EXPECT_THAT(against(1, at(99), {says(20, "dns1", failed, 1), by_hand}),
              ElementsAre(HasSubstr("bind9: failed; line 21")));
  EXPECT_THAT(against(1, at(99), {says(20, "dns1", well, 1), by_hand}), IsEmpty()) << "it takes nothing away either";
  by_hand.report.rows[0].state = InstalledState::other_bytes;
  EXPECT_THAT(against(1, at(99), {says(20, "dns1", well, 1), by_hand}), SizeIs(1));
}

TEST(Rings, CountWhatIsOfThisPromotionAndDepartmentAlone) {
  auto other = says(20, "dns1", well, 1);
  other.department = "hr";
  auto older = says(21, "dns1", well, 1);
  older.serial = 6;
  const auto before = says(22, "dns1", well, after(1), promoted - hours(1));
  EXPECT_THAT(against(1, at(99), {other, older, before}), ElementsAre(HasSubstr("has not reported")));
}

// A clock that is ahead, or whoever says so, covers no failure that is told later; one that is behind hides none.
TEST(Rings, AWrongClockHidesNoFailure) {
  EXPECT_THAT(against(1, at(99), {says(20, "dns1", well, after(1), after(24)), says(21, "dns1", failed, 2)}),
              SizeIs(1));
  std::vector<DeployedMachine> told{says(20, "dns1", well, after(3), after(3)),
                                    says(21, "dns1", failed, after(30), after(2))};
  EXPECT_THAT(against(1, at(99), told), ElementsAre(HasSubstr("bind9: failed")));
  told[1] = says(21, "dns1", failed, after(30), promoted - hours(9));
  EXPECT_THAT(against(1, at(99), told), ElementsAre(HasSubstr("bind9: failed"))) << "even before it was promoted";
  told.push_back(says(22, "dns1", well, after(40), after(12)));
  EXPECT_THAT(against(1, at(63), told), ElementsAre(HasSubstr("since 2026-11-30T00:00:00.000Z")));
  EXPECT_THAT(against(1, at(64), told), IsEmpty());
}

// What was so before it failed is told again: nothing is mended by that.
TEST(Rings, AnOldReportCoversNoFailure) {
  EXPECT_THAT(
      against(1, at(99),
              {says(20, "dns1", well, 1), says(21, "dns1", failed, 30), says(22, "dns1", well, after(40), after(1))}),
      ElementsAre("ring 1 (canary): 'dns1' differs from serial 7: bind9: failed; line 22 says otherwise, and was "
                  "observed before that"));
}

TEST(Rings, AListIsTheSameOfOneMachineAlone) {
  auto first = says(20, "dns1", well, 1);
  first.file = "list";
  auto again = says(21, "dns1", well, 5);
  again.file = "list";
  auto other = says(22, "dns1", failed, 6);
  other.file = "other";
  const std::vector<DeployedMachine> told{again, first, other};
  const auto same = [&](const std::string& department, const DeployedMachine& one, const std::string& file) {
    return same_list(told, department, one.report, file);
  };
  ASSERT_NE(same("finance", first, "list"), nullptr);
  EXPECT_EQ(same("finance", first, "list")->line, 21U) << "the last one";
  EXPECT_EQ(same("finance", says(23, "mail1", well, 7), "list"), nullptr);
  EXPECT_EQ(same("hr", first, "list"), nullptr);
  EXPECT_EQ(same("finance", first, "third"), nullptr);
  for (const auto state : {failed, InstalledState::older, absent, open})
    EXPECT_EQ(same("finance", says(23, "dns1", state, 7), "list"), nullptr) << "what speaks against it is of now";
}

TEST(Rings, CountSignedReportsAloneWhereThatIsAsked) {
  auto question = at(99);
  question.signed_reports = true;
  auto report = says(20, "dns1", well, 1);
  EXPECT_THAT(against(1, question, {report}), ElementsAre(HasSubstr("has serial 7, signed")));
  report.is_signed = true;
  EXPECT_THAT(against(1, question, {report}), IsEmpty());
  EXPECT_THAT(against(1, question, {report, says(21, "dns1", failed, 2)}), SizeIs(1)) << "a failure need not be signed";
}

TEST(Rings, StandWhereTheirMachinesAreAndSayWhoWasTooEarly) {
  const auto standings = standing_of(
      rings(), at(30), {says(20, "dns1", well, 1), says(21, "mail1", well, 2), says(22, "web1", failed, 3)});
  ASSERT_EQ(standings.size(), 3U);
  EXPECT_THAT(standings[0].early, IsEmpty());
  EXPECT_THAT(
      standings[1].early,
      ElementsAre(HasSubstr("'mail1' has it since 2026-11-28T10:00:00.000Z, before its turn: ring 1 (canary)")));
  EXPECT_THAT(standings[1].waits, IsEmpty());
  EXPECT_THAT(standings[2].waits, ElementsAre("ring 2 (some): 'db1' has not reported that it has serial 7"));
  ASSERT_EQ(standings[2].machines.size(), 1U) << "who ever reported and is in no ring";
  EXPECT_EQ(standings[2].machines[0].name, "web1");
  EXPECT_EQ(standings[2].machines[0].line, 22U);
  EXPECT_THAT(standings[2].machines[0].why_not, HasSubstr("failed"));
}

// Each machine reports by itself, and often: what a ring is asked does not begin from the first line for each of them.
TEST(Rings, OfManyMachinesAreAskedInTheirNumber) {
  const auto seconds = [](std::size_t machines) {
    std::vector<Ring> rings{{"some", {}, hours(0)}, {"all", {}, hours(0)}};
    std::vector<DeployedMachine> told;
    for (std::size_t i = 0; i < machines; ++i) {
      const auto name = fmt::format("m{}", i);
      if (i % 2 == 0) rings[0].machines.push_back(name);
      for (const auto state : {absent, well})
        told.push_back(says(20 + told.size(), name, state, 1 + static_cast<int>(told.size() / machines)));
    }
    const auto start = std::clock();
    const auto standings = standing_of(rings, at(99), told);
    EXPECT_THAT(standings.at(1).early, SizeIs(machines / 2 - 1)) << "only the last one waited for its turn";
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  const auto few = seconds(200);
  EXPECT_LT(seconds(3200), few * 16 * 5 + 0.2);
}

TEST(Rings, AreTakenWithTheMachinesAndTheReportsThatTheyRestOn) {
  const std::vector<DeployedMachine> told{says(20, "dns1", well, 1), says(22, "mail1", well, 26),
                                          says(22, "db1", well, 26)};
  const auto some = take_ring(rings(), 1, at(99), told, "digest").value();
  EXPECT_EQ(some, (HandoffRing{"some", 2, 3, {"mail1", "db1"}, {"dns1"}, {20}, "digest"}));
  const auto all = take_ring(rings(), 2, at(99), told, "digest").value();
  EXPECT_TRUE(all.is_rest());
  EXPECT_THAT(all.others, ElementsAre("dns1", "mail1", "db1"));
  EXPECT_THAT(all.reports, ElementsAre(20, 22));
  // Since when the hours count, and what it said last.
  auto later = told;
  later.push_back(says(23, "dns1", well, 27));
  EXPECT_THAT(take_ring(rings(), 1, at(99), later, "digest").value().reports, ElementsAre(20, 23));
  const auto refused = take_ring(rings(), 2, at(27), told, "digest");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("ring 3 (all) of 'finance' may not follow yet: ring 2 (some): all of"));
  EXPECT_EQ(refused.error().error_class, ErrorClass::configuration);
}

// Random worlds against the rule said in other words: a machine has it when the last line that speaks against it is
// followed by one that is well and was observed no earlier than anything that ever spoke against it, and the hours run
// from the first such line behind the last failure.
TEST(Rings, InRandomWorldsFollowExactlyWhenTheRuleSaysSo) {
  std::mt19937 random(7);
  const auto pick = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  const std::vector<std::string> names{"dns1", "mail1", "db1", "web1"};
  int follows = 0;
  for (int world = 0; world < 300; ++world) {
    std::vector<DeployedMachine> told;
    const int lines = pick(12);
    int hour = 0;
    for (int line = 1; line <= lines; ++line) {
      hour += pick(20);
      const auto state = std::array{well, well, well, failed, open}[static_cast<std::size_t>(pick(4))];
      auto one = says(static_cast<std::uint64_t>(line), names[static_cast<std::size_t>(pick(3))], state, after(hour),
                      after(hour - pick(30) + 20));
      one.is_signed = pick(1) == 0;
      if (pick(9) == 0) one.source = InstalledSource::by_hand;
      if (pick(9) == 0) one.serial = 6;
      if (pick(9) == 0) one.department = "hr";
      told.push_back(one);
    }
    auto question = at(pick(200));
    question.emergency = pick(3) == 0;
    question.signed_reports = pick(3) == 0;

    const auto since_of = [&](const std::string& name) -> std::optional<Moment> {
      const auto is_its = [&](const DeployedMachine& one) {
        return one.department == "finance" && one.serial == 7 && one.report.machine == name;
      };
      const auto when = [](const DeployedMachine& one) { return std::min(one.report.observed, one.recorded); };
      const auto speaks_against = [&](const DeployedMachine& one) {
        const auto outcome = one.report.outcome();
        return is_its(one) && (outcome == InstalledOutcome::differs ||
                               (outcome == InstalledOutcome::unknown && one.source != InstalledSource::by_hand));
      };
      const auto is_well = [&](const DeployedMachine& one) {
        return is_its(one) && one.report.outcome() == InstalledOutcome::as_promoted &&
               one.source != InstalledSource::by_hand && (one.is_signed || !question.signed_reports) &&
               *parse_rfc3339(one.report.observed) >= promoted &&
               std::ranges::none_of(told, [&](const DeployedMachine& other) {
                 return other.line < one.line && speaks_against(other) && when(other) > when(one);
               });
      };
      const auto last = std::ranges::find_if(told.rbegin(), told.rend(),
                                             [&](const auto& one) { return speaks_against(one) || is_well(one); });
      if (last == told.rend() || !is_well(*last)) return std::nullopt;
      std::uint64_t failure = 0;
      for (const auto& one : told) {
        if (is_its(one) && one.report.outcome() == InstalledOutcome::differs) failure = one.line;
      }
      const auto first =
          std::ranges::find_if(told, [&](const auto& one) { return one.line > failure && is_well(one); });
      return parse_rfc3339(first->recorded);
    };
    const auto all = rings();
    bool expected = true;
    const auto standings = standing_of(all, question, told);
    for (std::size_t ring = 0; ring < all.size(); ++ring) {
      EXPECT_EQ(standings[ring].waits.empty(), expected) << "world " << world << ", ring " << ring;
      EXPECT_EQ(take_ring(all, ring, question, told, "x").has_value(), expected);
      for (const auto& name : all[ring].machines) {
        const auto since = since_of(name);
        expected = expected && since && (question.emergency || question.now >= *since + all[ring].hours);
      }
      follows += ring > 0 && standings[ring].waits.empty() ? 1 : 0;
    }
    // In whatever order it is given; and a failure that is told last stops every ring behind.
    std::ranges::shuffle(told, random);
    EXPECT_EQ(against(2, question, told), standings[2].waits);
    told.push_back(says(99, "dns1", failed, 300));
    EXPECT_FALSE(against(1, question, told).empty());
  }
  EXPECT_GT(follows, 30) << "both answers are to be seen";
}

}  // namespace
}  // namespace patchlab::promotion
