// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/pages.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "process/page/standing.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/page_facts.hpp"

// The pages as functions: what is on them, what is never on them, and that whatever others chose is text.
namespace patchlab::process::page {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using tests::nothing_known;
using tests::page_facts;
using tests::page_story;

using Pages = std::vector<std::pair<std::string, std::string>>;

RunView run_view(const Facts& facts) {
  RunView view;
  if (facts.history) view.details.run = facts.history->newest.runs.front();
  view.details.verdicts = {
      {"engineering", "dns-update", "DNS server update", "important", "deb", "", "pass", "", "", "", "", ""},
      {"finance", "dns-update", "DNS server update", "important", "deb", "", "fail", "fails alone", "mail/deliver", "",
       "", ""}};
  view.details.machines = {{"finance", "dns", "dns", "dns-golden"}};
  view.details.lines = page_story().lines;
  history::ChangesAnswer changes;
  changes.good = "2026-11-20-0001";
  changes.changes = {{"candidate", "", "dns-update", "", "1"}};
  view.changes = changes;
  return view;
}

Pages all_pages(const Facts& facts, const Known<history::CandidateStory>& story) {
  const Reader reader{"bob@xavier.example"};
  RunsView runs;
  CandidatesView candidates;
  if (facts.history) runs.answer = facts.history->newest;
  candidates.answer = {{{"dns-update", "DNS server update", "important", "deb", "2026-11", 40, 2, 0}}, 120};
  return {{"today", today_page(facts, reader)},
          {"runs", runs_page(facts, reader, runs)},
          {"run", run_page(facts, reader, run_view(facts))},
          {"candidates", candidates_page(facts, reader, candidates)},
          {"candidate", candidate_page(facts, reader, "dns-update", story)},
          {"departments", departments_page(facts, reader)},
          {"department", department_page(facts, reader, "finance")},
          {"reports", reports_page(facts, reader)},
          {"compliance", compliance_page(facts, reader)}};
}

TEST(PageOfEach, SaysWhenItsFactsWereTakenAndWhatIsNotKnown) {
  for (const auto& [name, page] : all_pages(page_facts(), page_story())) {
    EXPECT_THAT(page, AllOf(HasSubstr("As of 2026-11-30 05:37:09 UTC."), HasSubstr("/srv/patchlab/production")))
        << name;
    EXPECT_THAT(page, Not(HasSubstr("class=\"gaps\""))) << name;
    EXPECT_THAT(page, HasSubstr("signed in as bob@xavier.example")) << name;
  }
  for (const auto& [name, page] : all_pages(nothing_known(), Known<history::CandidateStory>::not_known("no index"))) {
    EXPECT_THAT(page, HasSubstr("6 things are not known")) << name;
    for (const char* well : {"nothing missing", "Nothing waits", "nothing waits", "Nothing, by the scan"})
      EXPECT_THAT(page, Not(HasSubstr(well))) << name;
  }
}

TEST(PageOfEach, ShowsNothingAsKnownWhenNoLookSucceedsAnyMore) {
  const auto stale = out_of_date(page_facts(), "the last look was made at noon, and the next one does not end");
  EXPECT_EQ(gaps_of(stale).size(), 6U);
  for (const auto step : all_steps)
    EXPECT_EQ(standing_of(stale, "finance", step).tone, Tone::unknown) << to_string(step);
  for (const auto& [name, page] : all_pages(stale, Known<history::CandidateStory>::not_known(stale.stale))) {
    EXPECT_THAT(page, AllOf(HasSubstr("out of date"), HasSubstr("and the next one does not end."),
                            HasSubstr("As of 2026-11-30 05:37:09 UTC.")))
        << name;
    for (const char* well : {"nothing missing", "Nothing waits", "nothing waits", "No department is known yet"})
      EXPECT_THAT(page, Not(HasSubstr(well))) << name;
  }
}

TEST(PageOfEach, HasNeitherScriptsNorStylesNorAnythingOfElsewhere) {
  for (const auto& [name, page] : all_pages(page_facts(), page_story())) {
    for (const char* foreign : {"<script", "style=", "<style", "onclick", "<form", "<img", "http://", "https://"})
      EXPECT_THAT(page, Not(HasSubstr(foreign))) << name;
  }
}

// Whatever a file, a ledger or a machine says is text, also in addresses.
TEST(PageOfEach, ShowsWhatOthersChoseAsText) {
  const std::string bad = "\"><script>alert(1)</script><a href='javascript:x'>\xe2\x80\xae";
  auto facts = page_facts();
  auto scan = *facts.scan;
  for (auto& item : scan.items) {
    item.machine = item.item = item.why = item.installed = item.severity = item.superseded_by = item.due = bad;
    item.warnings = {bad};
    for (auto& one : item.vulnerabilities) one.cve = one.facts = one.timeline = one.epss = bad;
  }
  scan.items.front().department = bad;
  scan.items.back().item = "dns-update";
  scan.not_known = scan.feeds_unusable = {bad};
  facts.scan = scan;
  auto acquired = *facts.acquired;
  for (auto& item : acquired.items) item.name = item.why = bad;
  facts.acquired = acquired;
  auto waiting = *facts.waiting;
  for (auto& one : waiting)
    one.department = one.run = one.severity = one.command = bad, one.set = one.missing = one.whom = {bad};
  facts.waiting = waiting;
  facts.waiting_notes = {bad};
  auto production = *facts.production;
  for (auto& one : production) {
    for (auto& machine : one.machines) machine.machine = machine.outcome = bad, machine.says = {bad};
  }
  facts.production = production;
  facts.images = std::vector{ImageLine{"finance", bad, bad, {{2, bad, bad, {bad}, 1}}}};
  auto history = *facts.history;
  auto& run = history.newest.runs.front();
  run.id = run.title = run.scenario = run.result = run.tool = bad;
  history.left_out = {{bad, bad, false}, {bad, bad, true}};
  history.newest.open.front().id = history.newest.open.front().by = bad;
  facts.history = history;
  facts.health = {{bad, Health::unknown, bad, {}}};
  facts.stage = facts.runs = bad;
  auto story = page_story();
  for (auto& test : story.tests) test.title = test.run = test.failed = test.department = test.digest = bad;
  for (auto& line : story.lines) line.reason = line.by = line.kind = line.ticket = bad;
  for (auto& machine : story.machines) machine.machine = machine.name = machine.found = bad;
  for (const auto& [name, page] : all_pages(facts, story)) {
    EXPECT_THAT(page, Not(HasSubstr("<script"))) << name;
    EXPECT_THAT(page, Not(HasSubstr("<a href='"))) << name;
    EXPECT_THAT(page, Not(HasSubstr("href=\"javascript"))) << name;
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)")) << name;
  }
}

