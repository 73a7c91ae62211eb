// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/asking.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <map>
#include <mutex>

namespace patchlab::checks {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SeenCheck final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "test.seen"; }
  void validate(const Json&, const std::string&, std::vector<JsonProblem>&) const override {}
  [[nodiscard]] Result<Observation> observe(const Target&, const Json&, Milliseconds) const override {
    return Json::object();
  }
  [[nodiscard]] Judgement judge(const Json&, const Observation& observation) const override {
    if (observation.at("seen") == "good") return {Outcome::pass, "as-expected", "good", "good"};
    return {Outcome::fail, "differs", "good", observation.at("seen").get<std::string>()};
  }
};

// What the worker of each check comes to, one after another: p passes, f fails, g fails after `gives_up`, l at its
// deadline, e is the lab's trouble, c a configuration that no worker likes. The last is repeated.
class ScriptedWorkers final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    const auto id = Json::parse(spec.input).at("parameters").at("id").get<std::string>();
    auto& script = scripts[id];
    const char step = script.front();
    if (script.size() > 1) script.erase(0, 1);
    const auto number = ++asked[id];
    const auto deadline = Json::parse(spec.input).at("deadline_ms").get<int>();
    deadlines.push_back(deadline);
    told.push_back(Json::parse(spec.input).at("target").value("memory", Json()));
    if (on_run) on_run();
    const auto answer = [&](const Json& json) { return ProcessOutcome{Exited{0}, json.dump(), {}, Milliseconds(90)}; };
    switch (step) {
      case 'p': return answer({{"observation", {{"seen", "good"}}}, {"took_ms", 10 * number}});
      case 'f': return answer({{"observation", {{"seen", fmt::format("bad {}", number)}}}, {"took_ms", 10 * number}});
      case 'm': return answer({{"observation", {{"seen", "good"}, {"memory", number}}}, {"took_ms", 10 * number}});
      case 'M':
        return answer({{"observation", {{"seen", "good"}, {"memory", std::string(5000, 'x')}}}, {"took_ms", 10}});
      case 'g': return answer({{"observation", {{"seen", "closed"}}}, {"took_ms", gives_up.count()}});
      case 'l': return answer({{"observation", {{"seen", "nothing"}}}, {"took_ms", deadline}});
      case 'c': return answer({{"error", {{"class", "configuration"}, {"message", "no such user"}}}});
      default: return {Signalled{9}, {}, {}, Milliseconds(90)};
    }
  }
  std::map<std::string, std::string> scripts;
  std::map<std::string, int> asked;
  Milliseconds gives_up{0};
  std::vector<int> deadlines;  // in ms, of all tries
  std::vector<Json> told;      // what was remembered, likewise
  std::function<void()> on_run;

 private:
  std::mutex mutex_;
};

class AskingTest : public testing::Test {
 protected:
  AskingTest() {
    static const SeenCheck check;
    workers_.find = [](const std::string&) { return &check; };
  }
  PlannedCheck planned(const std::string& id) const {
    return {CheckSpec{id, "test.seen", Json{{"id", id}}, deadline_, {}}, Target{}};
  }
  Asking asking() {
    return {runner_, workers_, [this](const std::string&) { return chance_; },
            [this]() -> std::optional<Milliseconds> {
              if (!waits_) return std::nullopt;
              return waited_ += *waits_;
            },
            stop_.get_token()};
  }
  CheckResult ask(const std::string& script, SecondChance chance = SecondChance::once) {
    runner_.scripts["one"] = script;
    runner_.asked.clear();
    chance_ = chance;
    return asking().ask({planned("one")}).front();
  }
  static std::string outcomes(const CheckResult& result) {
    std::string text;
    for (const auto& one : result.tries) text += to_string(one.outcome)[0];
    return text;
  }

  ScriptedWorkers runner_;
  CheckWorkers workers_;
  Milliseconds deadline_ = std::chrono::seconds(7);
  SecondChance chance_ = SecondChance::once;
  std::optional<Milliseconds> waits_;  // the guest for a processor, during each round; nothing: not known
  Milliseconds waited_{0};
  std::stop_source stop_;
};

TEST_F(AskingTest, WhatPassesIsAskedOnce) {
  const auto result = ask("p");
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_THAT(result.tries, IsEmpty());
  EXPECT_EQ(runner_.asked["one"], 1);
}

