// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/run.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "lab/process/confinement.hpp"

namespace patchlab::checks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Passes when "seen" equals the parameter "wanted".
class EchoCheck final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "test.echo"; }
  void validate(const Json& parameters, const std::string& pointer, std::vector<JsonProblem>& problems) const override {
    JsonReader reader(parameters, pointer, problems);
    reader.text("wanted");
    reader.finish();
  }
  [[nodiscard]] Result<Observation> observe(const Target&, const Json&, Milliseconds) const override {
    return Json::object();
  }
  [[nodiscard]] Judgement judge(const Json& parameters, const Observation& observation) const override {
    const auto seen = observation.at("seen").get<std::string>();
    const auto wanted = parameters.at("wanted").get<std::string>();
    return {seen == wanted ? Outcome::pass : Outcome::fail, seen == wanted ? "same" : "differs", wanted, seen};
  }
  [[nodiscard]] std::vector<int> capabilities(const Json& /*parameters*/) const override { return {13}; }
};

// Answers every start with the same ending, and remembers what was started.
class FakeProcesses final : public ProcessRunner {
 public:
  explicit FakeProcesses(ProcessOutcome outcome) : outcome_(std::move(outcome)) {}
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    started.push_back(spec);
    return outcome_;
  }
  std::vector<ProcessSpec> started;

 private:
  std::mutex mutex_;
  ProcessOutcome outcome_;
};

ProcessOutcome answered(std::string output) { return {Exited{0}, std::move(output), {}, Milliseconds(12)}; }

CheckWorkers workers() {
  static const EchoCheck echo;
  CheckWorkers workers;
  workers.program = "/usr/bin/patchlab";
  workers.find = [](const std::string& kind) -> const Check* { return kind == echo.kind() ? &echo : nullptr; };
  return workers;
}

PlannedCheck planned(const std::string& wanted = "hello") {
  return {CheckSpec{"greeting", "test.echo", Json{{"wanted", wanted}}, std::chrono::seconds(7)},
          Target{"10.20.0.10", "10.20.0.250", "br0"}};
}

TEST(RunCheck, JudgesWhatTheWorkerObserved) {
  FakeProcesses processes(answered(R"({"observation":{"seen":"hello"}})"));
  const auto result = run_check(processes, workers(), planned());
  EXPECT_EQ(result.outcome, Outcome::pass);
  EXPECT_EQ(result.id, "greeting");
  EXPECT_EQ(result.kind, "test.echo");
  EXPECT_EQ(result.reason, "same");
  EXPECT_EQ(result.duration, Milliseconds(12));
  EXPECT_EQ(result.evidence, (Json{{"seen", "hello"}}));
  EXPECT_FALSE(result.error);
}

TEST(RunCheck, StartsTheWorkerWithRequestLimitAndCapabilities) {
  FakeProcesses processes(answered(R"({"observation":{"seen":"hello"}})"));
  (void)run_check(processes, workers(), planned());
  ASSERT_EQ(processes.started.size(), 1U);
  const auto& spec = processes.started.front();
  EXPECT_EQ(spec.program, "/usr/bin/patchlab");
  EXPECT_THAT(spec.arguments, ElementsAre("check-worker"));
  EXPECT_THAT(spec.ambient_capabilities, ElementsAre(13));
  EXPECT_GT(spec.time_limit, Milliseconds(7000)) << "the worker must be able to report its own deadline";
  EXPECT_EQ(spec.capabilities_if_held, process::capabilities_to_confine());
  EXPECT_EQ(Json::parse(spec.input),
            Json::parse(R"({"kind":"test.echo","parameters":{"wanted":"hello"},"deadline_ms":7000,
                            "target":{"address":"10.20.0.10","client_address":"10.20.0.250","interface":"br0","machine":"","role":""}})"));
}

TEST(RunCheck, FailsWithExpectedAndObserved) {
  FakeProcesses processes(answered(R"({"observation":{"seen":"bye"}})"));
  const auto result = run_check(processes, workers(), planned());
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.expected, "hello");
  EXPECT_EQ(result.observed, "bye");
}

struct BadEnding {
  const char* name;
  ProcessOutcome outcome;
  const char* reason;
  ErrorClass error_class;
  const char* message;
};
void PrintTo(const BadEnding& ending, std::ostream* stream) { *stream << ending.name; }

class RunCheckEnding : public testing::TestWithParam<BadEnding> {};

