// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Judged from captured observations; scripted print servers are in tests/integration/checks/print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/print/job.hpp"

namespace patchlab::checks::print {
namespace {

Json captured() {
  return {{"connect", {{"errno", 0}}},
          {"document", {{"id", "patchlab-1"}, {"bytes", 4200}, {"sha256", "aa"}}},
          {"printer",
           {{"status", "successful-ok"},
            {"attributes",
             {{"printer-state", "idle"}, {"printer-state-reasons", "none"}, {"printer-is-accepting-jobs", true}}}}},
          {"printer_polls", 1},
          {"print", {{"status", "successful-ok"}, {"attributes", {{"job-id", 3}, {"job-state", "pending"}}}}},
          {"job",
           {{"status", "successful-ok"},
            {"attributes", {{"job-state", "completed"}, {"job-state-reasons", "job-completed-successfully"}}}}},
          {"job_polls", 4},
          {"sink", {{{"bytes", 4200}, {"sha256", "aa"}, {"has_id", true}, {"identical", true}, {"beginning", ""}}}}};
}

const Json parameters{{"queue", "office"}, {"sink", {{"listen_port", 9100}}}};
Judgement judged(const Json& observation) { return job().judge(parameters, observation); }

TEST(PrintJobJudge, PassesACleanJob) { EXPECT_EQ(judged(captured()).outcome, Outcome::pass); }

TEST(PrintJobJudge, NamesEveryReason) {
  const auto with = [](const char* pointer, Json value) {
    auto observation = captured();
    observation[Json::json_pointer(pointer)] = std::move(value);
    EXPECT_EQ(judged(observation).outcome, Outcome::fail) << pointer;
    return judged(observation).reason;
  };
  EXPECT_EQ(with("/connect", {{"errno", 113}, {"reason", "unreachable"}, {"text", "EHOSTUNREACH"}}), "unreachable");
  EXPECT_EQ(with("/printer", {{"trouble", "timeout"}, {"message", "no HTTP answer"}}), "ipp-timeout");
  EXPECT_EQ(with("/printer", {{"trouble", "http"}, {"message", "HTTP 401 Unauthorized"}}), "ipp-http-refused");
  EXPECT_EQ(with("/printer/status", "client-error-not-found"), "printer-unknown");
  EXPECT_EQ(with("/printer/status", "server-error-internal-error"), "printer-refused");
  EXPECT_EQ(with("/printer/attributes/printer-state", "stopped"), "printer-stopped");
  EXPECT_EQ(with("/printer/attributes/printer-state", "processing"), "printer-busy");
  EXPECT_EQ(with("/printer/attributes/printer-is-accepting-jobs", false), "printer-not-accepting");
  EXPECT_EQ(with("/print/status", "client-error-document-format-not-supported"), "print-job-refused");
  EXPECT_EQ(with("/print", {{"trouble", "failed"}, {"message", "no HTTP answer"}}), "ipp-failed");
  EXPECT_EQ(with("/job/status", "client-error-not-found"), "job-lost");
  EXPECT_EQ(with("/job/attributes/job-state", "aborted"), "job-aborted");
  EXPECT_EQ(with("/job/attributes/job-state", "canceled"), "job-canceled");
  EXPECT_EQ(with("/job/attributes/job-state", "pending"), "job-not-completed");
  EXPECT_EQ(with("/job/attributes/job-state", "processing-stopped"), "job-not-completed");
  EXPECT_EQ(with("/sink", Json::array()), "sink-silent");
  EXPECT_EQ(with("/sink/0/has_id", false), "sink-silent");
  EXPECT_EQ(with("/sink/0/identical", false), "document-altered");
  EXPECT_EQ(with("/sink/1", captured()["sink"][0]), "printed-more-than-once");
}

TEST(PrintJobJudge, IgnoresWhatEarlierJobsSentToTheSink) {
  auto observation = captured();
  observation["sink"].insert(observation["sink"].begin(),
                             Json{{"bytes", 7}, {"sha256", "cc"}, {"has_id", false}, {"identical", false}});
  EXPECT_EQ(judged(observation).outcome, Outcome::pass);
}

TEST(PrintJobJudge, AcceptsASuccessWithIgnoredAttributes) {
  auto observation = captured();
  observation["print"]["status"] = "successful-ok-ignored-or-substituted-attributes";
  EXPECT_EQ(judged(observation).outcome, Outcome::pass);
}

TEST(PrintJobJudge, CallsAnIncompleteObservationAnError) {
  EXPECT_EQ(judged(Json::object()).outcome, Outcome::error);
  auto observation = captured();
  observation.erase("job");
  EXPECT_EQ(judged(observation).reason, "observation-incomplete");
}

TEST(PrintJobParameters, AreStrict) {
  std::vector<JsonProblem> problems;
  job().validate(
      {{"queue", "a/b"}, {"port", 0}, {"sink", {{"listen_port", "9100"}, {"port", 1}}}, {"exact", 1}, {"q", 1}},
      "/with", problems);
  std::set<std::string> pointers;
  for (const auto& problem : problems) pointers.insert(problem.pointer);
  EXPECT_EQ(pointers, (std::set<std::string>{"/with/queue", "/with/port", "/with/sink/listen_port", "/with/sink/port",
                                             "/with/exact", "/with/q"}));
  problems.clear();
  job().validate({{"queue", "a"}, {"sink", {{"listen_port", 9100}}}, {"bytes", -1}, {"strangers_refused", true}},
                 "/with", problems);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[1].message, "needs \"held\": true, which makes the job that a stranger would cancel");
  problems.clear();
  job().validate(Json::object(), "/with", problems);
  EXPECT_EQ(problems.size(), 2U);
}

}  // namespace
}  // namespace patchlab::checks::print
