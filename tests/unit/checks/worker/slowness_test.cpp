// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/slowness.hpp"

#include <gmock/gmock.h>

#include <deque>

#include "tests/support/fake_clock.hpp"

namespace patchlab::checks {
namespace {
using namespace std::chrono_literals;

class AnswerCheck final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "test.answer"; }
  void validate(const Json&, const std::string&, std::vector<JsonProblem>&) const override {}
  [[nodiscard]] Result<Observation> observe(const Target&, const Json&, Milliseconds) const override {
    return Json::object();
  }
  [[nodiscard]] Judgement judge(const Json&, const Observation& observation) const override {
    if (observation.contains("bad")) return {Outcome::fail, "no-answer", "an answer", "none"};
    return {Outcome::pass, "as-expected", "an answer", "an answer"};
  }
};

// A server whose answers take as long as it is told; the last one is repeated. 0 is no answer.
class FakeServer final : public ProcessRunner {
 public:
  explicit FakeServer(test::FakeClock& clock) : clock_(clock) {}
  ProcessOutcome run(const ProcessSpec&, std::stop_token) override {
    ++tries;
    const auto took = takes.front();
    if (takes.size() > 1) takes.pop_front();
    clock_.advance(took + 40ms);  // to start a process takes time too
    Json answer{{"observation", Json::object()}, {"took_ms", took.count()}};
    if (took == 0ms) answer["observation"]["bad"] = true;
    return {Exited{0}, answer.dump(), {}, took + 40ms};
  }
  std::deque<Milliseconds> takes;
  int tries = 0;

 private:
  test::FakeClock& clock_;
};

class SlownessTest : public testing::Test {
 protected:
  SlownessTest() {
    static const AnswerCheck check;
    workers_.find = [](const std::string&) { return &check; };
    planned_ = {{CheckSpec{"record", "test.answer", Json::object(), 7s, 200ms}, Target{}}};
  }
  std::vector<CheckResult> result_of(Milliseconds duration, Outcome outcome = Outcome::pass) const {
    CheckResult result;
    result.id = "record";
    result.outcome = outcome;
    result.duration = duration;
    return {result};
  }
  Asking asking() {
    return {server_, workers_, [](const std::string&) { return SecondChance::once; },
            [this]() -> std::optional<Milliseconds> { return waited_ += waits_; }};
  }
  // At the baseline: the usual duration.
  std::optional<Milliseconds> learnt(std::vector<CheckResult>& results) {
    auto asked = asking();
    learn_at_baseline(asked, planned_, results, usual_, clock_);
    return usual_.at_baseline("record");
  }
  CheckResult controlled(std::vector<CheckResult> results, const std::string& phase = "after-reboot-1") {
    auto asked = asking();
    learn_in_control(asked, planned_, phase, results, usual_, clock_);
    return results.front();
  }
  CheckResult judged(std::vector<CheckResult> results, const std::string& phase = "after-install") {
    auto asked = asking();
    judge_slowness(asked, planned_, phase, results, usual_, clock_);
    return results.front();
  }

  test::FakeClock clock_;
  FakeServer server_{clock_};
  CheckWorkers workers_;
  std::vector<PlannedCheck> planned_;
  UsualDurations usual_;
  Milliseconds waits_{0};  // the guest for a processor, in each try
  Milliseconds waited_{0};
};

// By how much a restart makes a check slower is what another night can know; how fast the host is, only this one.
TEST_F(SlownessTest, WhatTheControlOfAnotherNightTookIsOnTopOfThisBaseline) {
  UsualDurations then;
  then.saw_at_baseline("record", 50ms);
  then.saw_at_baseline("other", 50ms);
  then.saw_in_control("after-reboot-1", "record", 70ms);
  then.saw_in_control("stability", "record", 40ms);
  usual_.saw_at_baseline("record", 200ms);
  usual_.was_beyond_baseline(then.beyond_baseline());
  EXPECT_EQ(usual_.longest("after-reboot-1", "record"), 220ms);
  EXPECT_EQ(usual_.longest("stability", "record"), 200ms);
  usual_.was_beyond_baseline({{"unknown", {{"stability", 5ms}}}});
  EXPECT_FALSE(usual_.longest("stability", "unknown")) << "this night's baseline did not time it";
  EXPECT_EQ(usual_.longest("after-reboot-1", "record"), 200ms) << "in place of what was told before";
}

