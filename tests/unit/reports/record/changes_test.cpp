// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/changes.hpp"

#include <gmock/gmock.h>

#include "tests/support/report_states.hpp"

namespace patchlab::reports {
namespace {
using ::testing::ElementsAre;
using ::testing::IsEmpty;

RunRecord yesterday(RunRecord record) {
  record.id = "2026-11-21T060250Z-000001";
  record.finished = "2026-11-21T06:13:31.480Z";
  return record;
}

VerdictRecord& verdict_on(RunRecord& record, std::size_t department, const std::string& candidate) {
  return *std::ranges::find(record.departments[department].verdicts, candidate, &VerdictRecord::candidate);
}

TEST(Changes, NewOnesAndKnownOnesAreToldApartPerDepartment) {
  const auto now = tests::rich_record();
  auto before = yesterday(now);
  verdict_on(before, 0, "postfix-tls-strict").outcome = Outcome::pass;
  verdict_on(before, 1, "tzdata-refresh").outcome = Outcome::fail;
  verdict_on(before, 1, "base-files-tidy").outcome = Outcome::fail;
  before.departments[0].verdicts.pop_back();  // was not tested there
  const auto changes = changes_since(before, now);
  EXPECT_EQ(changes.since, before.id);
  EXPECT_THAT(changes.fresh, ElementsAre("postfix-tls-strict in engineering", "pg-tuning-connections in engineering"));
  EXPECT_THAT(changes.known,
              ElementsAre("bind9-journal-cleanup in engineering, finance", "samba-share-defaults in engineering",
                          "pg-tuning-memory in engineering, finance", "postfix-tls-strict in finance",
                          "pg-tuning-connections in finance"));
  EXPECT_THAT(changes.mended, ElementsAre("base-files-tidy in finance", "tzdata-refresh in finance"));
  EXPECT_EQ(to_string(changes),
            "since run 2026-11-21T060250Z-000001 (2026-11-21): fails anew: postfix-tls-strict in engineering, "
            "pg-tuning-connections in engineering; fails as before: bind9-journal-cleanup in engineering, finance, "
            "samba-share-defaults in engineering, pg-tuning-memory in engineering, finance and 2 more; passes again: "
            "base-files-tidy in finance, tzdata-refresh in finance");
}

// What the lab could not tell is neither mended nor known.
TEST(Changes, OnlyAPassIsMendedAndOnlyAFailureIsKnown) {
  auto now = tests::good_record();
  auto before = yesterday(now);
  before.departments[0].verdicts[0].outcome = Outcome::fail;
  before.departments[0].verdicts[1].outcome = Outcome::error;
  now.departments[0].verdicts[0].outcome = Outcome::error;
  now.departments[0].verdicts[1].outcome = Outcome::fail;
  const auto changes = changes_since(before, now);
  EXPECT_THAT(changes.mended, IsEmpty());
  EXPECT_THAT(changes.known, IsEmpty());
  EXPECT_THAT(changes.fresh, ElementsAre("tidy in finance"));
}

TEST(Changes, FlakyFactsAreComparedByWhatFlickered) {
  auto now = tests::good_record();
  now.departments[0].flaky = {{FlakeKind::in_search, "dns/a-record", {"tidy"}, {"finance/t3"}, {"finance/t4"}},
                              {FlakeKind::in_search, "mail/deliver", {"tidy"}, {"finance/t3"}, {"finance/t4"}}};
  auto before = yesterday(now);
  before.departments[0].flaky = {{FlakeKind::in_control, "dns/a-record", {}, {"finance/t1"}, {"finance/t2"}}};
  const auto changes = changes_since(before, now);
  EXPECT_THAT(changes.flaky, ElementsAre("mail/deliver in finance"));
  EXPECT_THAT(changes.still_flaky, ElementsAre("dns/a-record in finance"));
}

TEST(Changes, OfTwoGoodNightsSayThat) {
  const auto now = tests::good_record();
  EXPECT_EQ(to_string(changes_since(yesterday(now), now)),
            "since run 2026-11-21T060250Z-000001 (2026-11-21): no failure then, none now");
  EXPECT_EQ(to_string(RunChanges{}), "");
}

}  // namespace
}  // namespace patchlab::reports
