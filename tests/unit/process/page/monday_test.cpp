// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/monday.hpp"

#include <gmock/gmock.h>

#include "tests/support/page_facts.hpp"

// The list for the person who decides: what is on it, in which order, with what to do; and that it never is short in
// silence.
namespace patchlab::process::page {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::nothing_known;
using tests::page_facts;
using tests::scanned_item;

// It is 30 November; the scan is of the 29th. dns-update was due on the 28th and is exploited, mail-update is due on 20
// December.
std::vector<std::string> told(const Monday& monday) {
  std::vector<std::string> rows;
  for (const auto& row : monday.rows) rows.push_back(row.update + ": " + words_of(row));
  return rows;
}
template <class Change>
Facts with_scan(const Change& change) {
  auto facts = page_facts();
  auto scan = *facts.scan;
  change(scan);
  facts.scan = scan;
  return facts;
}
Facts with_failure(Facts facts, const std::string& candidate) {
  auto history = *facts.history;
  history.failed = {{"finance", candidate, "2026-11-29-0002", "2026-11-29T22:00:00.000Z",
                     "breaks mail/deliver: fails alone, and the rest passes without it", "mail/deliver", "mail", ""}};
  facts.history = history;
  return facts;
}
Facts with_window(Facts facts, const std::string& closes) {
  facts.windows = std::map<std::string, std::string>{{"engineering", closes}, {"finance", closes}};
  return facts;
}

TEST(Monday, NamesWhatIsOverdueWithWhyAndWhatToDo) {
  const auto monday = monday_of(with_window(page_facts(), "2026-12-06"));
  ASSERT_THAT(told(monday), ElementsAre("dns-update: overdue, at risk"));
  const auto& row = monday.rows.front();
  EXPECT_EQ(row.department, "finance");
  EXPECT_THAT(row.machines, ElementsAre("fin-dns1"));
  EXPECT_THAT(row.why, ElementsAre("CVE-2026-1234 is exploited since 2026-11-20", "was due on 2026-11-28"));
  // It waits for people already.
  EXPECT_EQ(row.next,
            "bob@xavier.example, carol@xavier.example: patchlab approve 2026-11-29-0002 --department finance "
            "--reason REASON --key KEY");
  EXPECT_THAT(monday.not_known, IsEmpty());
}

TEST(Monday, IsAtRiskWhatIsDueBeforeTheNextWindowCloses) {
  EXPECT_THAT(told(monday_of(with_window(page_facts(), "2026-12-19"))), ElementsAre("dns-update: overdue, at risk"));
  const auto monday = monday_of(with_window(page_facts(), "2026-12-20"));
  ASSERT_THAT(told(monday), ElementsAre("dns-update: overdue, at risk", "mail-update: at risk"));
  EXPECT_THAT(monday.rows[1].why, ElementsAre(HasSubstr("the next window, which closes on 2026-12-20")));
  EXPECT_EQ(monday.rows[1].next, "kb5035968.msu is to-bring: bring it, then patchlab acquire");
  const auto never = monday_of(with_window(page_facts(), ""));
  ASSERT_THAT(never.rows, ::testing::SizeIs(2));
  EXPECT_THAT(never.rows[1].why, ElementsAre("is due on 2026-12-20, and no window opens"));
}

TEST(Monday, TakesSevenDaysWhereNobodyKnowsTheWindow) {
  const auto facts = with_scan([](auto& scan) {
    auto soon = scanned_item("finance", "fin-web1", "web-update", "missing");
    soon.due = "2026-12-07";
    auto later = scanned_item("finance", "fin-web1", "php-update", "missing");
    later.due = "2026-12-08";
    scan.items.push_back(soon);
    scan.items.push_back(later);
  });
  const auto monday = monday_of(facts);
  EXPECT_THAT(told(monday), ElementsAre("dns-update: overdue, at risk", "web-update: at risk"));
  EXPECT_THAT(monday.not_known,
              ElementsAre("when the next windows are: nobody looked: what is due within 7 days is listed"));
  auto other = facts;
  other.windows = std::map<std::string, std::string>{{"engineering", "2026-12-06"}};
  EXPECT_THAT(monday_of(other).not_known, ElementsAre(HasSubstr("the calendar says nothing of finance")));
}

TEST(Monday, IsBlockedWhatFailedInTheNewestRun) {
  const auto monday = monday_of(with_window(with_failure(page_facts(), "mail-update"), "2026-12-06"));
  ASSERT_THAT(told(monday), ElementsAre("dns-update: overdue, at risk", "mail-update: blocked"));
  const auto& row = monday.rows[1];
  EXPECT_EQ(row.run, "2026-11-29-0002");
  EXPECT_THAT(
      row.why,
      ElementsAre("failed in run 2026-11-29-0002: breaks mail/deliver: fails alone, and the rest passes without it"));
  EXPECT_THAT(row.next, HasSubstr("patchlab explain mail-update --run 2026-11-29-0002"));
  // Overdue and blocked is one row, and what to do is about the failure.
  const auto both = monday_of(with_window(with_failure(page_facts(), "dns-update"), "2026-12-06"));
  ASSERT_THAT(told(both), ElementsAre("dns-update: overdue, at risk, blocked"));
  EXPECT_THAT(both.rows[0].next, HasSubstr("patchlab explain"));
  // What the scan does not know of is blocked all the same; what nobody lacks any more is not.
  EXPECT_THAT(told(monday_of(with_failure(page_facts(), "test-only"))), Contains("test-only: blocked"));
  const auto settled = with_scan(
      [](auto& scan) { scan.items.push_back(scanned_item("finance", "fin-web1", "test-only", "superseded")); });
  EXPECT_THAT(told(monday_of(with_failure(settled, "test-only"))), ElementsAre("dns-update: overdue, at risk"));
}

TEST(Monday, IsBlockedWhatIsKnownToBeBad) {
  const auto monday = monday_of(with_scan([](auto& scan) {
    auto bad = scanned_item("finance", "fin-web1", "web-update", "known-bad");
    bad.why = "'KB1': breaks printing (a vendor)";
    scan.items.push_back(bad);
  }));
  ASSERT_THAT(told(monday), Contains("web-update: blocked"));
  EXPECT_THAT(monday.rows.back().why, ElementsAre("known to be bad: 'KB1': breaks printing (a vendor)"));
  EXPECT_THAT(monday.rows.back().next, HasSubstr("wait for the version that mends it"));
}

// Of one update on several machines the first date counts, whichever row comes first.
TEST(Monday, GoesByTheMachineWhereItIsDueFirst) {
  for (const bool first : {true, false}) {
    const auto facts = with_scan([&](auto& scan) {
      auto soon = scanned_item("finance", "fin-web1", "web-update", "missing");
      soon.due = "2026-12-05";
      auto later = scanned_item("finance", "fin-web2", "web-update", "missing");
      later.due = "2026-12-21";
      auto never = scanned_item("finance", "fin-web3", "web-update", "missing");
      scan.items.insert(scan.items.end(), {never, first ? soon : later, first ? later : soon});
    });
    const auto monday = monday_of(facts);
    ASSERT_THAT(told(monday), ElementsAre("dns-update: overdue, at risk", "web-update: at risk"));
    EXPECT_EQ(monday.rows[1].due, "2026-12-05");
    EXPECT_EQ(monday.rows[1].machines.size(), 3U);
    EXPECT_THAT(monday.not_known, ElementsAre(HasSubstr("when the next windows are"))) << "once";
  }
}

// Each reason is said once, and a row that names no update is none of an update.
TEST(Monday, SaysNothingTwice) {
  const auto monday = monday_of(with_window(with_scan([](auto& scan) {
                                              auto other = scan.items.front();
                                              other.machine = "fin-dns2";
                                              scan.items.push_back(other);
                                              scan.items.push_back(scanned_item("finance", "fin-x", "", "missing"));
                                            }),
                                            "2026-12-06"));
  ASSERT_THAT(told(monday), ElementsAre("dns-update: overdue, at risk"));
  EXPECT_THAT(monday.rows[0].why, ElementsAre("CVE-2026-1234 is exploited since 2026-11-20", "was due on 2026-11-28"));
}

// What waits, and what was brought, is of that very department and update.
TEST(Monday, SaysWhatToDoOfThisUpdateHere) {
  const auto next = [](const auto& change) {
    auto facts = with_window(page_facts(), "2026-12-20");
    auto waiting = *facts.waiting;
    auto acquired = *facts.acquired;
    change(waiting.front(), acquired.items.back());
    facts.waiting = waiting;
    facts.acquired = acquired;
    const auto monday = monday_of(facts);
    EXPECT_EQ(monday.rows.size(), 2U);
    return std::pair(monday.rows.front().next, monday.rows.back().next);
  };
  const std::string test =
      "test it, unless run 2026-11-30-0001 does, which has no end yet: patchlab plan, patchlab run";
  EXPECT_EQ(next([](auto& set, auto&) { set.department = "engineering"; }).first, test);
  EXPECT_EQ(next([](auto& set, auto&) { set.set = {"tidy"}; }).first, test);
  EXPECT_EQ(next([](auto& set, auto&) { set.whom.clear(); }).first, page_facts().waiting->front().command);
  EXPECT_EQ(next([](auto&, auto& file) { file.item = "other"; }).second, test);
  EXPECT_EQ(next([](auto&, auto& file) { file.state = "acquired"; }).second, test);
  for (const char* state : {"to-bring", "quarantined", "failed"}) {
    EXPECT_EQ(next([&](auto&, auto& file) { file.state = state; }).second,
              std::string("kb5035968.msu is ") + state + ": bring it, then patchlab acquire");
  }
}

// The time it takes to copy, or to test, is no reason to do it twice.
TEST(Monday, LeavesWhatIsUnderWayToItsEnd) {
  auto facts = with_window(page_facts(), "2026-12-20");
  const auto next = [&] { return monday_of(facts).rows.back().next; };
  auto acquired = *facts.acquired;
  acquired.items.back().state = "unfinished";
  facts.acquired = acquired;
  EXPECT_EQ(next(), "kb5035968.msu is unfinished: wait until all of it is there, then patchlab acquire");
  acquired.items.back().state = "here";
  facts.acquired = acquired;
  auto history = *facts.history;
  const auto with_open = [&](std::vector<history::OpenRun> open) {
    history.newest.open = std::move(open);
    facts.history = history;
    return next();
  };
  const std::string test = "test it: patchlab plan, patchlab run";
  EXPECT_EQ(with_open({}), test);
  // It is 05:37:09 on 30 November.
  EXPECT_EQ(with_open({{"r1", "2026-11-29T05:37:09.000Z", "lab@x", 18}}), test) << "that one has come to no end";
  EXPECT_EQ(with_open({{"r1", "yesterday", "lab@x", 18}}), test);
  EXPECT_EQ(
      with_open({{"r2", "2026-11-30T05:00:00.000Z", "lab@x", 19}, {"r1", "2026-11-29T05:37:10.000Z", "lab@x", 18}}),
      "test it, unless run r2 or run r1 does, which has no end yet: patchlab plan, patchlab run");
  facts.history = Known<History>::not_known("there is no folder of runs");
  EXPECT_EQ(next(), test);
}

TEST(Monday, IsBlockedWhatFailedInTheDepartmentThatWasTestedForIt) {
  auto facts = with_failure(with_window(page_facts(), "2026-12-06"), "mail-update");
  auto history = *facts.history;
  auto carried = history.failed.front();
  carried.department = "engineering";
  carried.tested_in = "finance";
  history.failed.push_back(carried);
  facts.history = history;
  const auto monday = monday_of(facts);
  ASSERT_THAT(told(monday),
              ElementsAre("dns-update: overdue, at risk", "mail-update: blocked", "mail-update: blocked"));
  // By due date: nobody in engineering lacks it by the scan.
  EXPECT_EQ(monday.rows[1].department, "finance");
  EXPECT_EQ(monday.rows[2].department, "engineering");
  EXPECT_THAT(monday.rows[2].why,
              ElementsAre("failed in run 2026-11-29-0002, in 'finance', which was tested for it: breaks mail/deliver: "
                          "fails alone, and the rest passes without it"));
  EXPECT_THAT(monday.rows[2].next, HasSubstr("patchlab explain mail-update --run 2026-11-29-0002"));
}

TEST(Monday, IsNeverShortInSilence) {
  const auto said = [](const Facts& facts) { return monday_of(facts).not_known; };
  EXPECT_THAT(said(nothing_known()),
              ElementsAre("what is missing and due: nobody looked", "what failed in a test: nobody looked",
                          "what waits for people: nobody looked"));
  EXPECT_THAT(said(with_window(with_scan([](auto& scan) { scan.day = "2026-11-01"; }), "2026-12-06")),
              ElementsAre(HasSubstr("what is due since the scan of 2026-11-01, 29 days old")));
  EXPECT_THAT(said(with_window(with_scan([](auto& scan) { scan.day = "2026-12-24"; }), "2026-12-06")),
              ElementsAre("the scan's day cannot be right"));
  EXPECT_THAT(said(with_window(with_scan([](auto& scan) { scan.day = "yesterday"; }), "2026-12-06")),
              ElementsAre("the scan's day cannot be right"));
  EXPECT_THAT(said(with_window(with_scan([](auto& scan) { scan.whole = false; }), "2026-12-06")),
              ElementsAre("the scan does not know everything"));
  EXPECT_THAT(said(with_window(with_scan([](auto& scan) {
                                 scan.items.push_back(scanned_item("finance", "fin-web1", "", "unknown"));
                               }),
                               "2026-12-06")),
              ElementsAre("what 1 row of the scan would say, which nobody can tell"));
  const auto stale = out_of_date(page_facts(), "the last look was at noon");
  EXPECT_THAT(said(stale), ElementsAre("the last look was at noon"));
  EXPECT_THAT(monday_of(stale).rows, IsEmpty());
}

}  // namespace
}  // namespace patchlab::process::page
