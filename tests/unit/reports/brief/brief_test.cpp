// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/brief/brief.hpp"

#include <gmock/gmock.h>

#include "tests/support/report_states.hpp"

namespace patchlab::reports {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Brief, SaysInMarkdownWhatIsHeldBackAndWhatToDo) {
  const auto record = tests::rich_record();
  EXPECT_EQ(markdown_summary(record, tests::sample_decisions(record)),
            "## xavier-nightly: 5 of 9 candidates break something and are held back; what passed is promoted\n\n"
            "Run `2026-11-22T060250Z-7f3a91`, exit code 1. Decided as of 2026-11-22T06:20:31.000Z: promoted in "
            "engineering, finance.\n\n"
            "**To do:** nothing: what is held back stays out of production\n\n"
            "| Outcome | What | Where | Why |\n|---|---|---|---|\n"
            "| fail | postfix-tls-strict \\(moderate\\) | engineering, finance | held back: mail/deliver |\n"
            "| fail | bind9-journal-cleanup \\(moderate\\) | engineering, finance | held back: dns/a-record |\n"
            "| fail | samba-share-defaults \\(moderate\\) | engineering | held back: file/share-access |\n"
            "| fail | pg-tuning-memory \\(low\\) | engineering, finance | held back together with "
            "pg-tuning-connections: db/state:service:postgresql |\n"
            "| fail | pg-tuning-connections \\(low\\) | engineering, finance | held back together with "
            "pg-tuning-memory: db/state:service:postgresql |\n"
            "| pass | 4 candidates | wherever they apply |  |\n");
}

TEST(Brief, SaysInPlainTextWhatAPersonMustDo) {
  const auto record = tests::healthy_record();
  const auto decisions = tests::refused_decisions(record, {.code = "approval-missing",
                                                           .subject = "the set",
                                                           .text = "1 of 2 people approved",
                                                           .command = "patchlab approve r1",
                                                           .by_people = true});
  EXPECT_EQ(
      text_summary(record, decisions),
      "xavier-nightly: Tested, and waiting for people to decide\n"
      "run 2026-11-22T060250Z-7f3a91, exit code 5\n"
      "decided as of 2026-11-22T06:20:31.000Z: waits for people: approval-missing in hr, db.\n\n"
      "To do:\n"
      "  hr, db: approval-missing: 1 of 2 people approved\n"
      "    patchlab approve r1 --department hr\n"
      "    patchlab approve r1 --department db\n\n"
      "fail         decision, hr: refused as of 2026-11-22T06:20:31.000Z: approval-missing: the set: 1 of 2 people "
      "approved\n"
      "fail         decision, db: refused as of 2026-11-22T06:20:31.000Z: approval-missing: the set: 1 of 2 people "
      "approved\n"
      "pass         2 candidates, wherever they apply\n");
}

// By its title, with the name beside it, by which policies know it.
TEST(Brief, CallsTheScenarioByItsTitle) {
  auto record = tests::healthy_record();
  record.scenario_title = "All departments, *every* night";
  EXPECT_THAT(markdown_summary(record, {}), AllOf(StartsWith("## All departments, \\*every\\* night: "),
                                                  HasSubstr("Run `2026-11-22T060250Z-7f3a91` of xavier-nightly, ")));
  EXPECT_THAT(text_summary(record, {}), AllOf(StartsWith("All departments, *every* night: "),
                                              HasSubstr("run 2026-11-22T060250Z-7f3a91 of xavier-nightly, ")));
}

TEST(Brief, OfManyFailuresIsStillShort) {
  auto record = tests::rich_record();
  auto& department = record.departments[0];
  for (int i = 0; i < 100; ++i) {
    record.candidates.push_back(record.candidates[0]);
    record.candidates.back().id = fmt::format("bad-{}", i);
    department.verdicts.push_back({.candidate = record.candidates.back().id, .outcome = Outcome::fail});
  }
  const auto text = markdown_summary(record);
  EXPECT_LT(text.size(), 8000U);
  EXPECT_THAT(text, HasSubstr("more: see report.html"));
}

// Whoever writes what a guest says writes neither markup, links, rows nor lines of these.
TEST(Brief, NothingOfARecordActsOnTheReader) {
  const std::string evil =
      "a|b <img src=http://evil/x> `c` [d](https://evil) ![e](f) @team www.evil.com\n# g\n\x1b[2J *h* _i_ ~j~ $k$ &lt;";
  auto record = tests::rich_record();
  record.scenario_name = record.scenario_title = evil;
  record.candidates[4].id = evil;
  for (auto& department : record.departments) {
    department.verdicts[4].candidate = evil;
    department.verdicts[4].failed = {evil};
    department.error = Error{ErrorClass::guest, evil, evil};
  }
  record.error = Error{ErrorClass::guest, evil, evil};
  const auto marked = markdown_summary(record);
  const std::string good =
      "a\\|b \\<img src\\=http\\://evil/x\\> \\`c\\` \\[d\\]\\(https\\://evil\\) \\!\\[e\\]\\(f\\) \\@team "
      "www\\.evil.com\\\\n\\# g";
  EXPECT_THAT(marked, AllOf(StartsWith("## " + good), HasSubstr("| fail | " + good)));
  for (const auto& text : {marked, text_summary(record)}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\n# g")));
  }
  std::istringstream lines(marked);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) continue;
    std::size_t cells = 0;
    for (std::size_t i = 0; i < line.size(); ++i) cells += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    EXPECT_EQ(cells, 5U) << line;
  }
}

}  // namespace
}  // namespace patchlab::reports
