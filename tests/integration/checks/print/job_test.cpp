// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/print/printer_sink.hpp"
#include "tests/integration/checks/print/fake_print_server.hpp"

namespace patchlab::checks::print {
namespace {
using testing::FakePrintServer;
using ::testing::HasSubstr;
using ::testing::Lt;
using testing::PrintBehaviour;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

struct Seen {
  Json observation;
  Judgement judgement;
};

Seen look(const Json& parameters, Milliseconds limit = std::chrono::seconds(10)) {
  const auto observation = job().observe(loopback, parameters, limit);
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  return {*observation, job().judge(parameters, *observation)};
}

Seen look_at(PrintBehaviour behaviour, Milliseconds limit = std::chrono::seconds(10), bool exact = true) {
  behaviour.sink_port = testing::free_port();
  const auto sink_port = behaviour.sink_port;
  const FakePrintServer server(std::move(behaviour));
  return look({{"queue", "office"}, {"port", server.port()}, {"sink", {{"listen_port", sink_port}}}, {"exact", exact}},
              limit);
}

void expect_failure(const Judgement& judgement, const std::string& reason, const std::string& observed) {
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, reason) << judgement.observed;
  EXPECT_THAT(judgement.observed, HasSubstr(observed));
}

TEST(PrintJob, PassesWhenTheBytesReachTheSink) {
  const auto seen = look_at({});
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.observation.dump(1);
  EXPECT_EQ(seen.observation["job_polls"], 2);
  EXPECT_EQ(seen.observation["sink"].size(), 1U);
  EXPECT_EQ(seen.observation["sink"][0]["sha256"], seen.observation["document"]["sha256"]);
}

// Where Windows has a queue.
TEST(PrintJob, PrintsToAQueueThatTheServerHasElsewhere) {
  PrintBehaviour behaviour;
  behaviour.queue = "labels/.printer";
  behaviour.sink_port = testing::free_port();
  const auto sink_port = behaviour.sink_port;
  const FakePrintServer server(behaviour);
  Json with{{"queue", "labels"}, {"port", server.port()}, {"sink", {{"listen_port", sink_port}}}};
  EXPECT_EQ(look(with).judgement.reason, "printer-unknown");
  with["path"] = "/printers/labels/.printer";
  EXPECT_EQ(look(with).judgement.outcome, Outcome::pass);
}

TEST(PrintJob, WaitsForAQueueThatIsStillBusy) {
  PrintBehaviour behaviour;
  behaviour.busy_answers = 2;
  const auto seen = look_at(behaviour);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass);
  EXPECT_EQ(seen.observation["printer_polls"], 3);
}

TEST(PrintJob, FailsWhenTheQueueStaysBusy) {
  PrintBehaviour behaviour;
  behaviour.printer_state = 4;
  expect_failure(look_at(behaviour, std::chrono::seconds(1)).judgement, "printer-busy", "processing");
}

TEST(PrintJob, FailsWhenThePrinterIsStopped) {
  PrintBehaviour behaviour;
  behaviour.printer_state = 5;
  expect_failure(look_at(behaviour).judgement, "printer-stopped", "stopped (\"paused\")");
}

TEST(PrintJob, FailsWhenTheQueueDoesNotAccept) {
  PrintBehaviour behaviour;
  behaviour.accepting = false;
  expect_failure(look_at(behaviour).judgement, "printer-not-accepting", "does not accept");
}

TEST(PrintJob, FailsWhenTheQueueIsGone) {
  PrintBehaviour behaviour;
  behaviour.queue = "another";
  expect_failure(look_at(behaviour).judgement, "printer-unknown", "client-error-not-found");
}

TEST(PrintJob, FailsWhenPrintingIsRefused) {
  PrintBehaviour behaviour;
  behaviour.print_status = 0x0506;
  expect_failure(look_at(behaviour).judgement, "print-job-refused", "server-error-not-accepting-jobs");
}

TEST(PrintJob, FailsWhenTheJobIsAbortedOrCanceled) {
  PrintBehaviour behaviour;
  behaviour.job_states = {3, 8};
  expect_failure(look_at(behaviour).judgement, "job-aborted", "aborted");
  behaviour.job_states = {7};
  expect_failure(look_at(behaviour).judgement, "job-canceled", "canceled");
}