// Seen with ten builds beside the lab: a harmless candidate was "slower" each time it was tried.
TEST_F(SlownessTest, WhatAStarvedGuestTakesIsNotJudgedAndSaysSo) {
  usual_.saw_at_baseline("record", 50ms);
  server_.takes = {3000ms};
  waits_ = 2800ms;
  auto results = asking().ask(planned_);
  const auto result = judged(std::move(results));
  EXPECT_EQ(result.outcome, Outcome::pass);
  ASSERT_TRUE(result.slowness);
  EXPECT_FALSE(result.slowness->judged);
  EXPECT_THAT(result.slowness->why_not, testing::HasSubstr("the guest waited for a processor: this host was too busy"));
}

TEST_F(SlownessTest, ASlowGuestThatHadAProcessorFailsOnABusyHostToo) {
  usual_.saw_at_baseline("record", 50ms);
  server_.takes = {3000ms};
  waits_ = 700ms;
  EXPECT_EQ(judged(asking().ask(planned_)).outcome, Outcome::fail);
}

TEST_F(SlownessTest, OneTryWithAProcessorIsEnough) {
  usual_.saw_at_baseline("record", 50ms);
  waits_ = 100ms;
  server_.takes = {300ms, 300ms, 500ms};
  const auto result = judged(asking().ask(planned_));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.slowness->quickest, 500ms) << "the only ones that were not starved";
}

TEST_F(SlownessTest, WithoutAProcessorNothingIsUsual) {
  server_.takes = {300ms};
  waits_ = 200ms;
  auto results = asking().ask(planned_);
  EXPECT_FALSE(learnt(results));
  EXPECT_THAT(usual_.given_up(), testing::HasSubstr("the baseline"));
  EXPECT_GE(clock_.now(), 30s) << "a host may be busy for a while";
  EXPECT_LT(clock_.now(), 33s);
  EXPECT_LT(server_.tries, 70) << "with a pause between them";
  const auto control = controlled(asking().ask(planned_));
  ASSERT_TRUE(control.slowness);
  EXPECT_FALSE(control.slowness->judged);
}

// Given up after the sixth try, nothing of the machine was judged all night, and the next night had to try its control
// again.
TEST_F(SlownessTest, ABaselineWaitsForATryThatCounts) {
  server_.takes = {300ms, 300ms, 300ms, 300ms, 300ms, 300ms, 300ms, 900ms, 700ms};
  waits_ = 200ms;  // starved is a quarter of a try or more
  auto results = asking().ask(planned_);
  EXPECT_EQ(learnt(results), 900ms);
  EXPECT_EQ(usual_.given_up(), "");
  EXPECT_EQ(server_.tries, 8) << "and not longer than that";
}

TEST_F(SlownessTest, WhatFailsWhileABaselineWaitsHasFailedIt) {
  server_.takes = {300ms, 300ms, 300ms, 300ms, 300ms, 300ms, 300ms, 0ms};
  waits_ = 200ms;
  auto results = asking().ask(planned_);
  EXPECT_FALSE(learnt(results));
  EXPECT_EQ(results.front().outcome, Outcome::fail);
}

TEST_F(SlownessTest, AControlWithoutAProcessorJudgesNothing) {
  usual_.saw_at_baseline("record", 50ms);
  server_.takes = {101ms};
  waits_ = 90ms;
  EXPECT_EQ(controlled(asking().ask(planned_)).outcome, Outcome::pass);
  EXPECT_THAT(usual_.given_up(), testing::HasSubstr("of the control"));
}

// A name server answers within 6 ms; that its guest waited for two of them says nothing against the 6.
TEST_F(SlownessTest, WhatWasQuickThoughItsGuestWaitedIsUsual) {
  server_.takes = {60ms, 50ms};
  waits_ = 20ms;
  auto results = asking().ask(planned_);
  EXPECT_EQ(learnt(results), 50ms) << "a quarter of the tolerance";
  server_.takes = {100ms};
  const auto control = controlled(asking().ask(planned_));
  ASSERT_TRUE(control.slowness);
  EXPECT_TRUE(control.slowness->judged);
  EXPECT_EQ(usual_.longest("after-reboot-1", "record"), 100ms) << "a quarter of the tolerance more";
}

