// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/slowness.hpp"

#include <gmock/gmock.h>

#include <deque>

#include "tests/support/fake_clock.hpp"

namespace patchlab::checks {
namespace {
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

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
  // After a patch, when 50 ms were usual.
  CheckResult judged(std::vector<CheckResult> results) {
    fail_what_is_slower(server_, workers_, planned_, {{"record", 50ms}}, results, clock_);
    return results.front();
  }

  test::FakeClock clock_;
  FakeServer server_{clock_};
  CheckWorkers workers_;
  std::vector<PlannedCheck> planned_;
};

TEST_F(SlownessTest, TakesTheQuickestOfFiveTriesForUsual) {
  server_.takes = {90ms, 60ms, 70ms, 65ms, 61ms, 10ms};
  auto results = result_of(500ms);
  EXPECT_THAT(quickest_tries(server_, workers_, planned_, results), ElementsAre(Pair("record", 60ms)));
  EXPECT_EQ(server_.tries, 5);
}

TEST_F(SlownessTest, TriesNothingAgainWhoseTimeDoesNotCountOrThatFailed) {
  auto failed = result_of(500ms, Outcome::fail);
  EXPECT_TRUE(quickest_tries(server_, workers_, planned_, failed).empty());
  EXPECT_EQ(judged(failed).outcome, Outcome::fail);
  planned_.front().spec.slower.reset();
  auto results = result_of(500ms);
  EXPECT_TRUE(quickest_tries(server_, workers_, planned_, results).empty());
  EXPECT_EQ(judged(results).outcome, Outcome::pass);
  EXPECT_EQ(server_.tries, 0);
}

TEST_F(SlownessTest, AFailureAmongTheTriesBeforeThePatchIsTheResult) {
  server_.takes = {60ms, 0ms, 60ms};
  auto results = result_of(50ms);
  (void)quickest_tries(server_, workers_, planned_, results);
  EXPECT_EQ(results.front().outcome, Outcome::fail);
  EXPECT_EQ(server_.tries, 2);
}

TEST_F(SlownessTest, WhatIsQuickEnoughIsNotTriedAgain) {
  EXPECT_EQ(judged(result_of(250ms)).outcome, Outcome::pass);
  EXPECT_EQ(server_.tries, 0);
}

TEST_F(SlownessTest, OneQuickTryIsEnough) {
  server_.takes = {400ms, 300ms, 250ms, 900ms};
  const auto result = judged(result_of(800ms));
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(result.duration, 800ms);
  EXPECT_EQ(server_.tries, 3);
}

TEST_F(SlownessTest, IsSaidWhenNoTryWasQuickEnough) {
  server_.takes = {400ms, 251ms, 300ms};
  const auto result = judged(result_of(800ms));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "slower");
  EXPECT_EQ(result.expected, "within 250 ms: 50 ms before the patch, and 200 ms more");
  EXPECT_THAT(result.observed, testing::StartsWith("251 ms in the quickest of "));
  EXPECT_GE(clock_.now(), 30s) << "a host may be busy for a while";
  EXPECT_LT(clock_.now(), 31s);
  EXPECT_LT(server_.tries, 60) << "with a pause between them";
}

TEST_F(SlownessTest, IsSaidAfterFiveTriesAtLeast) {
  server_.takes = {20s};
  EXPECT_EQ(judged(result_of(20s)).observed, "20000 ms in the quickest of 5 tries");
}

TEST_F(SlownessTest, AFailureAmongTheTriesIsTheResult) {
  server_.takes = {400ms, 0ms};
  const auto result = judged(result_of(800ms));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "no-answer");
}

}  // namespace
}  // namespace patchlab::checks
