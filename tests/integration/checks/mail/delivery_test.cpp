// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/mail/message.hpp"
#include "lab/core/base64.hpp"
#include "tests/integration/checks/mail/fake_mail_server.hpp"

namespace patchlab::checks::mail {
namespace {
using ::testing::AnyOf;
using ::testing::Contains;
using testing::FakeMailServer;
using ::testing::HasSubstr;
using testing::MailBehaviour;
using ::testing::Not;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

Json parameters_for(const FakeMailServer& server) {
  return {{"smtp_port", server.smtp_port()}, {"imap_port", server.imap_port()}, {"user", "alice"},
          {"password", "s3cret \"quoted\\"}, {"from", "alice@corp.example"},    {"to", "alice@corp.example"},
          {"tls", "self-signed-ok"}};
}

struct Seen {
  Json observation;
  Judgement judgement;
};

Seen look(const Json& parameters, Milliseconds limit = std::chrono::seconds(10)) {
  auto observation = delivery().observe(loopback, parameters, limit);
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  EXPECT_EQ(observation->dump().find("s3cret"), std::string::npos) << "the password would go on record";
  return {*observation, delivery().judge(parameters, *observation)};
}

Judgement judged(MailBehaviour behaviour, Milliseconds limit = std::chrono::seconds(10)) {
  FakeMailServer server(std::move(behaviour));
  return look(parameters_for(server), limit).judgement;
}

void expect_failure(const Judgement& judgement, const std::string& reason, const std::string& observed) {
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, reason) << judgement.observed;
  EXPECT_THAT(judgement.observed, HasSubstr(observed));
}

TEST(MailDelivery, SendsAsMuchAsIsAskedFor) {
  FakeMailServer server;
  auto with = parameters_for(server);
  with["bytes"] = 300'000;
  const auto seen = look(with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << ": " << seen.judgement.observed;
  EXPECT_GE(seen.observation["fetched"]["body_bytes"].get<int>(), 300'000);
  EXPECT_LT(seen.observation.dump().size(), 100'000U);
}

TEST(MailDelivery, FindsAChangeDeepInALargeMessage) {
  MailBehaviour behaviour;
  behaviour.on_delivery = [](std::string text) {
    text[200'000] = text[200'000] == '!' ? '?' : '!';
    return text;
  };
  FakeMailServer server(behaviour);
  auto with = parameters_for(server);
  with["bytes"] = 300'000;
  EXPECT_EQ(look(with).judgement.reason, "body-altered");
}

TEST(MailDelivery, PassesAndLeavesNothingBehind) {
  FakeMailServer server;
  const auto seen = look(parameters_for(server));
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << ": " << seen.judgement.observed;
  EXPECT_EQ(seen.judgement.reason, "delivered");
  EXPECT_EQ(server.mailbox_size(), 0U);
  EXPECT_THAT(seen.observation["smtp"]["tls"]["version"].get<std::string>(), HasSubstr("TLSv1"));
  EXPECT_THAT(seen.observation["imap"]["tls"]["certificate"]["subject"].get<std::string>(),
              HasSubstr("fake.corp.example"));
  EXPECT_THAT(seen.observation["fetched"]["header"].get<std::string>(), HasSubstr("Received: by the fake"));
}

TEST(MailDelivery, StuffsDotsAndSaysThatTheBodyIsEightBit) {
  FakeMailServer server;
  (void)look(parameters_for(server));
  EXPECT_THAT(server.smtp_lines(), Contains("MAIL FROM:<alice@corp.example> BODY=8BITMIME"));
}

TEST(MailDelivery, NeverRecordsThePassword) {
  FakeMailServer server;
  const auto text = look(parameters_for(server)).observation.dump();
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, Not(HasSubstr("AGFsaWNl")));  // base64 of "\0alice"
}

TEST(MailDelivery, PollsUntilTheMessageIsVisible) {
  MailBehaviour behaviour;
  behaviour.searches_until_visible = 3;
  const auto judgement = judged(behaviour);
  EXPECT_EQ(judgement.outcome, Outcome::pass);
  EXPECT_THAT(judgement.observed, HasSubstr("after 4 searches"));
}

TEST(MailDelivery, LogsInByStepsWhenOnlyLoginIsOffered) {
  MailBehaviour behaviour;
  behaviour.mechanisms = "LOGIN";
  EXPECT_EQ(judged(behaviour).outcome, Outcome::pass);
}

TEST(MailDelivery, FailsWhenNothingListens) {
  Json parameters;
  {
    FakeMailServer server;
    parameters = parameters_for(server);
  }
  expect_failure(look(parameters).judgement, "smtp-connect-failed", "Connection refused");
}

TEST(MailDelivery, FailsWhenTheServerIsSilent) {
  MailBehaviour behaviour;
  behaviour.banner = "";
  expect_failure(judged(behaviour, Milliseconds(300)), "smtp-banner-timeout", "until the deadline");
}

TEST(MailDelivery, FailsOnATemporarilyRefusingBanner) {
  MailBehaviour behaviour;
  behaviour.banner = "421 4.3.2 too busy";
  expect_failure(judged(behaviour), "smtp-banner-deferred", "421 4.3.2 too busy");
}

TEST(MailDelivery, FailsOnABannerThatIsNotSmtp) {
  MailBehaviour behaviour;
  behaviour.banner = "SSH-2.0-OpenSSH";
  expect_failure(judged(behaviour), "smtp-banner-failed", "not an SMTP reply: 'SSH-2.0-OpenSSH'");
}

TEST(MailDelivery, FailsWithoutStarttls) {
  MailBehaviour behaviour;
  behaviour.offers_starttls = false;
  expect_failure(judged(behaviour), "smtp-starttls-not-offered", "does not offer STARTTLS");
}

TEST(MailDelivery, FailsWhenTheTlsHandshakeDoes) {
  MailBehaviour behaviour;
  behaviour.tls_works = false;
  const auto judgement = judged(behaviour);
  EXPECT_EQ(judgement.reason, "smtp-tls-failed") << judgement.observed;
}

TEST(MailDelivery, RefusesPlainTextBehindStarttls) {
  MailBehaviour behaviour;
  behaviour.before_tls = "250 injected\r\n";
  const auto judgement = judged(behaviour);
  EXPECT_EQ(judgement.reason, "smtp-tls-failed") << judgement.observed;
}

TEST(MailDelivery, FailsWhenTheCertificateMustBeVerified) {
  FakeMailServer server;
  auto parameters = parameters_for(server);
  parameters["tls"] = "verified";
  const auto judgement = look(parameters).judgement;
  expect_failure(judgement, "smtp-tls-failed", "certificate verify failed");
}

TEST(MailDelivery, FailsWithoutAuthentication) {
  MailBehaviour behaviour;
  behaviour.mechanisms = "";
  expect_failure(judged(behaviour), "smtp-auth-not-offered", "AUTH PLAIN");
}

TEST(MailDelivery, FailsWhenThePasswordIsRefused) {
  MailBehaviour behaviour;
  behaviour.password = "another";
  expect_failure(judged(behaviour), "smtp-auth-refused", "535 5.7.8");
  behaviour.mechanisms = "LOGIN";
  expect_failure(judged(behaviour), "smtp-auth-refused", "535 5.7.8");
}

TEST(MailDelivery, FailsWhenTheRecipientIsDeferred) {
  MailBehaviour behaviour;
  behaviour.rcpt_answer = "451 4.3.0 <alice@corp.example>: Temporary lookup failure";
  expect_failure(judged(behaviour), "smtp-rcpt-deferred", "451 4.3.0");
}

TEST(MailDelivery, FailsWhenTheMessageIsRefused) {
  MailBehaviour behaviour;
  behaviour.message_answer = "554 5.7.1 content rejected";
  expect_failure(judged(behaviour), "smtp-message-refused", "554 5.7.1");
}

TEST(MailDelivery, FailsWhenDataIsAnsweredOddly) {
  MailBehaviour behaviour;
  behaviour.data_answer = "250 2.0.0 Ok";
  expect_failure(judged(behaviour), "smtp-data-unexpected", "250 2.0.0 Ok");
}

TEST(MailDelivery, FailsWhenTheMessageNeverArrives) {
  MailBehaviour behaviour;
  behaviour.copies = 0;
  expect_failure(judged(behaviour, std::chrono::seconds(1)), "not-delivered", "searches");
}

TEST(MailDelivery, FailsWhenTheMessageArrivesTwice) {
  MailBehaviour behaviour;
  behaviour.copies = 2;
  expect_failure(judged(behaviour), "delivered-more-than-once", "there 2 times");
}

TEST(MailDelivery, FailsWhenImapRefusesTheLogin) {
  FakeMailServer smtp;
  MailBehaviour behaviour;
  behaviour.password = "another";
  FakeMailServer imap(behaviour);
  auto parameters = parameters_for(smtp);
  parameters["imap_port"] = imap.imap_port();
  expect_failure(look(parameters).judgement, "imap-login-refused", "AUTHENTICATIONFAILED");
}

TEST(MailDelivery, FailsWhenImapSaysGoodbye) {
  MailBehaviour behaviour;
  behaviour.imap_greeting = "* BYE out of memory";
  expect_failure(judged(behaviour), "imap-greeting-unexpected", "BYE out of memory");
}

TEST(MailDelivery, FailsWhenTheMailboxCannotBeOpened) {
  MailBehaviour behaviour;
  behaviour.imap_select_answer = "NO [SERVERBUG] Internal error occurred";
  expect_failure(judged(behaviour), "imap-select-refused", "SERVERBUG");
}

TEST(MailDelivery, FailsWhenSearchingIsRefused) {
  MailBehaviour behaviour;
  behaviour.imap_search_answer = "NO no index";
  expect_failure(judged(behaviour), "imap-search-refused", "no index");
}

TEST(MailDelivery, FailsWhenFetchingIsRefused) {
  MailBehaviour behaviour;
  behaviour.imap_fetch_answer = "NO read error";
  expect_failure(judged(behaviour), "imap-fetch-refused", "read error");
}

TEST(MailDelivery, FailsWhenOneByteOfTheBodyChanges) {
  MailBehaviour behaviour;
  behaviour.on_delivery = [](std::string text) {
    text[text.find("two dots")] = 'T';
    return text;
  };
  expect_failure(judged(behaviour), "body-altered", "Two dots");
}

TEST(MailDelivery, FailsWhenDotsAreNotUnstuffed) {
  MailBehaviour behaviour;
  behaviour.on_delivery = [](std::string text) { return text.insert(text.find("..two dots"), "."); };
  expect_failure(judged(behaviour), "body-altered", "...two dots");
}

TEST(MailDelivery, FailsWhenTheBodyIsCutOff) {
  MailBehaviour behaviour;
  behaviour.on_delivery = [](std::string text) { return text.substr(0, text.find("last line")); };
  const auto judgement = judged(behaviour);
  EXPECT_EQ(judgement.reason, "body-altered");
}

TEST(MailDelivery, FailsWhenAHeaderIsRewritten) {
  MailBehaviour behaviour;
  behaviour.on_delivery = [](std::string text) { return text.insert(text.find("Subject: ") + 9, "[SPAM] "); };
  expect_failure(judged(behaviour), "header-altered", "Subject: [SPAM] patchlab probe");
}

// As Exchange does: another encoding for the way, another type, header fields of its own.
std::string written_anew(const std::string& text) {
  const auto [header, body] = split_message(text);
  const auto fields = header_fields(header);
  const auto part = base64(body.substr(0, body.find("last line ")));
  return fmt::format(
      "Received: from probe\r\nX-Rule: seen\r\nMessage-ID: {}\r\nSubject: {}\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/alternative;\r\n\tboundary=\"_000_\"\r\n\r\n--_000_\r\nContent-Type: text/plain\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n{}\r\n--_000_\r\nContent-Type: text/html\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>{}=\r\n{}</p>\r\n--_000_--\r\n",
      fields.at("message-id"), fields.at("subject"), part.substr(0, 60), part.substr(60),
      body.substr(body.find("last line "), 6),
      body.substr(body.find("last line ") + 6, body.rfind("\r\n") - body.find("last line ") - 6));
}

TEST(MailDelivery, TakesMessagesThatAreWrittenAnewWhereThatIsUsual) {
  MailBehaviour behaviour;
  behaviour.on_delivery = written_anew;
  FakeMailServer server(behaviour);
  auto with = parameters_for(server);
  EXPECT_EQ(look(with).judgement.reason, "body-altered");
  with["exact"] = false;
  const auto seen = look(with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << seen.judgement.observed;
}

TEST(MailDelivery, FailsWhenTheTextIsGoneFromAMessageWrittenAnew) {
  MailBehaviour behaviour;
  behaviour.on_delivery = [](const std::string& text) {
    auto anew = written_anew(text);
    return anew.substr(0, anew.find("<p>")) + "<p></p>\r\n--_000_--\r\n";
  };
  FakeMailServer server(behaviour);
  auto with = parameters_for(server);
  with["exact"] = false;
  EXPECT_EQ(look(with).judgement.reason, "body-altered");
}

// What a rule of the server does to mail: it must be seen each time.
TEST(MailDelivery, FailsWhenARuleDoesNotWorkAnyMore) {
  MailBehaviour behaviour;
  behaviour.on_delivery = written_anew;
  FakeMailServer server(behaviour);
  auto with = parameters_for(server);
  with.update({{"exact", false}, {"adds", {{"X-Rule", "seen"}}}});
  EXPECT_EQ(look(with).judgement.outcome, Outcome::pass);
  with["adds"] = {{"X-Rule", "blocked"}};
  EXPECT_EQ(look(with).judgement.reason, "header-not-added");
  FakeMailServer without;
  auto plain = parameters_for(without);
  plain["adds"] = {{"X-Rule", "seen"}};
  expect_failure(look(plain).judgement, "header-not-added", "there is none");
}

TEST(MailDelivery, FailsWhenDeletingIsRefused) {
  MailBehaviour behaviour;
  behaviour.imap_store_answer = "NO read-only";
  expect_failure(judged(behaviour), "imap-delete-refused", "read-only");
}

TEST(MailDelivery, FailsWhenTheMessageStays) {
  MailBehaviour behaviour;
  behaviour.expunges = false;
  expect_failure(judged(behaviour), "not-deleted", "can still be found");
}

TEST(MailDelivery, SaysThatNobodyLookedWhereTheMessageWas) {
  MailBehaviour behaviour;
  behaviour.answer_after_expunge = "NO [SERVERBUG] index";
  expect_failure(judged(behaviour), "imap-search-refused", "index");
  behaviour.answer_after_expunge = "-ERR [IN-USE] locked";
  FakeMailServer server(behaviour);
  auto with = parameters_for(server);
  with.update({{"read_by", "pop3"}, {"pop3_port", server.pop3_port()}});
  expect_failure(look(with).judgement, "pop3-list-refused", "locked");
}

Json by_pop3(const FakeMailServer& server) {
  auto with = parameters_for(server);
  with.update({{"read_by", "pop3"}, {"pop3_port", server.pop3_port()}});
  return with;
}

Judgement judged_by_pop3(MailBehaviour behaviour, Milliseconds limit = std::chrono::seconds(10)) {
  FakeMailServer server(std::move(behaviour));
  return look(by_pop3(server), limit).judgement;
}

TEST(MailDelivery, IsReadByPop3AndLeavesNothingBehind) {
  FakeMailServer server;
  const auto seen = look(by_pop3(server));
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << ": " << seen.judgement.observed;
  EXPECT_EQ(server.mailbox_size(), 0U);
  EXPECT_FALSE(seen.observation.contains("imap"));
  auto large = by_pop3(server);
  large["bytes"] = 300'000;
  EXPECT_EQ(look(large).judgement.outcome, Outcome::pass);
}

TEST(MailDelivery, FailsWhenPop3Does) {
  MailBehaviour behaviour;
  behaviour.pop3_greeting = "-ERR too many";
  expect_failure(judged_by_pop3(behaviour), "pop3-greeting-refused", "too many");
  behaviour = {};
  behaviour.pop3_list_answer = "-ERR no";
  expect_failure(judged_by_pop3(behaviour), "pop3-list-refused", "-ERR no");
  behaviour = {};
  behaviour.pop3_retr_answer = "-ERR read error";
  expect_failure(judged_by_pop3(behaviour), "pop3-retr-refused", "read error");
  behaviour = {};
  behaviour.pop3_dele_answer = "-ERR locked";
  expect_failure(judged_by_pop3(behaviour), "pop3-dele-refused", "locked");
  behaviour = {};
  behaviour.expunges = false;
  expect_failure(judged_by_pop3(behaviour), "not-deleted", "can still be found");
  behaviour = {};
  behaviour.on_delivery = [](std::string text) { return text.insert(text.find("..two dots"), "."); };
  expect_failure(judged_by_pop3(behaviour), "body-altered", "...two dots");
  behaviour = {};
  behaviour.copies = 0;
  expect_failure(judged_by_pop3(behaviour, std::chrono::seconds(1)), "not-delivered", "searches");
}

TEST(MailDelivery, ComesFromOutsideWithoutALogin) {
  MailBehaviour behaviour;
  behaviour.mechanisms = "";
  FakeMailServer server(behaviour);
  auto with = parameters_for(server);
  with.update({{"smtp_login", false}, {"from", "probe@outside.invalid"}});
  EXPECT_EQ(look(with).judgement.outcome, Outcome::pass);
  behaviour.offers_starttls = false;
  FakeMailServer plain(behaviour);
  with["smtp_port"] = plain.smtp_port();
  EXPECT_EQ(look(with).judgement.reason, "smtp-starttls-not-offered");
  with.update({{"smtp_tls", "none"}, {"imap_port", plain.imap_port()}});
  EXPECT_EQ(look(with).judgement.outcome, Outcome::pass) << look(with).judgement.reason;
}

TEST(MailDelivery, NeverSendsAPasswordInClear) {
  FakeMailServer server;
  auto with = parameters_for(server);
  with["smtp_tls"] = "none";
  std::vector<JsonProblem> problems;
  delivery().validate(with, "/with", problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].pointer, "/with/smtp_tls");
}

TEST(MailDelivery, RefusesBadParameters) {
  const Json bad{{"smtp_port", 0}, {"user", "a\r\nb"},      {"password", ""}, {"from", "nobody"},
                 {"to", "a@b c"},  {"imap_tls", "perhaps"}, {"tls", "off"},   {"smtp-port", 25}};
  std::vector<JsonProblem> problems;
  delivery().validate(bad, "/with", problems);
  std::set<std::string> pointers;
  for (const auto& problem : problems) pointers.insert(problem.pointer);
  EXPECT_EQ(pointers, (std::set<std::string>{"/with/smtp_port", "/with/user", "/with/password", "/with/from",
                                             "/with/to", "/with/imap_tls", "/with/tls", "/with/smtp-port"}));
}

}  // namespace
}  // namespace patchlab::checks::mail