TEST_F(SlownessTest, WhatWasQuickEnoughThoughItsGuestWaitedIsJudged) {
  usual_.saw_at_baseline("record", 50ms);
  waits_ = 100ms;
  server_.takes = {250ms};
  const auto result = judged(asking().ask(planned_));
  EXPECT_EQ(result.outcome, Outcome::pass);
  ASSERT_TRUE(result.slowness);
  EXPECT_TRUE(result.slowness->judged);
  EXPECT_EQ(server_.tries, 1);
  server_.takes = {251ms};
  EXPECT_FALSE(judged(asking().ask(planned_)).slowness->judged);
}

TEST_F(SlownessTest, TakesTheQuickestOfSixTriesForUsualAndKeepsThemAll) {
  server_.takes = {90ms, 60ms, 70ms, 65ms, 61ms, 10ms};
  auto results = result_of(500ms);
  EXPECT_EQ(learnt(results), 60ms);
  EXPECT_EQ(server_.tries, 5);
  EXPECT_EQ(results.front().tries.size(), 6U);
}

TEST_F(SlownessTest, TriesNothingAgainWhoseTimeDoesNotCountOrThatFailed) {
  auto failed = result_of(500ms, Outcome::fail);
  EXPECT_FALSE(learnt(failed));
  usual_.saw_at_baseline("record", 50ms);
  EXPECT_EQ(controlled(failed).outcome, Outcome::fail);
  EXPECT_EQ(judged(failed).outcome, Outcome::fail);
  planned_.front().spec.slower.reset();
  auto results = result_of(500ms);
  EXPECT_FALSE(controlled(results).slowness);
  EXPECT_FALSE(judged(results).slowness);
  EXPECT_EQ(server_.tries, 0);
  EXPECT_THAT(usual_.given_up(), "");
}

TEST_F(SlownessTest, AFailureAmongTheTriesBeforeThePatchIsAskedOnceMoreOpenly) {
  server_.takes = {60ms, 0ms, 55ms, 60ms};
  auto results = result_of(70ms);
  EXPECT_EQ(learnt(results), 55ms);
  EXPECT_TRUE(is_flaky(results.front()));
  EXPECT_EQ(results.front().outcome, Outcome::pass);
  server_.takes = {60ms, 0ms};
  results = result_of(70ms);
  (void)learnt(results);
  EXPECT_EQ(results.front().outcome, Outcome::fail);
  EXPECT_EQ(results.front().tries.size(), 4U);
}

class JudgedSlownessTest : public SlownessTest {
 protected:
  JudgedSlownessTest() { usual_.saw_at_baseline("record", 50ms); }
};

TEST_F(JudgedSlownessTest, WhatIsQuickEnoughIsNotTriedAgain) {
  const auto result = judged(result_of(250ms));
  EXPECT_EQ(result.outcome, Outcome::pass);
  ASSERT_TRUE(result.slowness);
  EXPECT_TRUE(result.slowness->judged);
  EXPECT_EQ(result.slowness->limit, 250ms);
  EXPECT_EQ(result.slowness->quickest, 250ms);
  EXPECT_EQ(server_.tries, 0);
}

TEST_F(JudgedSlownessTest, OneQuickTryIsEnough) {
  server_.takes = {400ms, 300ms, 250ms, 900ms};
  const auto result = judged(result_of(800ms));
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(result.duration, 800ms);
  EXPECT_EQ(result.tries.size(), 4U);
  EXPECT_EQ(server_.tries, 3);
}

TEST_F(JudgedSlownessTest, IsSaidWhenNoTryWasQuickEnough) {
  server_.takes = {400ms, 251ms, 300ms};
  const auto result = judged(result_of(800ms));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "slower");
  EXPECT_EQ(result.expected, "within 250 ms: 50 ms without any patch, and 200 ms more");
  EXPECT_THAT(result.observed, testing::StartsWith("251 ms in the quickest of "));
  EXPECT_FALSE(is_flaky(result));
  EXPECT_GE(clock_.now(), 30s) << "a host may be busy for a while";
  EXPECT_LT(clock_.now(), 31s);
  EXPECT_LT(server_.tries, 60) << "with a pause between them";
}

TEST_F(JudgedSlownessTest, IsSaidAfterFiveTriesAtLeast) {
  server_.takes = {20s};
  EXPECT_EQ(judged(result_of(20s)).observed, "20000 ms in the quickest of 5 tries");
}

TEST_F(JudgedSlownessTest, AFailureAmongTheTriesIsTheResultWhenItRepeats) {
  server_.takes = {400ms, 0ms};
  const auto result = judged(result_of(800ms));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "no-answer");
  server_.takes = {400ms, 0ms, 100ms};
  const auto flaky = judged(result_of(800ms));
  EXPECT_EQ(flaky.outcome, Outcome::pass);
  EXPECT_TRUE(is_flaky(flaky));
}