TEST_P(RunCheckEnding, IsAnErrorNeverAVerdict) {
  FakeProcesses processes(GetParam().outcome);
  const auto result = run_check(processes, workers(), planned());
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, GetParam().reason);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->error_class, GetParam().error_class);
  EXPECT_THAT(result.error->message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, RunCheckEnding,
    testing::Values(
        BadEnding{"Crash",
                  {Signalled{11}, {}, "stack smashed", {}},
                  "worker-crashed",
                  ErrorClass::check,
                  "check worker of 'greeting' (test.echo) killed by signal 11"},
        BadEnding{"Exit", {Exited{70}, {}, {}, {}}, "worker-crashed", ErrorClass::check, "exit code 70"},
        BadEnding{"Hang", {TimedOut{}, {}, {}, Milliseconds(12000)}, "worker-hung", ErrorClass::check, "'greeting'"},
        BadEnding{"Cancel", {TimedOut{true}, {}, {}, {}}, "cancelled", ErrorClass::cancelled, "'greeting'"},
        BadEnding{"NoProgram",
                  {NotStarted{"no such file"}, {}, {}, {}},
                  "worker-not-started",
                  ErrorClass::infrastructure,
                  "no such file"},
        BadEnding{"Garbage", answered("Segmentation fault {"), "worker-garbage", ErrorClass::check,
                  "20 bytes that are not an answer"},
        BadEnding{"Silence", answered(""), "worker-garbage", ErrorClass::check, "0 bytes"},
        BadEnding{"OtherShape", answered("[1]"), "worker-garbage", ErrorClass::check, "3 bytes"},
        BadEnding{"ObserverError", answered(R"({"error":{"class":"infrastructure","message":"no route"}})"),
                  "observer-error", ErrorClass::infrastructure, "observing 'greeting': no route"},
        BadEnding{"UnknownShape", answered(R"({"observation":{"other":1}})"), "judge-failed", ErrorClass::bug,
                  "judging 'greeting'"}),
    [](const auto& tested) { return tested.param.name; });

TEST(RunCheck, RefusesBadParametersBeforeStartingAnything) {
  FakeProcesses processes(answered("{}"));
  auto check = planned();
  check.spec.parameters["extra"] = 1;
  const auto result = run_check(processes, workers(), check);
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, "unusable-check");
  EXPECT_EQ(result.error->error_class, ErrorClass::configuration);
  EXPECT_THAT(result.error->message, HasSubstr("/with/extra"));
  EXPECT_TRUE(processes.started.empty());
}

TEST(RunCheck, RefusesAnUnknownKind) {
  FakeProcesses processes(answered("{}"));
  auto check = planned();
  check.spec.kind = "test.nothing";
  const auto result = run_check(processes, workers(), check);
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_THAT(result.error->message, HasSubstr("unknown kind of check 'test.nothing'"));
}

TEST(RunCheck, KnowsNoKindWithoutARegistry) {
  FakeProcesses processes(answered(R"({"observation":{"seen":"hello"}})"));
  CheckWorkers without;
  without.program = workers().program;
  const auto result = run_check(processes, without, planned());
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, "unusable-check");
  EXPECT_THAT(processes.started, ::testing::IsEmpty());
}

TEST(RunChecks, KeepTheOrderOfThePlan) {
  FakeProcesses processes(answered(R"({"observation":{"seen":"hello"}})"));
  std::vector<PlannedCheck> plan;
  for (int i = 0; i < 20; ++i) {
    plan.push_back(planned(i % 3 == 0 ? "hello" : "bye"));
    plan.back().spec.id = fmt::format("check-{}", i);
  }
  const auto results = run_checks(processes, workers(), plan);
  ASSERT_EQ(results.size(), plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(results[i].id, plan[i].spec.id);
    EXPECT_EQ(results[i].outcome, i % 3 == 0 ? Outcome::pass : Outcome::fail);
  }
}

TEST(RunChecks, AreNotReachedAfterAStopRequest) {
  FakeProcesses processes(answered(R"({"observation":{"seen":"hello"}})"));
  std::stop_source stop;
  stop.request_stop();
  const auto results = run_checks(processes, workers(), {planned(), planned()}, stop.get_token());
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].outcome, Outcome::not_reached);
  EXPECT_EQ(results[1].outcome, Outcome::not_reached);
  EXPECT_TRUE(processes.started.empty());
}

// Answers when it is told to, one at a time or all.
class WaitingProcesses final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec&, std::stop_token) override {
    std::unique_lock lock(mutex_);
    const auto turn = ++asked_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return turn <= answered_; });
    return answered(R"({"observation":{"seen":"hello"}})");
  }
  // That so many were asked, and no more.
  void await(std::size_t asked) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= asked; });
    EXPECT_FALSE(changed_.wait_for(lock, Milliseconds(20), [&] { return asked_ > asked; })) << asked;
  }
  void answer(std::size_t more) {
    const std::lock_guard lock(mutex_);
    answered_ += more;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t asked_ = 0, answered_ = 0;
};

