// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Judged from captured observations; how real and lying servers are observed is tests/integration/checks/mail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/mail/delivery.hpp"

namespace patchlab::checks::mail {
namespace {
using testing::HasSubstr;

Json stage(const std::string& name, const std::string& answer) {
  return {{"stage", name}, {"answer", answer}, {"reply", "text"}, {"ms", 1}};
}

Json captured() {
  return {
      {"sent", {{"message_id", "<1@x>"}, {"headers", {{"Subject", "s"}}}, {"body_bytes", 4}, {"body_sha256", "aa"}}},
      {"smtp",
       {{"stages",
         {stage("connect", ""), stage("banner", "220"), stage("ehlo", "250"), stage("starttls", "220"),
          stage("tls", ""), stage("ehlo-tls", "250"), stage("auth", "235"), stage("mail", "250"), stage("rcpt", "250"),
          stage("data", "354"), stage("message", "250"), stage("quit", "221")}}}},
      {"imap",
       {{"found", {"7"}},
        {"searches", 2},
        {"left_after_delete", 0},
        {"stages",
         {stage("connect", ""), stage("greeting", "OK"), stage("starttls", "OK"), stage("tls", ""),
          stage("login", "OK"), stage("select", "OK"), stage("fetch", "OK"), stage("delete", "OK"),
          stage("expunge", "OK")}}}},
      {"fetched", {{"header", "Received: x\r\nSubject: s\r\n"}, {"body_bytes", 4}, {"body_sha256", "aa"}}}};
}

const Json parameters{{"user", "u"}, {"password", "p"}, {"from", "a@x"}, {"to", "b@x"}};
Judgement judged(const Json& observation) { return delivery().judge(parameters, observation); }

TEST(MailDeliveryJudge, PassesACleanExchange) { EXPECT_EQ(judged(captured()).outcome, Outcome::pass); }

TEST(MailDeliveryJudge, NamesTheFirstStageThatWentWrong) {
  auto observation = captured();
  observation["smtp"]["stages"][6] = stage("auth", "535");
  observation.erase("imap");
  const auto judgement = judged(observation);
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "smtp-auth-refused");
  EXPECT_EQ(judgement.expected, "smtp stage 'auth' answered 235");
  EXPECT_EQ(judgement.observed, "535 text");
}

TEST(MailDeliveryJudge, ExpectsTlsBeforeTheGreetingOnTheImapsPort) {
  auto observation = captured();
  auto with_implicit = parameters;
  with_implicit["imap_port"] = 993;
  observation["imap"]["stages"].erase(2);
  EXPECT_EQ(delivery().judge(with_implicit, observation).outcome, Outcome::pass);
  EXPECT_EQ(judged(observation).reason, "observation-incomplete");
}

TEST(MailDeliveryJudge, AcceptsFoldedHeadersButNotLostOnes) {
  auto observation = captured();
  observation["sent"]["headers"]["Subject"] = "a b";
  observation["fetched"]["header"] = "Subject: a\r\n b\r\n";
  EXPECT_EQ(judged(observation).outcome, Outcome::pass);
  observation["fetched"]["header"] = "X: y\r\n";
  EXPECT_EQ(judged(observation).reason, "header-altered");
  EXPECT_EQ(judged(observation).observed, "this header is gone");
}

TEST(MailDeliveryJudge, QuotesWhereTheBodyDiffers) {
  auto observation = captured();
  observation["fetched"]["body_sha256"] = "bb";
  observation["fetched"]["first_difference"] = {{"offset", 3}, {"sent", "right"}, {"fetched", "wrong"}};
  EXPECT_EQ(judged(observation).reason, "body-altered");
  EXPECT_THAT(judged(observation).observed, HasSubstr("from offset 3 on: 'wrong' instead of 'right'"));
}

TEST(MailDeliveryJudge, NeverSaysOfAMessageThatNobodyLookedForThatItStayed) {
  auto observation = captured();
  observation["imap"].erase("left_after_delete");
  EXPECT_EQ(judged(observation).reason, "observation-incomplete");
  observation["imap"]["stages"].push_back(stage("search", "NO"));
  EXPECT_EQ(judged(observation).reason, "imap-search-refused");
}

TEST(MailDeliveryJudge, CallsAnEmptyObservationAnError) {
  EXPECT_EQ(judged(Json::object()).outcome, Outcome::error);
  EXPECT_EQ(judged(Json::object()).reason, "observation-incomplete");
}

}  // namespace
}  // namespace patchlab::checks::mail