TEST_F(AskingTest, AFailureIsAskedOnceMoreAndBothTriesAreOnRecord) {
  const auto result = ask("ffp");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "differs");
  EXPECT_EQ(result.observed, "bad 2");
  ASSERT_EQ(outcomes(result), "ff") << "a third try to get a pass does not exist";
  EXPECT_EQ(result.tries[0].observed, "bad 1");
  EXPECT_EQ(result.tries[0].reason, "differs");
  EXPECT_EQ(result.tries[0].evidence, (Json{{"seen", "bad 1"}}));
  EXPECT_EQ(result.tries[0].duration, Milliseconds(10));
  EXPECT_EQ(result.tries[1].duration, Milliseconds(20));
}

TEST_F(AskingTest, AFailureThatPassesWhenAskedAgainIsFlakyAndSaysSo) {
  const auto result = ask("fp");
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(outcomes(result), "fp");
  EXPECT_TRUE(is_flaky(result));
  EXPECT_EQ(result.tries[0].observed, "bad 1");
  EXPECT_EQ(result.duration, Milliseconds(20));
}

TEST_F(AskingTest, EachTryIsToldWhatTheLastOneThatSaidSoLeft) {
  Memories memories;
  runner_.scripts["one"] = "mpfpm";
  for (int phase = 0; phase < 3; ++phase) {
    Asking asking(
        runner_, workers_, [](const auto&) { return SecondChance::once; }, {}, {}, &memories);
    EXPECT_EQ(asking.ask({planned("one")}).front().outcome, Outcome::pass);
  }
  EXPECT_THAT(runner_.told, ElementsAre(Json(), Json(1), Json(1), Json(1)));
  EXPECT_EQ(memories, (Memories{{"one", Json(1)}}));
  EXPECT_EQ(ask("p").outcome, Outcome::pass);
  EXPECT_EQ(runner_.told.back(), Json()) << "whoever keeps no memories is told none";
}

// An answer may have been made by the guest.
TEST_F(AskingTest, NobodyRemembersMoreThanAToken) {
  const auto result = ask("M");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, "memory-too-large");
  EXPECT_TRUE(result.memory.is_null());
}

TEST_F(AskingTest, WhoHadASecondChanceHasNoOther) {
  const auto result = ask("fp", SecondChance::used);
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(runner_.asked["one"], 1);
}

TEST_F(AskingTest, WhatAStarvedGuestDoesNotDoInTimeIsTheLabsTroubleAndAskedWithMoreTime) {
  waits_ = std::chrono::seconds(5);
  const auto result = ask("llp");
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(outcomes(result), "eep");
  EXPECT_EQ(result.tries[0].reason, host_busy_reason);
  EXPECT_FALSE(is_flaky(result)) << "it was the host";
  EXPECT_THAT(runner_.deadlines, ElementsAre(7000, 14000, 28000));
}

// The server's own deadline is over long before the check's: it closes the connection.
TEST_F(AskingTest, WhatAStarvedServerGaveUpIsTheLabsTroubleToo) {
  deadline_ = std::chrono::seconds(40);
  waits_ = std::chrono::seconds(2);
  runner_.gives_up = Milliseconds(6000);
  EXPECT_EQ(outcomes(ask("gp")), "ep");
  runner_.gives_up = Milliseconds(4000);
  EXPECT_EQ(outcomes(ask("gp")), "fp") << "no server is so impatient";
  waits_ = Milliseconds(0);
  runner_.gives_up = Milliseconds(6000);
  EXPECT_EQ(outcomes(ask("gp")), "fp") << "it had its processor";
}

TEST_F(AskingTest, AHostThatStaysBusyIsNoVerdict) {
  waits_ = std::chrono::minutes(1);
  const auto result = ask("l");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.error->error_class, ErrorClass::infrastructure);
  EXPECT_THAT(result.error->message, testing::HasSubstr("waited 60000 ms for a processor (nothing)"));
  EXPECT_EQ(runner_.asked["one"], 3);
}

// What a patch has made silent has nothing to do, so it waits for no processor, however busy the host is.
TEST_F(AskingTest, AGuestThatHadAProcessorFailsOnABusyHostToo) {
  waits_ = Milliseconds(1700);  // of 7000
  const auto result = ask("l");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(outcomes(result), "ff");
}

TEST_F(AskingTest, AWrongAnswerIsWrongOnABusyHostToo) {
  waits_ = std::chrono::minutes(1);
  EXPECT_EQ(ask("f").outcome, Outcome::fail) << "it came at once";
}