TEST(PrintJob, FailsWhenTheJobNeverEnds) {
  PrintBehaviour behaviour;
  behaviour.job_states = {5};
  const auto start = std::chrono::steady_clock::now();
  expect_failure(look_at(behaviour, std::chrono::seconds(2)).judgement, "job-not-completed", "processing");
  EXPECT_THAT(std::chrono::steady_clock::now() - start, Lt(std::chrono::seconds(4)));
}

TEST(PrintJob, FailsWhenTheJobIsForgotten) {
  PrintBehaviour behaviour;
  behaviour.forgets_jobs = true;
  expect_failure(look_at(behaviour).judgement, "job-lost", "client-error-not-found");
}

TEST(PrintJob, FailsWhenNothingReachesTheSink) {
  PrintBehaviour behaviour;
  behaviour.copies = 0;
  expect_failure(look_at(behaviour).judgement, "sink-silent", "0 connections");
}

TEST(PrintJob, FailsWhenOneByteChanges) {
  PrintBehaviour behaviour;
  behaviour.on_print = [](std::string document) {
    document[document.size() / 2] ^= 1;
    return document;
  };
  expect_failure(look_at(behaviour).judgement, "document-altered", "bytes, sha256");
  EXPECT_EQ(look_at(behaviour, std::chrono::seconds(10), false).judgement.outcome, Outcome::pass);
}

TEST(PrintJob, FailsWhenLineEndsAreTranslated) {
  PrintBehaviour behaviour;
  behaviour.on_print = [](std::string document) { return document.insert(document.find('\n'), "\r"); };
  expect_failure(look_at(behaviour).judgement, "document-altered", "bytes");
}

TEST(PrintJob, FailsWhenPrintedTwice) {
  PrintBehaviour behaviour;
  behaviour.copies = 2;
  expect_failure(look_at(behaviour).judgement, "printed-more-than-once", "2 times");
}

// Two phases of a trial at the same server.
std::vector<Seen> look_twice(PrintBehaviour behaviour) {
  behaviour.sink_port = testing::free_port();
  const Json with{{"queue", "office"},
                  {"sink", {{"listen_port", behaviour.sink_port}}},
                  {"held", true},
                  {"strangers_refused", true}};
  const FakePrintServer server(std::move(behaviour));
  std::vector<Seen> seen;
  auto target = loopback;
  for (int phase = 0; phase < 2; ++phase) {
    auto parameters = with;
    parameters["port"] = server.port();
    const auto observation = job().observe(target, parameters, std::chrono::seconds(10));
    if (!observation) {
      ADD_FAILURE() << observation.error().message;
      return {{}, {}};
    }
    seen.push_back({*observation, job().judge(parameters, *observation)});
    target.memory = observation->value("memory", target.memory);
  }
  return seen;
}

TEST(PrintJob, ReleasesWhatWasHeldInAnEarlierPhase) {
  const auto seen = look_twice({});
  EXPECT_EQ(seen[0].judgement.outcome, Outcome::pass) << seen[0].judgement.observed << seen[0].observation.dump(1);
  EXPECT_THAT(seen[0].judgement.observed, HasSubstr("another is held, to be looked for after a restart"));
  EXPECT_EQ(seen[1].judgement.outcome, Outcome::pass) << seen[1].judgement.observed << seen[1].observation.dump(1);
  EXPECT_THAT(seen[1].judgement.observed, HasSubstr("held in an earlier phase was released and printed"));
  EXPECT_EQ(seen[1].observation["released"]["document"]["id"], seen[0].observation["memory"]["id"]);
  EXPECT_NE(seen[1].observation["memory"], seen[0].observation["memory"]) << "the next phase has one of its own";
}

TEST(PrintJob, FailsWhenTheSpoolIsForgotten) {
  PrintBehaviour behaviour;
  behaviour.forgets_held = true;
  expect_failure(look_twice(behaviour)[1].judgement, "held-job-lost", "client-error-not-found");
}

// The next try of the phase must not find a job that was held a moment ago.
TEST(PrintJob, LooksForTheSameForgottenJobInEveryTry) {
  PrintBehaviour behaviour;
  behaviour.forgets_held = true;
  const auto seen = look_twice(behaviour);
  EXPECT_EQ(seen[1].observation["memory"], seen[0].observation["memory"]);
}

