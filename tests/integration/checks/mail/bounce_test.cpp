// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/bounce.hpp"

#include <gmock/gmock.h>
#include <linux/capability.h>

#include <array>

#include "checks/mail/refusing_server.hpp"
#include "checks/mail/smtp_client.hpp"
#include "tests/integration/checks/mail/fake_mail_server.hpp"

namespace patchlab::checks::mail {
namespace {
using ::testing::ElementsAre;
using testing::FakeMailServer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MailBehaviour;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

// As Postfix returns a message, without its Received lines.
std::string report_of(const std::string& text, const std::string& recipient) {
  const auto id = text.find("Message-ID: ");
  const auto message_id = text.substr(id, text.find("\r\n", id) - id);
  return "Return-Path: <>\r\n"
         "Date: Sun, 29 Nov 2026 18:00:00 +0000 (UTC)\r\n"
         "From: MAILER-DAEMON@mail1.corp.example (Mail Delivery System)\r\n"
         "Subject: Undelivered Mail Returned to Sender\r\n"
         "To: alice@corp.example\r\n"
         "Auto-Submitted: auto-replied\r\n"
         "MIME-Version: 1.0\r\n"
         "Content-Type: multipart/report; report-type=delivery-status;\r\n"
         "\tboundary=\"41C3F20A43.1764439200/mail1.corp.example\"\r\n"
         "Content-Transfer-Encoding: 8bit\r\n"
         "Message-Id: <20261129180000.5B4E920A45@mail1.corp.example>\r\n"
         "\r\n"
         "This is a MIME-encapsulated message.\r\n"
         "\r\n"
         "--41C3F20A43.1764439200/mail1.corp.example\r\n"
         "Content-Description: Notification\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "\r\n"
         "This is the mail system at host mail1.corp.example.\r\n"
         "\r\n"
         "--41C3F20A43.1764439200/mail1.corp.example\r\n"
         "Content-Description: Delivery report\r\n"
         "Content-Type: message/delivery-status\r\n"
         "\r\n"
         "Reporting-MTA: dns; mail1.corp.example\r\n"
         "X-Postfix-Sender: rfc822; alice@corp.example\r\n"
         "\r\n"
         "Final-Recipient: rfc822; " +
         recipient +
         "\r\n"
         "Original-Recipient: rfc822;" +
         recipient +
         "\r\n"
         "Action: failed\r\n"
         "Status: 5.1.1\r\n"
         "Diagnostic-Code: smtp; 550 5.1.1 nobody of this name is here\r\n"
         "\r\n"
         "--41C3F20A43.1764439200/mail1.corp.example\r\n"
         "Content-Description: Undelivered Message\r\n"
         "Content-Type: message/rfc822\r\n"
         "\r\n"
         "Received: from [10.20.0.250]\r\n" +
         message_id +
         "\r\n"
         "Subject: patchlab probe\r\n"
         "\r\n"
         "probe\r\n"
         "\r\n"
         "--41C3F20A43.1764439200/mail1.corp.example--\r\n";
}

// Nobody listens there, until the check does.
std::uint16_t free_port() {
  const auto any = RefusingServer::listen("127.0.0.1", 0, Deadline(Milliseconds(0)));
  return any ? (*any)->port() : std::uint16_t{0};
}

struct Seen {
  Json observation;
  Judgement judgement;
};

Seen look(MailBehaviour behaviour, Json more = Json::object(), Milliseconds limit = std::chrono::seconds(10)) {
  const auto port = free_port();
  behaviour.hands_on_to = more.value("refused_by", "client") == "client" && behaviour.hands_on_to == 0 ? port : 0;
  FakeMailServer server(std::move(behaviour));
  Json with{{"smtp_port", server.smtp_port()},
            {"imap_port", server.imap_port()},
            {"user", "alice"},
            {"password", "s3cret \"quoted\\"},
            {"from", "alice@corp.example"}};
  if (!more.contains("refused_by")) with["listen_port"] = port;
  with.update(more);
  auto observation = bounce().observe(loopback, with, limit);
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  EXPECT_EQ(observation->dump().find("s3cret"), std::string::npos) << "the password would go on record";
  EXPECT_EQ(server.mailbox_size(), 0U);
  return {*observation, bounce().judge(with, *observation)};
}

MailBehaviour returning() {
  MailBehaviour behaviour;
  behaviour.bounce = report_of;
  return behaviour;
}

TEST(MailBounce, ComesBackFromWhereNobodyOfThatNameIs) {
  const auto seen = look(returning());
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << ": " << seen.judgement.observed;
  EXPECT_EQ(seen.judgement.reason, "returned");
  const auto to = seen.observation.at("sent").at("to").get<std::string>();
  EXPECT_THAT(to, HasSubstr("@[127.0.0.1]"));
  auto elsewhere = seen.observation.at("elsewhere");
  EXPECT_EQ(elsewhere.erase("listened_ms"), 1U);
  EXPECT_EQ(elsewhere,
            Json({{"connections", 1}, {"refused", {{{"from", "<alice@corp.example>"}, {"to", "<" + to + ">"}}}}}));
}

TEST(MailBounce, MayBeMadeByAServerThatFindsOutItself) {
  const Json with{{"refused_by", "server"}, {"to", "nobody@corp.example"}};
  const auto seen = look(returning(), with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << ": " << seen.judgement.observed;
  EXPECT_FALSE(seen.observation.contains("elsewhere"));
  MailBehaviour silent;
  silent.copies = 0;
  EXPECT_EQ(look(silent, with, std::chrono::seconds(2)).judgement.reason, "no-bounce");
}

TEST(MailBounce, SaysWhereItWasLost) {
  MailBehaviour behaviour;
  behaviour.copies = 0;
  const auto unheard = look(behaviour, Json::object(), std::chrono::seconds(2)).judgement;
  EXPECT_EQ(unheard.outcome, Outcome::fail);
  EXPECT_EQ(unheard.reason, "no-bounce");
  EXPECT_THAT(unheard.observed, HasSubstr("refused where it was for"));
  behaviour.hands_on_to = 1;  // elsewhere
  const auto kept = look(behaviour, Json::object(), std::chrono::seconds(2)).judgement;
  EXPECT_EQ(kept.reason, "not-handed-on");
  EXPECT_THAT(kept.observed, HasSubstr("0 connections"));
}

TEST(MailBounce, LetsAnotherMachineOfTheDepartmentHaveThePort) {
  const auto port = free_port();
  std::array<Judgement, 2> judgements;
  {
    std::vector<std::jthread> both;
    for (std::size_t i = 0; i < judgements.size(); ++i) {
      both.emplace_back([&, i] {
        MailBehaviour silent;
        silent.copies = 0;
        silent.hands_on_to = i == 0 ? port : std::uint16_t{1};
        const FakeMailServer server(silent);
        const Json with{{"smtp_port", server.smtp_port()}, {"imap_port", server.imap_port()}, {"user", "alice"},
                        {"password", "s3cret \"quoted\\"}, {"from", "alice@corp.example"},    {"listen_port", port}};
        const auto seen = bounce().observe(loopback, with, std::chrono::seconds(3));
        judgements.at(i) =
            seen ? bounce().judge(with, *seen) : Judgement{Outcome::error, "observer-error", "", seen.error().message};
      });
    }
  }
  EXPECT_EQ(judgements[0].reason, "no-bounce") << judgements[0].observed;
  EXPECT_EQ(judgements[1].reason, "not-handed-on") << judgements[1].observed;
}

TEST(MailBounce, ComesOnce) {
  auto twice = returning();
  twice.copies = 2;
  EXPECT_EQ(look(twice).judgement.reason, "bounced-more-than-once");
}

TEST(MailBounce, FailsWhereAStageDoes) {
  auto refusing = returning();
  refusing.rcpt_answer = "550 5.7.1 relaying denied";
  EXPECT_EQ(look(refusing).judgement.reason, "smtp-rcpt-refused");
  auto unsure = returning();
  unsure.answer_after_expunge = "NO [SERVERBUG] index";
  EXPECT_EQ(look(unsure).judgement.reason, "imap-search-refused");
  auto locked = returning();
  locked.imap_fetch_answer = "NO read error";
  FakeMailServer server(locked);
  const Json with{{"smtp_port", server.smtp_port()}, {"imap_port", server.imap_port()}, {"user", "alice"},
                  {"password", "s3cret \"quoted\\"}, {"from", "alice@corp.example"},    {"listen_port", free_port()}};
  const auto seen = bounce().observe(loopback, with, std::chrono::seconds(5));
  ASSERT_TRUE(seen);
  EXPECT_EQ(bounce().judge(with, *seen).reason, "imap-fetch-refused");
}

TEST(MailBounce, RefusesBadParameters) {
  const auto pointers = [](const Json& with) {
    std::vector<JsonProblem> problems;
    bounce().validate(with, "/with", problems);
    std::set<std::string> found;
    for (const auto& problem : problems) found.insert(problem.pointer);
    return found;
  };
  const Json good{{"user", "a"}, {"password", "b"}, {"from", "a@x"}};
  EXPECT_THAT(pointers(good), IsEmpty());
  auto bad = good;
  bad.update({{"refused_by", "nobody"}, {"from", "a"}, {"listen_port", 0}, {"bytes", 1}});
  EXPECT_THAT(pointers(bad), ElementsAre("/with/bytes", "/with/from", "/with/listen_port", "/with/refused_by"));
  auto listening = good;
  listening.update({{"refused_by", "server"}, {"listen_port", 25}});
  EXPECT_THAT(pointers(listening), ElementsAre("/with", "/with/listen_port")) << "nobody listens, and for whom?";
}

TEST(MailBounce, HasACapabilityForALowPortOnly) {
  EXPECT_THAT(bounce().capabilities(Json::object()), ElementsAre(CAP_NET_BIND_SERVICE));
  EXPECT_THAT(bounce().capabilities({{"listen_port", 2525}}), IsEmpty());
  EXPECT_THAT(bounce().capabilities({{"refused_by", "server"}}), IsEmpty());
}

TEST(RefusingServer, WaitsUntilAnotherOneIsDone) {
  auto first = RefusingServer::listen("127.0.0.1", 0, Deadline(Milliseconds(0)));
  ASSERT_TRUE(first);
  const auto port = (*first)->port();
  EXPECT_FALSE(RefusingServer::listen("127.0.0.1", port, Deadline(Milliseconds(100))));
  const std::jthread ends([&] {
    std::this_thread::sleep_for(Milliseconds(100));
    first->reset();
  });
  EXPECT_TRUE(RefusingServer::listen("127.0.0.1", port, Deadline(std::chrono::seconds(10))));
}

TEST(RefusingServer, GivesThePortBackWhenItsWorkIsDone) {
  const auto quiet = Milliseconds(200);
  const auto first =
      RefusingServer::listen("127.0.0.1", 0, Deadline(Milliseconds(0)), RefusingServer::Work{"us@x", quiet});
  ASSERT_TRUE(first);
  const auto port = (*first)->port();
  const auto second = RefusingServer::listen("127.0.0.1", port, Deadline(std::chrono::seconds(10)),
                                             RefusingServer::Work{"us@x", std::chrono::minutes(1)});
  ASSERT_TRUE(second) << "nobody came to the first";
  EXPECT_GE((*first)->listened(), quiet);
  StageLog log;
  SmtpClient smtp(Deadline(std::chrono::seconds(10)), log);
  ASSERT_TRUE(smtp.connect("127.0.0.1", port));
  EXPECT_FALSE(smtp.command("rcpt", "RCPT TO:<them@x>", '2'));
  EXPECT_FALSE(RefusingServer::listen("127.0.0.1", port, Deadline(Milliseconds(0)))) << "not ours yet";
  EXPECT_FALSE(smtp.command("rcpt", "RCPT TO:<Us@x> ORCPT=x", '2'));
  EXPECT_TRUE(RefusingServer::listen("127.0.0.1", port, Deadline(std::chrono::seconds(10))));
  EXPECT_TRUE(smtp.command("noop", "NOOP", '2')) << "who is there already may end what he began";
  EXPECT_EQ((*second)->refusals().size(), 2U);
}

TEST(RefusingServer, TakesNoMessageAndKeepsLittleOfWhoSendsMuch) {
  const auto server = RefusingServer::listen("127.0.0.1", 0, Deadline(Milliseconds(0)));
  ASSERT_TRUE(server);
  StageLog log;
  SmtpClient smtp(Deadline(std::chrono::seconds(10)), log);
  ASSERT_TRUE(smtp.connect("127.0.0.1", (*server)->port()));
  EXPECT_FALSE(smtp.command("data", "DATA", '3'));
  for (std::size_t i = 0; i < RefusingServer::most_refusals_kept + 10; ++i)
    EXPECT_FALSE(smtp.command("rcpt", "RCPT TO:<a@b>", '2'));
  EXPECT_EQ((*server)->refusals().size(), RefusingServer::most_refusals_kept);
  EXPECT_FALSE(smtp.command("long", std::string(100'000, 'x'), '2'));
  EXPECT_EQ(log.entries().back().value("trouble", ""), "failed") << log.entries().back();
}

}  // namespace
}  // namespace patchlab::checks::mail