TEST(Today, PutsWhatWaitsForTheReaderFirstWithTheCommandToSign) {
  auto facts = page_facts();
  auto waiting = *facts.waiting;
  auto other = waiting.front();
  other.department = "sales";
  other.whom = {"carol@xavier.example"};
  waiting.insert(waiting.begin(), other);
  facts.waiting = waiting;
  const auto page = today_page(facts, {"bob@xavier.example"});
  EXPECT_THAT(page, AllOf(HasSubstr("What waits for me"), HasSubstr("waits for you"),
                          HasSubstr("<pre><span>patchlab</span> <span>approve</span> <span>2026-11-29-0002</span>")));
  EXPECT_LT(page.find("waits for you"), page.find("/department/sales"));
  EXPECT_THAT(page, HasSubstr("Looked at 20 newest runs."));
  EXPECT_THAT(today_page(facts, {}), AllOf(HasSubstr("What waits for people"), Not(HasSubstr("waits for you"))));
}

TEST(CandidatePage, TellsTheWholeStoryInTheOrderOfTheSteps) {
  const auto page = candidate_page(page_facts(), {}, "dns-update", page_story());
  std::size_t last = 0;
  for (const char* part : {"1 detect",
                           "missing on 1 machine",
                           "2 assess",
                           "was due 2026-11-28, exploited",
                           "CVE-2026-1234",
                           "EPSS 15.3 %",
                           "3 acquire",
                           "verified",
                           "bind9_9.18.49_amd64.deb",
                           "4 test",
                           "fails in 1 department",
                           "breaks mail/deliver",
                           "Forecast, if it were tested again; it decides nothing:",
                           "1 of 6 patches of the same kind (deb from apt) for dns broke something here",
                           "drawn from 1 run: 2026-11-01-0001",
                           "such forecasts so far: ",
                           "decide",
                           "waits in 1 department",
                           "approve by bob@xavier.example: read the report (CHG1)",
                           "promote-done by lab@x, serial 3",
                           "5 deploy",
                           "1 of 1 have it",
                           "eng-dns1: bind9 as-promoted",
                           "6 maintain",
                           "golden machines lack it"}) {
    const auto at = page.find(part, last);
    EXPECT_NE(at, std::string::npos) << part;
    if (at != std::string::npos) last = at;
  }
}

