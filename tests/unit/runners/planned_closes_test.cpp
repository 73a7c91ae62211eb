// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/planned_closes.hpp"

#include <gmock/gmock.h>

namespace patchlab::runners {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlannedClosesTest : public testing::Test {
 protected:
  PlannedClosesTest() {
    reports::TrialRecord trial{.id = "finance/t2"};
    for (const auto* id : {"a", "b"}) {
      trial.installs.push_back({.machine = "dns", .candidate = id, .outcome = Outcome::pass});
      trial.installs.back().brought = {{id, "1", "2", "2"}};
    }
    reports::DepartmentRecord department{.name = "finance"};
    department.trials = {trial};
    department.final_trial = trial.id;
    department.verdicts = {{.candidate = "a", .outcome = Outcome::pass, .effect = "In effect on dns: a 1 -> 2"},
                           {.candidate = "b", .outcome = Outcome::pass},
                           {.candidate = "c", .outcome = Outcome::fail}};
    record_.departments = {department};
    planned_.emplace().closes = {{"a", "finance", "dns", {"CVE-1"}, {{"a:amd64", "2"}}},
                                 {"a", "mail", "dns", {"CVE-2"}, {{"a:amd64", "2"}}},
                                 {"c", "finance", "dns", {"CVE-3"}, {{"c:amd64", "2"}}}};
  }
  [[nodiscard]] const reports::VerdictRecord& verdict(std::size_t place) const {
    return record_.departments[0].verdicts[place];
  }
  std::optional<PlannedScenario> planned_;
  reports::RunRecord record_;
};

TEST_F(PlannedClosesTest, AreHeldAgainstTheFinalTrial) {
  note_closes(planned_, record_);
  EXPECT_EQ(verdict(0).effect, "In effect on dns: a 1 -> 2. Closes CVE-1 on dns");
  EXPECT_EQ(verdict(0).closes,
            std::optional(std::vector<reports::ClosesRecord>{{"dns", {"CVE-1"}, {{"a:amd64", "2", "2"}}}}));
  EXPECT_EQ(verdict(1).effect, "The scan names no vulnerability that it closes");
  EXPECT_EQ(verdict(2).closes, std::nullopt) << "it did not pass";
  EXPECT_EQ(verdict(2).effect, "");
  EXPECT_THAT(record_.not_tested, IsEmpty());
}

TEST_F(PlannedClosesTest, WithoutAScanAreNotAskedAndThatIsSaid) {
  planned_->closes.reset();
  note_closes(planned_, record_);
  note_closes(std::nullopt, record_);
  EXPECT_EQ(verdict(0).closes, std::nullopt);
  EXPECT_EQ(verdict(0).effect, "In effect on dns: a 1 -> 2");
  EXPECT_THAT(record_.not_tested, ElementsAre(HasSubstr("was not asked"), HasSubstr("was not asked")));
}

}  // namespace
}  // namespace patchlab::runners