// As CUPS sends away those who come from another machine, and could log in only by TLS.
TEST(PrintJob, ADemandForEncryptionIsARefusal) {
  const auto seen = look_twice({});
  const Json with{{"queue", "office"}, {"sink", {{"listen_port", 9100}}}, {"held", true}, {"strangers_refused", true}};
  const auto said = [&](const char* message) {
    auto observation = seen[0].observation;
    observation["strangers"]["cancel"] = {{"trouble", "http"}, {"message", message}};
    return job().judge(with, observation);
  };
  EXPECT_EQ(said("HTTP 426 Upgrade Required").outcome, Outcome::pass);
  expect_failure(said("HTTP 500 Internal Server Error"), "ipp-http-refused", "HTTP 500");
}

TEST(PrintJob, FailsWhenAHeldJobIsPrinted) {
  PrintBehaviour behaviour;
  behaviour.ignores_hold = true;
  expect_failure(look_twice(behaviour)[0].judgement, "job-not-held", "completed");
}

TEST(PrintJob, FailsWhenStrangersMayCancel) {
  PrintBehaviour behaviour;
  behaviour.strangers_may = true;
  expect_failure(look_twice(behaviour)[0].judgement, "stranger-cancels", "successful-ok");
}

TEST(PrintJob, FailsWhenOnlyOneJobMayWait) {
  PrintBehaviour behaviour;
  behaviour.most_jobs = 1;
  expect_failure(look_twice(behaviour)[0].judgement, "print-job-refused", "server-error-too-many-jobs");
}

TEST(PrintJob, PrintsAsMuchAsIsAskedFor) {
  PrintBehaviour behaviour;
  behaviour.sink_port = testing::free_port();
  const auto sink_port = behaviour.sink_port;
  const FakePrintServer server(std::move(behaviour));
  const auto seen = look(
      {{"queue", "office"}, {"port", server.port()}, {"sink", {{"listen_port", sink_port}}}, {"bytes", 2'000'000}});
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.observed;
  EXPECT_GE(seen.observation["document"]["bytes"].get<int>(), 2'000'000);
}

TEST(PrintJob, FailsOnAnHttpRefusal) {
  PrintBehaviour behaviour;
  behaviour.http_status = 403;
  expect_failure(look_at(behaviour).judgement, "ipp-http-refused", "HTTP 403");
}

TEST(PrintJob, FailsOnAnAnswerThatIsNotIpp) {
  PrintBehaviour behaviour;
  behaviour.garbage = true;
  expect_failure(look_at(behaviour).judgement, "ipp-failed", "no complete IPP answer");
}

TEST(PrintJob, FailsAtTheDeadlineWhenTheServerIsSilent) {
  PrintBehaviour behaviour;
  behaviour.silent = true;
  const auto start = std::chrono::steady_clock::now();
  expect_failure(look_at(behaviour, std::chrono::seconds(1)).judgement, "ipp-timeout", "no HTTP answer");
  EXPECT_THAT(std::chrono::steady_clock::now() - start, Lt(std::chrono::seconds(4)));
}

TEST(PrintJob, FailsWhenNothingListens) {
  const Json parameters{
      {"queue", "office"}, {"port", testing::free_port()}, {"sink", {{"listen_port", testing::free_port()}}}};
  expect_failure(look(parameters).judgement, "connection-refused", "ECONNREFUSED");
}

TEST(PrintJob, CannotTellWhenTheSinksPortIsTaken) {
  const auto port = testing::free_port();
  const auto holder = PrinterSink::listen("127.0.0.1", port);
  ASSERT_TRUE(holder);
  const Json parameters{{"queue", "office"}, {"sink", {{"listen_port", port}}}};
  const auto observation = job().observe(loopback, parameters, std::chrono::seconds(1));
  ASSERT_FALSE(observation);
  EXPECT_EQ(observation.error().error_class, ErrorClass::infrastructure);
  EXPECT_THAT(observation.error().message, HasSubstr("as the printer"));
}

}  // namespace
}  // namespace patchlab::checks::print