TEST(CandidatePage, SaysNeitherVerifiedOfWhatNobodyAskedForNorPromotedOfWhatWasReplaced) {
  auto facts = page_facts();
  auto acquired = *facts.acquired;
  acquired.items[0].state = "not-asked";
  facts.acquired = acquired;
  facts.waiting = std::vector<WaitingSet>();
  auto story = page_story();
  const auto promoted = candidate_page(facts, {}, "dns-update", story);
  EXPECT_THAT(promoted, AllOf(HasSubstr(">not asked for<"), Not(HasSubstr(">verified<")), HasSubstr(">promoted<")));
  // Another set was published over it, or an older one again.
  story.lines.back().ended_by = 12;
  const auto replaced = candidate_page(facts, {}, "dns-update", story);
  EXPECT_THAT(replaced, AllOf(HasSubstr(">promoted, and replaced since<"), Not(HasSubstr(">promoted<"))));
}

// It was promoted twice: what a machine said of the first time says nothing of the second, but what it lacks.
TEST(CandidatePage, CountsAMachineForWhatWasPromotedLast) {
  auto story = page_story();
  auto again = story.lines.back();
  again.seq = 20;
  again.serial = 5;
  story.lines.push_back(again);
  EXPECT_THAT(candidate_page(page_facts(), {}, "dns-update", story), HasSubstr(">0 of 1 have it<"));
  auto other = story.machines.front();
  other.machine = "eng-dns2";
  other.serial = 5;
  story.machines.push_back(other);
  EXPECT_THAT(candidate_page(page_facts(), {}, "dns-update", story), HasSubstr(">1 of 2 have it<"));
  story.machines.front().state = "older";
  EXPECT_THAT(candidate_page(page_facts(), {}, "dns-update", story), HasSubstr(">differs on 1 machine<"));
}

TEST(CandidatePage, SaysHowOldWhatWasAcquiredIs) {
  auto facts = page_facts();
  EXPECT_THAT(candidate_page(facts, {}, "dns-update", page_story()),
              AllOf(HasSubstr("As it was acquired on 2026-11-29, 1 day old."), HasSubstr(">verified<")));
  auto acquired = *facts.acquired;
  acquired.day = "2026-11-01";
  facts.acquired = acquired;
  EXPECT_THAT(candidate_page(facts, {}, "dns-update", page_story()),
              AllOf(HasSubstr("29 days old"), HasSubstr(">was verified<"), Not(HasSubstr(">verified<"))));
}

TEST(CandidatePage, OfWhichNobodyKnowsAnythingSaysSoInEachStep) {
  const auto page = candidate_page(nothing_known(), {}, "dns-update",
                                   Known<history::CandidateStory>::not_known("the index is damaged"));
  std::size_t n = 0;
  for (auto at = page.find("badge error"); at != std::string::npos; at = page.find("badge error", at + 1)) ++n;
  EXPECT_EQ(n, 7U);
  EXPECT_THAT(page, HasSubstr("the index is damaged"));
}