TEST(RunChecks, AreAskedAFewAtATimeAndMoreOnlyWhenTheyAreLetIn) {
  WaitingProcesses processes;
  Places places;
  auto with_places = workers();
  with_places.places = &places;
  std::vector<CheckResult> results;
  {
    const std::jthread asking(
        [&] { results = run_checks(processes, with_places, std::vector<PlannedCheck>(16, planned())); });
    processes.await(4);
    places.let_in(2);
    processes.await(6);
    places.let_in(4);
    processes.await(10);
    processes.answer(6);  // the four places are what there is again
    processes.await(10);
    processes.answer(1);
    processes.await(11);
    places.let_in(100);
    processes.await(16);
    places.let_in(100);
    processes.answer(16);
  }
  EXPECT_EQ(results.size(), 16U);
  EXPECT_THAT(results, testing::Each(testing::Field(&CheckResult::outcome, Outcome::pass)));
  // Nobody waited any more when they were let in: it is not kept for others.
  WaitingProcesses others;
  const std::jthread asking([&] { (void)run_checks(others, with_places, std::vector<PlannedCheck>(8, planned())); });
  others.await(4);
  others.answer(8);
}

class LonelyCheck final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "test.lonely"; }
  void validate(const Json&, const std::string&, std::vector<JsonProblem>&) const override {}
  [[nodiscard]] Result<Observation> observe(const Target&, const Json&, Milliseconds) const override {
    return Json::object();
  }
  [[nodiscard]] Judgement judge(const Json&, const Observation&) const override {
    return {Outcome::pass, "fine", "", ""};
  }
  [[nodiscard]] bool wants_to_be_alone() const override { return true; }
};

CheckWorkers workers_for_both() {
  auto both = workers();
  both.find = [find = both.find](const std::string& kind) -> const Check* {
    static const LonelyCheck lonely;
    return kind == lonely.kind() ? &lonely : find(kind);
  };
  return both;
}

// A machine that needs another one is asked by a thread of its own.
template <class Ask>
void expect_alone(Ask ask) {
  WaitingProcesses processes;
  std::shared_mutex department;
  auto both = workers_for_both();
  both.department = &department;
  auto alone = planned();
  alone.spec = {"alone", "test.lonely", Json::object()};
  const auto begin = [&](const PlannedCheck& one) { return std::jthread([&, one] { ask(processes, both, one); }); };
  const auto before = begin(planned());
  processes.await(1);
  const auto beside = begin(planned());
  processes.await(2);
  const auto lonely = begin(alone);
  processes.await(2);
  processes.answer(1);
  processes.await(2);
  processes.answer(1);
  processes.await(3);
  const auto after = begin(planned());
  processes.await(3);
  processes.answer(1);
  processes.await(4);
  processes.answer(1);
}

TEST(RunChecks, AskThoseThatWantToBeAloneWhileNobodyElseOfTheDepartmentIsAsked) {
  expect_alone([](ProcessRunner& runner, const CheckWorkers& both, const PlannedCheck& one) {
    EXPECT_EQ(run_checks(runner, both, {one}).front().outcome, Outcome::pass);
  });
}

TEST(ObserveOnce, LeavesThoseAloneThatWantToBe) {
  expect_alone([](ProcessRunner& runner, const CheckWorkers& both, const PlannedCheck& one) {
    EXPECT_TRUE(observe_once(runner, both, one));
  });
}

TEST(RunChecks, AskThoseThatWantToBeAloneAfterTheOthersOneByOne) {
  WaitingProcesses processes;
  const auto both = workers_for_both();
  std::vector<PlannedCheck> plan(5, planned());
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) plan[i].spec = {"alone", "test.lonely", Json::object()};
  std::vector<CheckResult> results;
  {
    const std::jthread asking([&] { results = run_checks(processes, both, plan); });
    processes.await(3);
    processes.answer(2);
    processes.await(3);
    processes.answer(1);
    processes.await(4);
    processes.answer(1);
    processes.await(5);
    processes.answer(1);
  }
  ASSERT_EQ(results.size(), plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(results[i].id, plan[i].spec.id);
    EXPECT_EQ(results[i].outcome, Outcome::pass) << i;
  }
}

TEST(RunChecks, LeaveWhatWaitsForAPlaceWhenAStopIsRequested) {
  WaitingProcesses processes;
  std::stop_source stop;
  std::vector<CheckResult> results;
  {
    const std::jthread asking(
        [&] { results = run_checks(processes, workers(), std::vector<PlannedCheck>(6, planned()), stop.get_token()); });
    processes.await(4);
    stop.request_stop();
    processes.answer(4);
  }
  ASSERT_EQ(results.size(), 6U);
  EXPECT_EQ(results[4].reason, "cancelled");
  EXPECT_EQ(results[5].reason, "cancelled");
}

TEST(RunChecks, OfNothingAreNothing) {
  FakeProcesses processes(answered(""));
  EXPECT_TRUE(run_checks(processes, workers(), {}).empty());
}

}  // namespace
}  // namespace patchlab::checks
