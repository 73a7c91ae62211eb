// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Real worker processes that crash, hang, print and throw.
#include <gmock/gmock.h>

#include "checks/run.hpp"
#include "lab/process/confinement.hpp"
#include "tests/integration/checks/worker/misbehaving_check.hpp"

namespace patchlab::checks {
namespace {

using testing::HasSubstr;

CheckWorkers workers() {
  static const MisbehavingCheck misbehaving;
  CheckWorkers workers;
  workers.program = CHECK_WORKER_HELPER;
  workers.grace = Milliseconds(500);
  workers.find = [](const std::string&) -> const Check* { return &misbehaving; };
  return workers;
}

PlannedCheck planned(const std::string& how, Milliseconds deadline = std::chrono::seconds(20)) {
  return {CheckSpec{how, "test.behave", Json{{"how", how}}, deadline}, Target{"127.0.0.1", "127.0.0.1", "lo"}};
}

CheckResult run(const std::string& how, Milliseconds deadline = std::chrono::seconds(20)) {
  return run_check(host_processes(), workers(), planned(how, deadline));
}

TEST(CheckWorker, ObservesInACleanEnvironment) {
  ::setenv("http_proxy", "http://192.0.2.1:3128", 1);
  const auto result = run("behave");
  ASSERT_EQ(result.outcome, Outcome::pass) << result.observed;
  EXPECT_EQ(result.evidence["address"], "127.0.0.1");
  EXPECT_EQ(result.evidence["has_proxy"], false);
  EXPECT_EQ(result.evidence["home"], process::confined_home);
}

TEST(CheckWorker, MayPrintWithoutSpoilingItsAnswer) { EXPECT_EQ(run("print").outcome, Outcome::pass); }

TEST(CheckWorker, CrashIsOneError) {
  const auto result = run("crash");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, "worker-crashed");
  EXPECT_THAT(result.error->message, HasSubstr("signal 11"));
  const auto aborted = run("abort");
  EXPECT_EQ(aborted.reason, "worker-crashed") << aborted.observed;
}

TEST(CheckWorker, EndWithoutAnAnswerIsAnError) {
  const auto result = run("exit");
  EXPECT_EQ(result.reason, "worker-crashed");
  EXPECT_THAT(result.error->message, HasSubstr("exit code 3"));
}

TEST(CheckWorker, ExceptionIsAnErrorOfTheCheck) {
  const auto result = run("throw");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.error->error_class, ErrorClass::check);
  EXPECT_THAT(result.error->message, HasSubstr("thrown on purpose"));
}

TEST(CheckWorker, ObserversErrorKeepsItsClass) {
  const auto result = run("error");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.error->error_class, ErrorClass::infrastructure);
}

TEST(CheckWorker, HangIsKilledAfterDeadlineAndGrace) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = run("hang", Milliseconds(300));
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, "worker-hung");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(run("ignore termination", Milliseconds(300)).reason, "worker-hung");
}

TEST(CheckWorker, HungLibraryCallIsAnObservation) {
  const auto result = run("library hangs", Milliseconds(300));
  EXPECT_EQ(result.outcome, Outcome::fail) << result.observed;
  EXPECT_EQ(result.reason, "no-answer");
  EXPECT_EQ(result.evidence["step"], "connect");
}

TEST(CheckWorker, TellsHowLongTheObservationTook) {
  const auto late = planned("library hangs", Milliseconds(300));
  ProcessSpec process;
  process.program = CHECK_WORKER_HELPER;
  process.input = worker_request(late.spec, late.target).dump();
  process.time_limit = std::chrono::seconds(20);
  const auto end = host_processes().run(process);
  ASSERT_TRUE(end.succeeded()) << end.describe();
  const Milliseconds took(Json::parse(end.output).at("took_ms").get<std::int64_t>());
  EXPECT_GE(took, Milliseconds(300));
  EXPECT_LE(took, end.duration);
}

TEST(CheckWorker, OneCrashCostsOneError) {
  const auto results =
      run_checks(host_processes(), workers(),
                 {planned("behave"), planned("crash"), planned("behave"), planned("throw"), planned("behave")});
  ASSERT_EQ(results.size(), 5U);
  EXPECT_EQ(results[0].outcome, Outcome::pass);
  EXPECT_EQ(results[1].outcome, Outcome::error);
  EXPECT_EQ(results[2].outcome, Outcome::pass);
  EXPECT_EQ(results[3].outcome, Outcome::error);
  EXPECT_EQ(results[4].outcome, Outcome::pass);
}

}  // namespace
}  // namespace patchlab::checks