TEST(DepartmentPage, SaysWhatWasPutIntoItsGoldenImages) {
  const auto page = department_page(page_facts(), {}, "finance");
  EXPECT_THAT(page, AllOf(HasSubstr("Golden images"), HasSubstr("version 3, the newest"), HasSubstr("2, dropped"),
                          HasSubstr("2026-11-30 05:00 UTC by qa@lab1"), HasSubstr("href=\"/candidate/dns-update\"")));
  EXPECT_THAT(department_page(page_facts(), {}, "engineering"), HasSubstr("Nothing was put into them"));
  auto facts = page_facts();
  facts.images = Known<std::vector<ImageLine>>::not_known("the cache is closed");
  EXPECT_THAT(department_page(facts, {}, "finance"), HasSubstr("the cache is closed"));
}

TEST(RefusalPage, TellsNothingOfTheFacts) {
  const auto page = refusal_page(page_facts(), 401, "not-signed-in", "nobody said who asks");
  EXPECT_THAT(page, AllOf(HasSubstr("not-signed-in"), Not(HasSubstr("/srv/patchlab")), Not(HasSubstr("2026"))));
}

TEST(Downloads, AreTheSameTableAsCsvAndAsJson) {
  const Json schema =
      read_json_file(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/page-report.schema.json").value();
  for (const auto& kind : report_kinds()) {
    const auto made = report_of(page_facts(), kind.name, page_facts().history->trend);
    ASSERT_TRUE(made && *made) << kind.name;
    const auto& report = **made;
    EXPECT_THAT(report.rows, Not(IsEmpty())) << kind.name;
    for (const auto& row : report.rows) EXPECT_EQ(row.size(), report.columns.size()) << kind.name;
    const auto json = report_json(report);
    EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty()) << kind.name;
    EXPECT_EQ(json["rows"].size(), report.rows.size());
    const auto csv = report_csv(report);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(csv, '\n')), report.rows.size() + 1) << kind.name;
    EXPECT_EQ(file_name_of(report, "csv"), fmt::format("patchlab-{}-20261130T053709Z.csv", kind.name));
  }
  EXPECT_FALSE(report_of(page_facts(), "nosuch", page_facts().history->trend));
}

// A file without rows would say that nothing is missing.
TEST(Downloads, AreNotThereWhenNobodyKnows) {
  for (const char* name : {"missing", "vulnerable", "success", "patch-status"}) {
    const auto made = report_of(nothing_known(), name, Known<history::TrendAnswer>::not_known("no index"));
    ASSERT_TRUE(made) << name;
    EXPECT_FALSE(*made) << name;
  }
  const auto missing = report_of(page_facts(), "missing", {});
  EXPECT_THAT(report_csv(**missing),
              AllOf(HasSubstr("finance,fin-dns1,dns-update,missing"), HasSubstr("CVE-2026-1234 CVE-2026-1235")));
}

TEST(Downloads, HoldNothingThatASpreadsheetExecutes) {
  auto facts = page_facts();
  auto scan = *facts.scan;
  scan.items.front().why = "=HYPERLINK(\"http://evil.example\")";
  facts.scan = scan;
  EXPECT_THAT(report_csv(**report_of(facts, "missing", {})), Not(HasSubstr(",=HYPERLINK")));
}

TEST(Compliance, ShowsTheEvidenceOfTodayAndWhatCannotBeProven) {
  const auto known = compliance_of(page_facts());
  EXPECT_GE(known.size(), 13U);
  std::set<std::string> standards;
  for (const auto& item : known) {
    standards.insert(item.standard);
    EXPECT_THAT(item.figures, Not(IsEmpty())) << item.requirement;
    EXPECT_THAT(item.cannot_prove, Not(IsEmpty())) << item.requirement;
  }
  EXPECT_EQ(standards.size(), 3U);
  EXPECT_THAT(known.front().figures, Contains(HasSubstr("scan of 2026-11-29: 2 missing, 1 overdue")));
  EXPECT_TRUE(known[1].is_known);
  EXPECT_FALSE(known.front().is_known) << "of one machine of production it is not known";
  auto unasked = page_facts();
  unasked.waiting = std::vector<WaitingSet>();
  unasked.waiting_runs = 0;
  EXPECT_FALSE(compliance_of(unasked)[1].is_known) << "nothing waits, of no runs";
  for (const auto& item : compliance_of(nothing_known())) EXPECT_FALSE(item.is_known) << item.requirement;
}

}  // namespace
}  // namespace patchlab::process::page
