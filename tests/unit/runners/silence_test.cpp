// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/silence.hpp"

#include <gmock/gmock.h>

namespace patchlab::runners {
namespace {

using reports::TrialRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Error silence() { return {ErrorClass::silent, "the guest agent of 'mail' gives no answer", {}}; }

TrialRecord trial(const std::string& id, const std::vector<std::string>& candidates) {
  TrialRecord record{.id = id,
                     .purpose = candidates.empty() ? reports::Purpose::control : reports::Purpose::batch,
                     .candidates = candidates,
                     .set_digest = candidates.empty() ? "none" : candidates.front(),
                     .machines = {"dns", "mail"},
                     .outcome = Outcome::error,
                     .error = silence()};
  record.phases.push_back(
      {.phase = "after-reboot-1", .machine = "mail", .outcome = Outcome::error, .error = silence()});
  record.phases.push_back({.phase = "after-reboot-1", .machine = "dns", .outcome = Outcome::pass});
  return record;
}

TEST(Silence, OfOneTrialStaysAnError) {
  auto once = trial("t2", {"a"});
  count_repeated_silence(once, {});
  EXPECT_EQ(once.outcome, Outcome::error);
  EXPECT_THAT(once.signature, IsEmpty());
}

TEST(Silence, ThatTheSameSetShowsAgainIsAFailure) {
  auto again = trial("t3", {"a"});
  count_repeated_silence(again, {trial("t2", {"a"})});
  EXPECT_EQ(again.outcome, Outcome::fail);
  EXPECT_FALSE(again.error);
  EXPECT_THAT(again.signature, ElementsAre("mail/state:agent:guest agent"));
  EXPECT_THAT(again.phases[0].differences.at(0).after, HasSubstr("silent, as in 't2': "));
}

TEST(Silence, OfAnInstallationThatIsSeenAgainFailsItsCandidate) {
  const auto one = [](const std::string& id) {
    auto record = trial(id, {"a"});
    record.phases.clear();
    record.installs.push_back({.machine = "mail", .candidate = "a", .outcome = Outcome::error});
    record.installs.back().end = "silent";
    return record;
  };
  auto again = one("t3");
  count_repeated_silence(again, {one("t2")});
  EXPECT_EQ(again.outcome, Outcome::fail);
  EXPECT_THAT(again.signature, ElementsAre("mail/install:a"));
}

TEST(Silence, OfAnotherSetOrAnotherMachineProvesNothing) {
  auto again = trial("t3", {"a"});
  count_repeated_silence(again, {trial("t2", {"b"})});
  EXPECT_EQ(again.outcome, Outcome::error);
  auto other = trial("t2", {"a"});
  other.phases[0].machine = "dns";
  count_repeated_silence(again, {other});
  EXPECT_EQ(again.outcome, Outcome::error);
}

TEST(Silence, ThatAControlShowedTooIsNeverThePatchs) {
  auto again = trial("t3", {"a"});
  count_repeated_silence(again, {trial("t1", {}), trial("t2", {"a"})});
  EXPECT_EQ(again.outcome, Outcome::error);
  auto control = trial("t4", {});
  count_repeated_silence(control, {trial("t1", {})});
  EXPECT_EQ(control.outcome, Outcome::error);
}

TEST(Silence, BesideAnotherTroubleDoesNotHideIt) {
  auto again = trial("t3", {"a"});
  again.phases[1].outcome = Outcome::error;
  again.phases[1].error = infrastructure_error("the disk is full");
  count_repeated_silence(again, {trial("t2", {"a"})});
  EXPECT_EQ(again.outcome, Outcome::error);
  ASSERT_TRUE(again.error);
  EXPECT_EQ(again.error->message, "the disk is full");
}

TEST(Silence, IsTriedAgainWhateverThePolicySays) {
  EXPECT_EQ(least_retries(trial("t1", {"a"})), 1U);
  auto other = trial("t1", {"a"});
  other.error = infrastructure_error("the disk is full");
  EXPECT_EQ(least_retries(other), 0U);
}

}  // namespace
}  // namespace patchlab::runners
