// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/relay_refused.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/checks/mail/fake_mail_server.hpp"

namespace patchlab::checks::mail {
namespace {
using ::testing::Contains;
using testing::FakeMailServer;
using ::testing::HasSubstr;
using testing::MailBehaviour;
using ::testing::Not;

Judgement judged(const MailBehaviour& behaviour, Milliseconds limit = std::chrono::seconds(10)) {
  FakeMailServer server(behaviour);
  const Json parameters{{"smtp_port", server.smtp_port()}};
  const auto observation = relay_refused().observe({"127.0.0.1", "127.0.0.1", "lo"}, parameters, limit);
  EXPECT_TRUE(observation);
  EXPECT_THAT(server.smtp_lines(), Not(Contains("DATA")));
  return relay_refused().judge(parameters, *observation);
}

MailBehaviour answering(const std::string& mail, const std::string& rcpt) {
  MailBehaviour behaviour;
  behaviour.mail_answer = mail;
  behaviour.rcpt_answer = rcpt;
  return behaviour;
}

TEST(MailRelayRefused, PassesWhenTheRecipientIsRefused) {
  const auto judgement = judged(answering("250 Ok", "554 5.7.1 <victim@elsewhere.invalid>: Relay access denied"));
  EXPECT_EQ(judgement.outcome, Outcome::pass);
  EXPECT_EQ(judgement.reason, "relay-refused");
  EXPECT_THAT(judgement.observed, HasSubstr("rcpt answered 554 5.7.1"));
}

TEST(MailRelayRefused, PassesWhenTheSenderIsRefused) {
  EXPECT_EQ(judged(answering("530 5.7.0 Must issue a STARTTLS command first", "")).outcome, Outcome::pass);
}

TEST(MailRelayRefused, FailsOnAnOpenRelay) {
  const auto judgement = judged(answering("250 Ok", "250 2.1.5 Ok"));
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "open-relay");
}

TEST(MailRelayRefused, FailsForAnotherReasonWhenOnlyDeferred) {
  const auto judgement = judged(answering("250 Ok", "454 4.7.1 Relay access denied"));
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "relay-deferred");
}

TEST(MailRelayRefused, FailsWhenTheRecipientIsNotAnswered) {
  const auto judgement = judged(answering("250 Ok", ""), Milliseconds(300));
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "relay-no-answer");
}

TEST(MailRelayRefused, FailsOnAnAnswerOutsideTheProtocol) {
  EXPECT_EQ(judged(answering("250 Ok", "354 go on")).reason, "relay-answer-unexpected");
}

TEST(MailRelayRefused, FailsWhenTheServerDoesNotGreet) {
  MailBehaviour behaviour;
  behaviour.banner = "554 no service";
  EXPECT_EQ(judged(behaviour).reason, "smtp-banner-refused");
}

TEST(MailRelayRefused, FailsWhenNothingListens) {
  std::uint16_t port = 0;
  {
    FakeMailServer server;
    port = server.smtp_port();
  }
  const Json parameters{{"smtp_port", port}};
  const auto observation = relay_refused().observe({"127.0.0.1", "", ""}, parameters, std::chrono::seconds(5));
  ASSERT_TRUE(observation);
  const auto judgement = relay_refused().judge(parameters, *observation);
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "smtp-connect-failed");
}

TEST(MailRelayRefused, RefusesUnknownKeys) {
  std::vector<JsonProblem> problems;
  relay_refused().validate({{"port", 25}}, "/with", problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].pointer, "/with/port");
}

}  // namespace
}  // namespace patchlab::checks::mail
