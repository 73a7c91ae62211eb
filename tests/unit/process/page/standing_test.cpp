// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/standing.hpp"

#include <gmock/gmock.h>

#include "tests/support/page_facts.hpp"

// What stands in the matrix; above all, that what nobody knows is never well.
namespace patchlab::process::page {
namespace {

using ::testing::HasSubstr;
using tests::nothing_known;
using tests::page_facts;
using tests::scanned_item;

TEST(Standing, OfWhatNobodyLookedAtIsNotKnownInEveryStep) {
  for (const auto step : all_steps) {
    const auto standing = standing_of(nothing_known(), "finance", step);
    EXPECT_EQ(standing.tone, Tone::unknown) << to_string(step);
    EXPECT_EQ(standing.says, "not known") << to_string(step);
    EXPECT_EQ(standing.more, "nobody looked") << to_string(step);
  }
  EXPECT_EQ(gaps_of(nothing_known()).size(), 6U);
}

TEST(Standing, SaysWhatIsMissingAndOverdue) {
  const auto facts = page_facts();
  const auto detect = standing_of(facts, "finance", Step::detect);
  EXPECT_EQ(detect, (Standing{Tone::bad, "2 updates missing on 2 machines", "scan of 2026-11-29",
                              "/department/finance#missing"}));
  const auto assess = standing_of(facts, "finance", Step::assess);
  EXPECT_EQ(assess, (Standing{Tone::bad, "1 overdue", "1 exploited", "/department/finance#missing"}));
  EXPECT_EQ(standing_of(facts, "engineering", Step::detect),
            (Standing{Tone::good, "nothing missing", "scan of 2026-11-29; 2 vulnerabilities without a fix",
                      "/department/engineering#missing"}));
  EXPECT_EQ(standing_of(facts, "engineering", Step::assess).says, "nothing due");
}

TEST(Standing, NothingIsSaidToBeCompleteByAScanThatIsNot) {
  const auto expect = [](const Facts& facts, const std::string& why) {
    for (const auto step : {Step::detect, Step::assess, Step::acquire}) {
      const auto standing = standing_of(facts, "engineering", step);
      EXPECT_EQ(standing.tone, Tone::unknown) << to_string(step) << ": " << why;
      EXPECT_THAT(standing.more, HasSubstr(why)) << to_string(step);
    }
  };
  const auto with = [](const auto& change) {
    auto facts = page_facts();
    auto scan = *facts.scan;
    change(scan);
    facts.scan = scan;
    return facts;
  };
  expect(with([](auto& scan) { scan.whole = false; }), "does not know everything");
  expect(with([](auto& scan) { scan.day = "2026-11-20"; }), "the scan is 10 days old");
  expect(with([](auto& scan) { scan.day = "2026-12-02"; }), "cannot be right");
  expect(with([](auto& scan) { scan.items.push_back(scanned_item("engineering", "eng-db1", "", "unknown")); }),
         "1 not known");
  EXPECT_EQ(standing_of(with([](auto& scan) { scan.items.clear(); }), "engineering", Step::detect).more,
            "the scan of 2026-11-29 names no machine of it");
  // What is seen missing is missing, however old the scan is.
  EXPECT_EQ(standing_of(with([](auto& scan) { scan.day = "2026-11-01"; }), "finance", Step::detect).tone, Tone::bad);
}

TEST(Standing, WhatIsKnownToBeBadIsMissingAllTheSame) {
  auto facts = page_facts();
  auto scan = *facts.scan;
  scan.items = {scanned_item("engineering", "eng-dns1", "bad-update", "known-bad")};
  facts.scan = scan;
  const auto detect = standing_of(facts, "engineering", Step::detect);
  EXPECT_EQ(detect.says, "1 update missing on 1 machine");
  EXPECT_THAT(detect.more, HasSubstr("1 known to be bad"));
}

TEST(Standing, OfAcquiredFilesTheWorstCounts) {
  auto facts = page_facts();
  EXPECT_EQ(standing_of(facts, "finance", Step::acquire).says, "1 file to bring");
  auto acquired = *facts.acquired;
  acquired.items[1].state = "quarantined";
  facts.acquired = acquired;
  EXPECT_EQ(standing_of(facts, "finance", Step::acquire).tone, Tone::bad);
  acquired.items.pop_back();
  facts.acquired = acquired;
  EXPECT_EQ(standing_of(facts, "finance", Step::acquire),
            (Standing{Tone::unknown, "1 of 2 not asked for", "acquired on 2026-11-29, 1 day old"}));
  EXPECT_EQ(standing_of(facts, "engineering", Step::acquire).says, "nothing to bring");
}

// What was verified then is not what is there now, however long ago that was.
TEST(Standing, OfAcquiredFilesGrowsOldAsTheScanDoes) {
  const auto with = [](const std::string& day, const std::string& state) {
    auto facts = page_facts();
    auto acquired = *facts.acquired;
    acquired.day = day;
    for (auto& item : acquired.items) item.state = state;
    facts.acquired = acquired;
    return facts;
  };
  EXPECT_EQ(standing_of(with("2026-11-22", "here"), "finance", Step::acquire).tone, Tone::good);
  for (const auto& [day, why] : {std::pair("2026-11-21", "is of 2026-11-21, 9 days old"),
                                 {"2026-12-01", "in the future"},
                                 {"yesterday", "does not say of which day"}}) {
    const auto facts = with(day, "here");
    EXPECT_EQ(standing_of(facts, "finance", Step::acquire).tone, Tone::unknown) << day;
    EXPECT_THAT(standing_of(facts, "finance", Step::acquire).more, HasSubstr(why));
    EXPECT_THAT(gaps_of(facts), ::testing::ElementsAre(HasSubstr(why)));
  }
  EXPECT_EQ(standing_of(with("2026-11-01", "quarantined"), "finance", Step::acquire).tone, Tone::bad);
}

// It lies in the folder of what was brought, and nobody asked for it this time: nobody verified it, either.
TEST(Standing, WhatWasNotAskedForIsNotVerified) {
  auto facts = page_facts();
  auto acquired = *facts.acquired;
  acquired.items[1].state = "not-asked";
  facts.acquired = acquired;
  EXPECT_EQ(standing_of(facts, "finance", Step::acquire),
            (Standing{Tone::unknown, "1 of 2 not asked for", "acquired on 2026-11-29, 1 day old"}));
  acquired.items[1].state = "here";
  facts.acquired = acquired;
  EXPECT_EQ(standing_of(facts, "finance", Step::acquire),
            (Standing{Tone::good, "2 updates here, verified", "acquired on 2026-11-29, 1 day old"}));
  // Of a scan that does not know everything there may be more, whatever it saw.
  auto scan = *facts.scan;
  scan.whole = false;
  facts.scan = scan;
  EXPECT_EQ(standing_of(facts, "finance", Step::acquire).tone, Tone::unknown);
  scan.items = {scanned_item("engineering", "eng-dns1", "bad-update", "known-bad")};
  facts.scan = scan;
  EXPECT_EQ(standing_of(facts, "engineering", Step::acquire).tone, Tone::unknown);
}

TEST(Standing, NothingWaitsOnlyWhereRunsWereLookedAt) {
  auto facts = page_facts();
  facts.waiting = std::vector<WaitingSet>();
  EXPECT_EQ(standing_of(facts, "finance", Step::decide).tone, Tone::good);
  facts.waiting_runs = 0;
  EXPECT_EQ(standing_of(facts, "finance", Step::decide),
            (Standing{Tone::unknown, "not known", "no run was looked at"}));
}

TEST(Standing, TellsTestsDecisionsAndMachines) {
  auto facts = page_facts();
  EXPECT_EQ(standing_of(facts, "finance", Step::test),
            (Standing{Tone::bad, "2 failed, 4 passed", "run of 2026-11-29", "/run/2026-11-29-0002"}));
  EXPECT_EQ(standing_of(facts, "engineering", Step::test).tone, Tone::good);
  EXPECT_EQ(standing_of(facts, "finance", Step::decide).says, "waits for people");
  EXPECT_EQ(standing_of(facts, "finance", Step::decide).more, "for 2 people");
  EXPECT_EQ(standing_of(facts, "engineering", Step::decide).tone, Tone::good);
  EXPECT_EQ(standing_of(facts, "finance", Step::deploy).says, "1 of 2 differ");
  EXPECT_EQ(
      standing_of(facts, "engineering", Step::deploy),
      (Standing{Tone::good, "1 of 1 have it", "serial 3, of those that report", "/department/engineering#production"}));
  EXPECT_EQ(standing_of(facts, "sales", Step::deploy).says, "nothing promoted");
  EXPECT_EQ(standing_of(facts, "finance", Step::maintain).says, "1 flaky check");
  EXPECT_EQ(standing_of(facts, "engineering", Step::maintain).tone, Tone::good);
  EXPECT_EQ(standing_of(facts, "sales", Step::maintain).tone, Tone::unknown);

  auto history = *facts.history;
  history.departments[0].complete = false;
  history.departments[0].started = "2026-08-01T00:00:00.000Z";
  facts.history = history;
  EXPECT_EQ(standing_of(facts, "engineering", Step::test).tone, Tone::unknown) << "a run that was not complete";
  EXPECT_EQ(standing_of(facts, "engineering", Step::maintain).tone, Tone::unknown) << "asked last before these months";

  auto production = *facts.production;
  production[0].machines[0].has_reported = false;
  production[1].machines.clear();
  facts.production = production;
  EXPECT_EQ(standing_of(facts, "engineering", Step::deploy).says, "0 of 1 have it");
  EXPECT_EQ(standing_of(facts, "finance", Step::deploy),
            (Standing{Tone::unknown, "no machine reported", "serial 7", "/department/finance#production"}));
}

}  // namespace
}  // namespace patchlab::process::page