TEST_F(AskingTest, WhereNobodyKnowsHowBusyTheHostIsAFailureIsAFailure) {
  const auto result = ask("l");
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(outcomes(result), "ff");
}

TEST_F(AskingTest, TroubleOfTheLabIsAskedAgainByItself) {
  const auto result = ask("eep");
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_FALSE(result.error);
  EXPECT_EQ(outcomes(result), "eep");
  EXPECT_EQ(result.tries[0].reason, "worker-crashed");
  EXPECT_FALSE(is_flaky(result));
}

TEST_F(AskingTest, TroubleThatStaysIsAnErrorAfterThreeTries) {
  const auto result = ask("e");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_TRUE(result.error);
  EXPECT_EQ(outcomes(result), "eee");
}

TEST_F(AskingTest, TroubleDoesNotTakeAwayTheSecondChanceOfAFailureNorGiveAThird) {
  EXPECT_EQ(ask("efp").outcome, Outcome::pass);
  EXPECT_EQ(ask("efefp").outcome, Outcome::fail);
  EXPECT_EQ(ask("fefp", SecondChance::always).outcome, Outcome::fail);
}

TEST_F(AskingTest, AFailureThatCannotBeAskedAgainIsNoVerdict) {
  const auto result = ask("fe");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(outcomes(result), "feee");
}

TEST_F(AskingTest, WhatWouldEndTheSameWayIsNotAskedAgain) {
  EXPECT_EQ(ask("cp").outcome, Outcome::error);
  EXPECT_EQ(runner_.asked["one"], 1);
}

TEST_F(AskingTest, NothingIsAskedAgainAfterAStopRequest) {
  runner_.on_run = [this] { stop_.request_stop(); };
  EXPECT_EQ(ask("fp").outcome, Outcome::fail);
  EXPECT_EQ(runner_.asked["one"], 1);
}

TEST_F(AskingTest, TroubleOfManyChecksCostsABoundedNumberOfTries) {
  std::vector<PlannedCheck> plan;
  for (int i = 0; i < 10; ++i) {
    plan.push_back(planned(fmt::format("c{}", i)));
    runner_.scripts[plan.back().spec.id] = "e";
  }
  const auto results = asking().ask(plan);
  int asked = 0;
  for (const auto& [id, count] : runner_.asked) asked += count;
  EXPECT_EQ(asked, 10 + 6);
  for (const auto& result : results) EXPECT_EQ(result.outcome, Outcome::error);
}

TEST_F(AskingTest, EveryCheckIsJudgedByItsOwnTriesInTheOrderOfThePlan) {
  runner_.scripts = {{"a", "p"}, {"b", "fp"}, {"c", "ff"}, {"d", "ep"}};
  const auto results = asking().ask({planned("a"), planned("b"), planned("c"), planned("d")});
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].outcome, Outcome::pass);
  EXPECT_EQ(results[1].outcome, Outcome::pass);
  EXPECT_EQ(results[2].outcome, Outcome::fail);
  EXPECT_EQ(results[3].outcome, Outcome::pass);
  EXPECT_EQ(results[2].id, "c");
  EXPECT_THAT(runner_.asked, ElementsAre(std::pair("a", 1), std::pair("b", 2), std::pair("c", 2), std::pair("d", 2)));
}

TEST_F(AskingTest, OneMoreTryOfWhatPassesKeepsItsResult) {
  auto result = ask("ppp");
  asking().ask_once_more(planned("one"), result);
  EXPECT_EQ(outcomes(result), "pp");
  EXPECT_EQ(result.duration, Milliseconds(10));
}

TEST_F(AskingTest, OneMoreTryThatFailsIsAskedOnceMoreToo) {
  auto result = ask("pfp");
  asking().ask_once_more(planned("one"), result);
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(outcomes(result), "pfp");
  result = ask("pff");
  asking().ask_once_more(planned("one"), result);
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(outcomes(result), "pff");
}

TEST_F(AskingTest, WhatFailedAndPassedFailsWhenItFailsAgainInThePhaseUnlessThatIsItsWayWithoutAPatch) {
  auto result = ask("fpfp");
  asking().ask_once_more(planned("one"), result);
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(outcomes(result), "fpf");
  result = ask("fpfp", SecondChance::always);
  asking().ask_once_more(planned("one"), result);
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(outcomes(result), "fpfp");
}

}  // namespace
}  // namespace patchlab::checks
