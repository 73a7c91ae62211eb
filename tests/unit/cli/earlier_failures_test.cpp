// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/earlier_failures.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A run that tried bytes `sha256` in finance on a name server and a mail server.
reports::RunRecord run(const std::string& id, const std::string& candidate, char bytes, Outcome outcome) {
  reports::RunRecord record;
  record.id = id;
  record.started = "2026-11-29T22:00:00.000Z";
  reports::CandidateRecord tried;
  tried.id = candidate;
  tried.title = candidate;
  tried.severity = "low";
  tried.kind = "deb";
  tried.origin = "file";
  tried.files = {{"file.deb", std::string(64, bytes), 1, ""}};
  record.candidates = {tried};
  reports::DepartmentRecord finance;
  finance.name = "finance";
  for (const char* name : {"dns", "mail"}) {
    reports::MachineRecord machine;
    machine.name = std::string(name) + "1";
    machine.role = name;
    finance.machines.push_back(machine);
  }
  reports::VerdictRecord verdict;
  verdict.candidate = candidate;
  verdict.outcome = outcome;
  verdict.machines = {"dns1"};
  verdict.failed = {"dns1/a-record"};
  verdict.reason = "fails alone";
  verdict.group = {candidate, "tidy"};
  finance.verdicts = {verdict};
  record.departments = {finance};
  return record;
}

TEST(EarlierFailures, NameRunRoleAndReason) {
  const auto failures = failures_in({run("r-2", "bind", 'a', Outcome::fail), run("r-1", "bind", 'a', Outcome::fail)});
  ASSERT_THAT(failures, SizeIs(1)) << "of the same bytes the newest run counts";
  EXPECT_EQ(failures[0], (process::EarlierFailure{"finance",
                                                  "bind",
                                                  "r-2",
                                                  "2026-11-29",
                                                  {std::string(64, 'a')},
                                                  {"dns"},
                                                  {"dns1/a-record"},
                                                  {"tidy"},
                                                  "fails alone"}));
}

TEST(EarlierFailures, AreOverWhenTheSameBytesPassed) {
  EXPECT_THAT(failures_in({run("r-2", "bind", 'a', Outcome::pass), run("r-1", "bind", 'a', Outcome::fail)}), IsEmpty());
  // Trouble of the lab says neither, and other bytes of the same name are another update.
  EXPECT_THAT(failures_in({run("r-2", "bind", 'a', Outcome::error), run("r-1", "bind", 'a', Outcome::fail)}),
              SizeIs(1));
  EXPECT_THAT(failures_in({run("r-2", "bind", 'b', Outcome::pass), run("r-1", "bind", 'a', Outcome::fail)}), SizeIs(1));
  EXPECT_THAT(failures_in({run("r-2", "bind", 'a', Outcome::fail), run("r-1", "bind", 'a', Outcome::pass)}), SizeIs(1));
}

// What passes in one department says nothing of another one; nor does what has no bytes, or is no candidate.
TEST(EarlierFailures, AreOfTheirDepartment) {
  auto sales = run("r-2", "bind", 'a', Outcome::pass);
  sales.departments[0].name = "sales";
  EXPECT_THAT(failures_in({sales, run("r-1", "bind", 'a', Outcome::fail)}), SizeIs(1));
  auto nameless = run("r-1", "bind", 'a', Outcome::fail);
  nameless.candidates[0].files.clear();
  EXPECT_THAT(failures_in({nameless}), IsEmpty());
  nameless.candidates.clear();
  EXPECT_THAT(failures_in({nameless}), IsEmpty());
}

TEST(EarlierFailures, OfARunThatCannotBeReadAreNotKnown) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(earlier_failures(folder.path() / "none").failures, IsEmpty());
  EXPECT_THAT(earlier_failures(folder.path() / "none").not_known, IsEmpty());
  ASSERT_TRUE(reports::write_run_record(run("20261129-220000-aaaa", "bind", 'a', Outcome::fail),
                                        folder.write("20261129-220000-aaaa/run.json", "")));
  folder.write("20261130-220000-bbbb/run.json", "{");
  const auto found = earlier_failures(folder.path());
  ASSERT_THAT(found.not_known, SizeIs(1));
  EXPECT_EQ(found.not_known[0].what, "what failed in run 20261130-220000-bbbb");
  EXPECT_THAT(found.failures, SizeIs(1));
}

}  // namespace
}  // namespace patchlab::cli