// The control.

TEST_F(JudgedSlownessTest, TheControlWidensWhatIsUsualInItsPhase) {
  server_.takes = {190ms, 140ms, 150ms};
  EXPECT_EQ(controlled(result_of(300ms)).outcome, Outcome::pass);
  EXPECT_GE(clock_.now(), 30s) << "it might become as quick as at the baseline, and the limit narrower";
  EXPECT_EQ(usual_.longest("after-reboot-1", "record"), 140ms);
  const auto result = judged(result_of(340ms), "after-reboot-1");
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(result.slowness->limit, 340ms);
  server_.takes = {341ms};
  EXPECT_EQ(judged(result_of(341ms), "after-reboot-1").outcome, Outcome::fail);
}

TEST_F(JudgedSlownessTest, AControlAboutAsQuickAsTheBaselineIsNotTriedAgain) {
  EXPECT_EQ(controlled(result_of(100ms)).slowness->judged, true);
  EXPECT_EQ(server_.tries, 0);
  EXPECT_EQ(usual_.longest("after-reboot-1", "record"), 100ms);
}

TEST_F(JudgedSlownessTest, EveryPhaseIsHeldAgainstTheSameOneOfTheControl) {
  usual_.saw_in_control("after-reboot-1", "record", 150ms);
  usual_.saw_in_control("stability", "record", 60ms);
  EXPECT_EQ(usual_.longest("stability", "record"), 60ms);
  EXPECT_EQ(usual_.longest("after-install", "record"), 150ms) << "the control does not have it: the widest it showed";
  EXPECT_EQ(usual_.longest("stability", "other"), std::nullopt);
  usual_.saw_in_control("stability", "record", 55ms);
  EXPECT_EQ(usual_.longest("stability", "record"), 60ms) << "a second control takes nothing back";
}

TEST_F(JudgedSlownessTest, AControlThatIsOnlySlowerFailsNothingAndNothingIsJudgedOnThatMachine) {
  server_.takes = {300ms};
  const auto control = controlled(result_of(400ms));
  EXPECT_EQ(control.outcome, Outcome::pass);
  ASSERT_TRUE(control.slowness);
  EXPECT_FALSE(control.slowness->judged);
  EXPECT_THAT(usual_.given_up(),
              testing::MatchesRegex("without any patch, 'record' took 300 ms in after-reboot-1 of the "
                                    "control, the quickest of .* tries, and 50 ms at the baseline: "
                                    "this host was too busy"));
  EXPECT_GE(clock_.now(), 30s) << "as patient as with a patch";
  const auto tries = server_.tries;
  const auto result = judged(result_of(9s), "stability");
  EXPECT_EQ(result.outcome, Outcome::pass) << "of what the check asks; its slowness has not passed:";
  ASSERT_TRUE(result.slowness);
  EXPECT_FALSE(result.slowness->judged);
  EXPECT_EQ(result.slowness->why_not, usual_.given_up());
  const auto later = controlled(result_of(50ms), "stability");
  EXPECT_FALSE(later.slowness->judged);
  EXPECT_EQ(server_.tries, tries) << "what is not judged is not timed";
}

TEST_F(JudgedSlownessTest, AQuickTryOfASlowControlIsEnough) {
  server_.takes = {400ms, 400ms, 400ms, 400ms, 400ms, 400ms, 200ms};
  (void)controlled(result_of(400ms));
  EXPECT_EQ(usual_.given_up(), "");
  EXPECT_EQ(usual_.longest("after-reboot-1", "record"), 200ms);
}

TEST_F(JudgedSlownessTest, WhatFailsInTheControlIsNotMistakenForSlow) {
  server_.takes = {0ms};
  EXPECT_EQ(controlled(result_of(400ms)).outcome, Outcome::fail);
  EXPECT_EQ(usual_.given_up(), "");
}

TEST_F(SlownessTest, WhatWasNotTimedBeforeThePatchIsNotJudgedAndSaysSo) {
  const auto result = judged(result_of(50ms));
  EXPECT_EQ(result.outcome, Outcome::pass);
  ASSERT_TRUE(result.slowness);
  EXPECT_FALSE(result.slowness->judged);
  EXPECT_EQ(result.slowness->why_not, "it was not timed before the patch");
}

}  // namespace
}  // namespace patchlab::checks
