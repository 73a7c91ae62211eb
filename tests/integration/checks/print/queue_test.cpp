// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/queue.hpp"

#include <gmock/gmock.h>

#include "tests/integration/checks/print/fake_print_server.hpp"

namespace patchlab::checks::print {
namespace {

using testing::FakePrintServer;
using ::testing::HasSubstr;
using testing::PrintBehaviour;

Target here() { return {"127.0.0.1", "127.0.0.1", "lo"}; }

PrintBehaviour usual_queue() {
  PrintBehaviour behaviour;
  behaviour.offers = {{"document-format-supported", {"application/octet-stream", "application/pdf", "text/plain"}},
                      {"job-sheets-default", {"none", "none"}},
                      {"uri-authentication-supported", {"requesting-user-name"}},
                      {"not-asked-for", {"x"}}};
  return behaviour;
}

Judgement offered_by(const PrintBehaviour& behaviour, Json parameters) {
  const FakePrintServer server(behaviour);
  parameters["port"] = server.port();
  const auto observation = queue().observe(here(), parameters, std::chrono::seconds(10));
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  return queue().judge(parameters, *observation);
}

Json learnt_offers() {
  const FakePrintServer server(usual_queue());
  const Json parameters{{"queue", "office"}, {"port", server.port()}};
  const auto observation = queue().observe(here(), parameters, std::chrono::seconds(10));
  const auto expecting = queue().expecting(parameters, observation.value());
  return expecting.value();
}

TEST(PrintQueue, LearnsWhatItOffers) {
  const auto parameters = learnt_offers();
  EXPECT_EQ(parameters.at("offers"),
            Json({{"document-format-supported", {"application/octet-stream", "application/pdf", "text/plain"}},
                  {"job-sheets-default", {"none", "none"}},
                  {"printer-is-accepting-jobs", true},
                  {"uri-authentication-supported", "requesting-user-name"}}));
  const auto judgement = offered_by(usual_queue(), parameters);
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.observed;
}

TEST(PrintQueue, MissesAFormatThatIsNotOfferedAnyMore) {
  auto behaviour = usual_queue();
  behaviour.offers["document-format-supported"] = {"application/octet-stream"};
  const auto judgement = offered_by(behaviour, learnt_offers());
  EXPECT_EQ(judgement.reason, "no-longer-offered");
  EXPECT_EQ(judgement.observed, "not offered any more: application/pdf, text/plain");
}

TEST(PrintQueue, SaysWhatIsOfferedBesides) {
  auto behaviour = usual_queue();
  behaviour.offers["document-format-supported"].emplace_back("image/png");
  const auto judgement = offered_by(behaviour, learnt_offers());
  EXPECT_EQ(judgement.outcome, Outcome::pass);
  EXPECT_THAT(judgement.observed, HasSubstr("document-format-supported: image/png"));
}

TEST(PrintQueue, FailsWhenAnotherDefaultIsSaid) {
  auto behaviour = usual_queue();
  behaviour.offers["job-sheets-default"] = {"standard", "none"};
  auto judgement = offered_by(behaviour, learnt_offers());
  EXPECT_EQ(judgement.reason, "offers-differ");
  EXPECT_EQ(judgement.expected, "job-sheets-default is none, none");
  EXPECT_EQ(judgement.observed, "standard, none");
  behaviour.offers.erase("job-sheets-default");
  judgement = offered_by(behaviour, learnt_offers());
  EXPECT_EQ(judgement.reason, "offers-differ");
  EXPECT_EQ(judgement.observed, "it is not said");
  behaviour = usual_queue();
  behaviour.accepting = false;
  EXPECT_EQ(offered_by(behaviour, learnt_offers()).reason, "offers-differ");
}

TEST(PrintQueue, FailsWhenTheQueueIsGoneOrSaysNothing) {
  auto behaviour = usual_queue();
  behaviour.queue = "another";
  EXPECT_EQ(offered_by(behaviour, learnt_offers()).reason, "printer-unknown");
  behaviour = usual_queue();
  behaviour.garbage = true;
  EXPECT_EQ(offered_by(behaviour, learnt_offers()).reason, "ipp-failed");
  behaviour = usual_queue();
  behaviour.http_status = 403;
  EXPECT_EQ(offered_by(behaviour, learnt_offers()).reason, "ipp-http-refused");
}

TEST(PrintQueue, ComparesSomethingOrIsNoPass) {
  const auto judgement = offered_by(usual_queue(), {{"queue", "office"}});
  EXPECT_EQ(judgement.outcome, Outcome::error);
  EXPECT_EQ(judgement.reason, "nothing-compared");
}

TEST(PrintQueue, TakesOnlyAttributesThatItAsksFor) {
  const auto problems_of = [](const Json& offers) {
    std::vector<JsonProblem> problems;
    queue().validate({{"queue", "office"}, {"offers", offers}}, "/with", problems);
    return problems;
  };
  EXPECT_TRUE(problems_of({{"sides-default", "one-sided"}, {"job-k-limit", 0}, {"printer-is-shared", true}}).empty());
  const auto unknown = problems_of({{"printer-state", "idle"}});
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_THAT(unknown[0].message, HasSubstr("'printer-state' is none of: compression-supported, "));
  EXPECT_EQ(problems_of({{"sides-default", Json::object()}}).size(), 1U);
  EXPECT_EQ(problems_of({{"sides-supported", {"one-sided", nullptr}}}).size(), 1U);
  EXPECT_EQ(problems_of("one-sided").size(), 1U);
}

}  // namespace
}  // namespace patchlab::checks::print
