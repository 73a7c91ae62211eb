// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/in_production.hpp"

#include <gmock/gmock.h>

namespace patchlab::promotion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// Promoted are 'names' (bind9 and its library) and 'tidy'; two machines of production report.
class InProductionTest : public ::testing::Test {
 protected:
  InProductionTest() {
    handoff_.department = "finance";
    for (const char* id : {"names", "tidy"}) handoff_.candidates.push_back({.id = id, .kind = "deb"});
  }
  DeployedMachine& says(const std::string& name, std::vector<InstalledRow> rows) {
    DeployedMachine machine;
    machine.department = "finance";
    machine.report = {name, "2026-11-29T08:00:00Z", std::move(rows)};
    machine.line = 20 + department_.machines.size();
    machine.serial = machine.newest_serial = 2;
    machine.promoted = "2026-11-28T08:00:00Z";
    return department_.machines.emplace_back(std::move(machine));
  }
  static InstalledRow row(const std::string& candidate, const std::string& name, InstalledState state) {
    return {candidate, name, "2", state == InstalledState::as_promoted ? "2" : "1", state};
  }
  [[nodiscard]] std::string why_not(const std::string& candidate) const {
    for (const auto& one : in_production(handoff_, department_)) {
      if (one.candidate == candidate) return one.why_not;
    }
    return "no answer";
  }

  Handoff handoff_;
  DeployedDepartment department_;
};

TEST_F(InProductionTest, IsWhatAMachineHasAndNoneContradicts) {
  says("dns1", {row("names", "bind9", InstalledState::as_promoted), row("names", "libdns", InstalledState::as_promoted),
                row("tidy", "tidy", InstalledState::as_promoted)});
  says("mail1", {row("names", "bind9", InstalledState::not_installed), row("tidy", "tidy", InstalledState::older)});
  const auto all = in_production(handoff_, department_);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].why_not, "");
  EXPECT_THAT(all[0].machines, ElementsAre(Pair("dns1", 20U))) << "what has no place for it says nothing of it";
  EXPECT_THAT(all[1].why_not, HasSubstr("'mail1' says of tidy: older (1)"));
}

TEST_F(InProductionTest, NothingIsUnknownAsMuchAsAbsent) {
  EXPECT_EQ(why_not("tidy"), "no machine has reported since it was promoted");
  says("dns1", {row("tidy", "tidy", InstalledState::not_installed)});
  EXPECT_EQ(why_not("tidy"), "none of 1 machines that reported has it");
  EXPECT_EQ(why_not("names"), "none of 1 machines that reported has it");
}

TEST_F(InProductionTest, APartThatIsMissingIsNotPromotedBytesOfAll) {
  for (const auto state : {InstalledState::older, InstalledState::newer, InstalledState::other_bytes,
                           InstalledState::failed, InstalledState::not_reported}) {
    department_.machines.clear();
    says("dns1", {row("names", "bind9", InstalledState::as_promoted), row("names", "libdns", state)});
    EXPECT_THAT(why_not("names"), HasSubstr("'dns1' says of libdns: ")) << to_string(state);
    EXPECT_THAT(in_production(handoff_, department_)[0].machines, IsEmpty());
  }
}

TEST_F(InProductionTest, AReportOfWhatWasBeforeDoesNotCount) {
  auto& of_before = says("dns1", {row("tidy", "tidy", InstalledState::as_promoted)});
  of_before.serial = 1;
  EXPECT_EQ(why_not("tidy"), "no machine has reported since it was promoted");
  of_before.serial = 2;
  of_before.report.observed = "2026-11-28T07:00:00Z";
  EXPECT_EQ(why_not("tidy"), "no machine has reported since it was promoted");
  of_before.report.observed = "2026-11-28T09:00:00Z";
  EXPECT_EQ(why_not("tidy"), "");
}

TEST(TakenBack, IsWhatWasPromotedBehindTheRunThatIsPublishedAgain) {
  std::vector<PromotionStory> stories;
  const auto promoted = [&](const std::string& department, const std::string& run, bool is_rollback = false) {
    PromotionStory story;
    story.department = department;
    story.run = run;
    story.serial = stories.size() + 1;
    story.state = PromotionStory::State::done;
    story.is_rollback = is_rollback;
    return stories.emplace_back(story);
  };
  promoted("finance", "first");
  promoted("finance", "old");
  promoted("sales", "new");
  promoted("finance", "new");
  promoted("finance", "newer");
  EXPECT_THAT(taken_back_by(stories.back(), stories), IsEmpty()) << "it goes on";
  stories.push_back(stories.back());
  stories.back().serial = 6;
  stories.back().state = PromotionStory::State::refused;
  promoted("finance", "old", true);
  EXPECT_THAT(taken_back_by(stories.back(), stories), ElementsAre(4U, 5U));
  const auto until = [&](std::uint64_t serial) { return taken_back_until(serial, "finance", stories); };
  using Serials = std::map<std::uint64_t, std::uint64_t>;
  const auto rollback = stories.back().serial;
  EXPECT_EQ(until(5), Serials());
  EXPECT_EQ(until(rollback), (Serials{{4, rollback}, {5, rollback}}));
  const auto kept = stories;
  promoted("finance", "another");
  EXPECT_EQ(until(rollback + 1), (Serials{{4, rollback}, {5, rollback}})) << "it stays so when something else follows";
  promoted("finance", "new", true);
  EXPECT_EQ(until(rollback + 2), (Serials{{5, rollback + 2}, {rollback, rollback + 2}, {rollback + 1, rollback + 2}}))
      << "what was published again stands again";
  stories = kept;
  // Of a run that this ledger never saw promoted, nothing of before is certain to be there.
  promoted("finance", "of another ledger", true);
  EXPECT_THAT(taken_back_by(stories.back(), stories), ElementsAre(1U, 2U, 4U, 5U, 7U));
}

}  // namespace
}  // namespace patchlab::promotion
