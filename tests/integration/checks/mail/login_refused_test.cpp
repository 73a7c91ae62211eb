// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/login_refused.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/checks/mail/fake_mail_server.hpp"

namespace patchlab::checks::mail {
namespace {
using testing::FakeMailServer;
using ::testing::HasSubstr;
using testing::MailBehaviour;

Judgement judged(const MailBehaviour& behaviour, const Json& more = Json::object()) {
  FakeMailServer server(behaviour);
  Json parameters{{"smtp_port", server.smtp_port()}, {"imap_port", server.imap_port()}, {"user", "alice"}};
  parameters.update(more);
  const auto observation =
      login_refused().observe({"127.0.0.1", "127.0.0.1", "lo"}, parameters, std::chrono::seconds(10));
  EXPECT_TRUE(observation);
  EXPECT_EQ(observation->dump().find(behaviour.password), std::string::npos);
  return login_refused().judge(parameters, *observation);
}

TEST(MailLoginRefused, PassesWhenBothProtocolsRefuse) {
  const auto judgement = judged({});
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason << ": " << judgement.observed;
  EXPECT_THAT(judgement.observed, HasSubstr("SMTP 535 5.7.8"));
  EXPECT_THAT(judgement.observed, HasSubstr("IMAP NO [AUTHENTICATIONFAILED]"));
}

TEST(MailLoginRefused, FindsEitherProtocolThatTakesAnyPassword) {
  MailBehaviour smtp;
  smtp.smtp_takes_any_password = true;
  EXPECT_EQ(judged(smtp).reason, "wrong-password-accepted");
  EXPECT_THAT(judged(smtp).observed, HasSubstr("smtp answered 235"));
  MailBehaviour imap;
  imap.imap_takes_any_password = true;
  EXPECT_EQ(judged(imap).reason, "wrong-password-accepted");
  EXPECT_THAT(judged(imap).observed, HasSubstr("imap answered OK"));
}

TEST(MailLoginRefused, FindsLoginsInClear) {
  MailBehaviour smtp;
  smtp.auth_before_tls = true;
  EXPECT_EQ(judged(smtp).reason, "login-in-clear-offered");
  EXPECT_EQ(judged(smtp, {{"tls_required", false}}).outcome, Outcome::pass);
  MailBehaviour imap;
  imap.imap_capabilities = "IMAP4rev1 STARTTLS AUTH=PLAIN";
  EXPECT_EQ(judged(imap).reason, "login-in-clear-offered");
  EXPECT_THAT(judged(imap).observed, HasSubstr("AUTH=PLAIN"));
  EXPECT_EQ(judged(imap, {{"tls_required", false}}).outcome, Outcome::pass);
}

TEST(MailLoginRefused, ARefusalForTheMomentIsNone) {
  MailBehaviour behaviour;
  behaviour.auth_refusal = "454 4.7.0 Temporary authentication failure";
  EXPECT_EQ(judged(behaviour).outcome, Outcome::fail);
  EXPECT_EQ(judged(behaviour).reason, "login-deferred");
}

TEST(MailLoginRefused, WhatPreventsALoginIsAFailureOfItsOwn) {
  MailBehaviour no_tls;
  no_tls.offers_starttls = false;
  EXPECT_EQ(judged(no_tls).reason, "smtp-starttls-not-offered");
  MailBehaviour no_auth;
  no_auth.mechanisms = "";
  EXPECT_EQ(judged(no_auth).reason, "smtp-auth-not-offered");
  MailBehaviour no_imap;
  no_imap.imap_greeting = "* BYE not today";
  EXPECT_THAT(judged(no_imap).reason, HasSubstr("imap-greeting"));
}

TEST(MailLoginRefused, TakesNoPassword) {
  std::vector<JsonProblem> problems;
  login_refused().validate({{"user", "alice"}, {"password", "x"}}, "/with", problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].pointer, "/with/password");
}

}  // namespace
}  // namespace patchlab::checks::mail
