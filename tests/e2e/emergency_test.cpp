// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "found_run.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "people.hpp"
#include "program.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Json two_people_or_a_lane = Json::parse(R"({
  "schema": "patchlab/policy/v1", "id": "production", "author": "owner@x",
  "valid_since": "2020-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z",
  "approvals": [{"count": 2, "not_by": ["submitter", "waiver-author", "policy-author"]}],
  "waivers": {"what": ["check"], "max_days": 30, "max_per_set": 2},
  "emergency": {"severity": ["critical"], "approvals": [{"count": 1}], "review_within_days": 2}})");

// By the built program, from the night before to what an auditor says; only the runs are records that are there
// already.
class Emergency : public ::testing::Test {
 protected:
  Emergency() : people_(folder_.path(), two_people_or_a_lane) {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
  }
  ~Emergency() override { ::unsetenv("PATCHLAB_CACHE"); }

  void found(const std::string& id, reports::RunRecord record = tests::good_record()) const {
    record.id = id;
    for (auto& candidate : record.candidates) candidate.severity = "critical";
    make_found_run(folder_.path(), record);
  }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const {
    return patchlab(words, folder_.path());
  }
  [[nodiscard]] ProcessOutcome promote(const std::string& run, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"promote", run, "--sign-with", "lab"};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  }
  void approve(const std::string& who, const std::string& run) const {
    people_.approve(who, {run, "--department", "finance"});
  }

  const TemporaryFolder folder_;
  const People people_;
};

TEST_F(Emergency, IsPublishedAtOnceReviewedAfterwardsAndProven) {
  found("r-first");
  approve("bob", "r-first");
  const auto normal = promote("r-first");
  EXPECT_EQ(exit_code(normal), 5) << normal.output;
  EXPECT_THAT(normal.output, HasSubstr("approval-missing"));
  EXPECT_EQ(exit_code(promote("r-first", {"--emergency", "mail is exploited"})), 64) << "without a ticket";

  const auto urgent = promote("r-first", {"--emergency", "mail is exploited", "--ticket", "CHG7"});
  ASSERT_EQ(exit_code(urgent), 0) << urgent.output << urgent.errors;
  EXPECT_THAT(urgent.output, HasSubstr("emergency (CHG7): mail is exploited: review by "));
  const auto manifest = read_json_file(folder_.path() / "production/finance/manifest.json").value();
  EXPECT_EQ(manifest.at("emergency").at("ticket"), "CHG7");
  EXPECT_THAT(read_file(folder_.path() / "runs/r-first/report.html").value(), HasSubstr("CHG7"));
  const auto waits = ask({"queue"});
  EXPECT_THAT(waits.output, AllOf(HasSubstr("emergency (CHG7): mail is exploited: review by "),
                                  HasSubstr("missing: 1 of 2 approvals that are asked of any other promotion"),
                                  HasSubstr("missing: nobody approved since it was promoted"),
                                  HasSubstr("waits for: carol@x, dave@x")));
  const auto verified = ask({"verify", "production", "--roots", "roots"});
  EXPECT_EQ(exit_code(verified), 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("of line 7 (CHG7) of 'finance' is to be reviewed by "));

  // The owner takes the lane out of the policy: what nobody reviewed by then is overdue at once.
  auto without = two_people_or_a_lane;
  without.erase("emergency");
  without["id"] = "production-2";
  without["replaces"] = sha256(read_file(folder_.path() / "policy.json").value());
  ASSERT_TRUE(write_file_atomically(folder_.path() / "policy.json", without.dump(1)));
  const auto added = ask({"policy", "add", "policy.json", "--key", "owner"});
  ASSERT_EQ(exit_code(added), 0) << added.errors;
  found("r-next");
  approve("bob", "r-next");
  approve("dave", "r-next");
  const auto overdue = promote("r-next");
  EXPECT_EQ(exit_code(overdue), 5) << overdue.output;
  EXPECT_THAT(overdue.output, HasSubstr("review-overdue: finance: the emergency promotion of run r-first at "));
  EXPECT_EQ(exit_code(promote("r-next", {"--emergency", "again", "--ticket", "CHG8"})), 5) << "no way around it";

  approve("dave", "r-first");
  EXPECT_THAT(ask({"queue"}).output, HasSubstr("missing: 1 of 2 approvals")) << "bob's was before, by another policy";
  EXPECT_EQ(exit_code(promote("r-next")), 5);
  approve("bob", "r-first");
  EXPECT_THAT(ask({"queue"}).output, Not(HasSubstr("CHG7")));
  const auto next = promote("r-next");
  ASSERT_EQ(exit_code(next), 0) << next.output << next.errors;
  EXPECT_THAT(ask({"verify", "production", "--roots", "roots"}).output, Not(HasSubstr("reviewed by ")));
  const auto exported = people_.export_bundle("production", "finance");
  ASSERT_EQ(exit_code(exported), 0) << exported.output << exported.errors;
  people_.expect_proven();
}

// A freeze yields to two people, and not to one who approved twice: before something was waived, and after it.
TEST_F(Emergency, OnePersonWhoApprovesTwiceBeatsNoFreeze) {
  found("r-first", tests::held_back_record());
  const std::vector<std::string> set{"r-first", "--department", "finance", "--with", "tidy"};
  const auto promote_set = [&] { return promote("r-first", {"--emergency", "exploited", "--ticket", "CHG7"}); };
  folder_.write("freeze.ics",
                "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nSUMMARY:audit\nCATEGORIES:FREEZE\nDTSTART:"
                "20200101T000000Z\nDURATION:P1D\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n");
  people_.approve("bob", set);
  people_.waive("carol", {"r-first", "--department", "finance", "--with", "tidy", "--what", "mail/deliver"});
  people_.approve("bob", set);
  const auto promoted = promote_set();
  ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;

  const auto frozen = "2 approvals beat that, and it has 1";
  const auto exported = ask({"deploy", "export", "production", "--department", "finance", "--to", "files", "-o",
                             "handed", "--calendar", "freeze.ics"});
  EXPECT_EQ(exit_code(exported), 5) << exported.output;
  EXPECT_THAT(exported.errors, HasSubstr(frozen));
  const auto shown = ask({"calendar", "freeze.ics", "--stage", "production"});
  EXPECT_EQ(exit_code(shown), 5) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr(frozen));
  const auto change = ask({"deploy", "change", "production", "--calendar", "freeze.ics"});
  EXPECT_THAT(change.output, HasSubstr(frozen));
  EXPECT_THAT(
      ask({"deploy", "export", "production", "--department", "finance", "--to", "files", "-o", "handed"}).output,
      HasSubstr("handed: "))
      << "it is the freeze alone";
}

}  // namespace
}  // namespace patchlab::e2e
