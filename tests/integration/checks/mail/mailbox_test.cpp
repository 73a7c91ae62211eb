// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/mailbox.hpp"

#include <gmock/gmock.h>

#include "tests/integration/checks/mail/fake_mail_server.hpp"

namespace patchlab::checks::mail {
namespace {
using ::testing::ElementsAre;
using testing::FakeMailServer;
using ::testing::HasSubstr;
using testing::MailBehaviour;

struct Seen {
  Json observation;
  Judgement judgement;
};

Json parameters_for(const FakeMailServer& server) {
  return {{"imap_port", server.imap_port()}, {"user", "alice"}, {"password", "s3cret \"quoted\\"}};
}

Seen look(const FakeMailServer& server, const Json& memory = {}, const Json& more = Json::object(),
          Milliseconds limit = std::chrono::seconds(10)) {
  auto with = parameters_for(server);
  with.update(more);
  Target target{"127.0.0.1", "127.0.0.1", "lo"};
  target.memory = memory;
  auto observation = mailbox().observe(target, with, limit);
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  EXPECT_EQ(observation->dump().find("s3cret"), std::string::npos) << "the password would go on record";
  return {*observation, mailbox().judge(with, *observation)};
}

std::string reason_of(MailBehaviour behaviour, const Json& more = Json::object()) {
  const FakeMailServer server(std::move(behaviour));
  return look(server, {}, more).judgement.reason;
}

TEST(MailMailbox, KeepsWhatAClientLeft) {
  FakeMailServer server;
  const auto first = look(server);
  EXPECT_EQ(first.judgement.outcome, Outcome::pass) << first.judgement.reason << ": " << first.judgement.observed;
  EXPECT_THAT(first.judgement.observed, HasSubstr("to be looked for after a restart"));
  EXPECT_EQ(server.mailbox_size(), 1U);
  const auto second = look(server, first.observation.at("memory"));
  EXPECT_EQ(second.judgement.outcome, Outcome::pass) << second.judgement.reason << ": " << second.judgement.observed;
  EXPECT_THAT(second.judgement.observed, HasSubstr("and so is what an earlier phase left"));
  EXPECT_EQ(server.mailbox_size(), 2U) << "a try whose answer is lost is followed by one that looks for the first";
  const auto third = look(server, second.observation.at("memory"));
  EXPECT_EQ(third.judgement.outcome, Outcome::pass) << third.judgement.reason << ": " << third.judgement.observed;
  EXPECT_EQ(server.mailbox_size(), 2U) << "one goes, one comes";
}

TEST(MailMailbox, BlamesNoRestartForWhatItDeletedItself) {
  for (const bool is_heard : {true, false}) {  // what the try remembers that lost its connection
    MailBehaviour behaviour;
    behaviour.losses_at_expunge = 1;
    const FakeMailServer server(behaviour);
    Json memory;
    std::vector<std::string> reasons;
    for (int i = 0; i < 5; ++i) {
      const auto seen = look(server, memory);
      reasons.push_back(seen.judgement.reason);
      if (seen.judgement.outcome == Outcome::pass || is_heard) memory = seen.observation.value("memory", memory);
    }
    EXPECT_THAT(reasons, ElementsAre("kept", "kept", "imap-expunge-failed", "kept", "kept"));
  }
}

TEST(MailMailbox, LooksAgainForWhatARestartTook) {
  FakeMailServer server;
  auto memory = look(server).observation.at("memory");
  server.number_anew();
  for (int i = 0; i < 3; ++i) {
    const auto seen = look(server, memory);
    EXPECT_EQ(seen.judgement.reason, "uids-are-new") << "asked once more, it is as new as before";
    memory = seen.observation.at("memory");
  }
  EXPECT_EQ(server.mailbox_size(), 1U) << "what will not be asked for is gone";
}

TEST(MailMailbox, TakesNoFlagsOfAnotherMessage) {
  MailBehaviour behaviour;
  for (const char* line : {R"(* 9 FETCH (UID 10 FLAGS (\Deleted)))", R"(* 9 FETCH (FLAGS (\Deleted)))",
                           R"(* 9 FETCH (FLAGS (\Deleted) UID 21))"}) {
    behaviour.tells_meanwhile = line;
    EXPECT_EQ(reason_of(behaviour), "kept") << line;
  }
  behaviour.tells_meanwhile = R"(* 1 FETCH (FLAGS (\Deleted) UID 1))";
  EXPECT_EQ(reason_of(behaviour), "flags-differ") << "that is the message itself";
}

TEST(MailMailbox, FindsWhatARestartTook) {
  FakeMailServer server;
  auto memory = look(server).observation.at("memory");
  server.number_anew();
  auto seen = look(server, memory);
  EXPECT_EQ(seen.judgement.reason, "uids-are-new");
  EXPECT_THAT(seen.judgement.observed, HasSubstr("UIDVALIDITY 1001"));
  memory = seen.observation.at("memory");
  server.change_all([](std::string text) { return text + "!"; });
  seen = look(server, memory);
  EXPECT_EQ(seen.judgement.reason, "over-restart-message-altered");
  server.change_all([](const std::string&) { return std::string("gone"); });
  EXPECT_EQ(look(server, seen.observation.at("memory")).judgement.reason, "over-restart-not-kept");
}

TEST(MailMailbox, FindsWhatASessionTook) {
  MailBehaviour behaviour;
  behaviour.flags_kept = {"\\Seen", "\\Flagged", "\\Answered"};
  behaviour.copies = 0;
  EXPECT_EQ(reason_of(behaviour), "not-kept");
  behaviour.copies = 2;
  EXPECT_EQ(reason_of(behaviour), "found-more-than-once");
  behaviour = {};
  behaviour.flags_kept = {"\\Seen", "\\Flagged"};
  EXPECT_EQ(reason_of(behaviour), "flags-differ");
  behaviour.flags_kept = {"\\Seen", "\\Answered"};
  EXPECT_EQ(reason_of(behaviour), "not-found-by-flags");
  behaviour = {};
  behaviour.on_delivery = [](std::string text) {
    text[text.find("xxxx")] = 'y';
    return text;
  };
  EXPECT_EQ(reason_of(behaviour), "message-altered");
  behaviour = {};
  behaviour.finds_in_texts = false;
  EXPECT_EQ(reason_of(behaviour), "not-found-by-subject");
  EXPECT_EQ(reason_of(behaviour, {{"found_by", {"message-id", "flags"}}}), "kept");
}

TEST(MailMailbox, FailsWhereAStageDoes) {
  MailBehaviour behaviour;
  behaviour.imap_append_answer = "NO [OVERQUOTA] full";
  EXPECT_EQ(reason_of(behaviour), "imap-append-refused");
  behaviour = {};
  behaviour.imap_search_answer = "NO [BADCHARSET] what?";
  EXPECT_EQ(reason_of(behaviour), "imap-search-refused");
  behaviour = {};
  behaviour.imap_fetch_answer = "NO read error";
  EXPECT_EQ(reason_of(behaviour), "imap-flags-refused");
  behaviour = {};
  behaviour.password = "another";
  EXPECT_EQ(reason_of(behaviour), "imap-login-refused");
  behaviour = {};
  behaviour.expunges = false;
  FakeMailServer server(behaviour);
  const auto second = look(server, look(server).observation.at("memory")).observation;
  EXPECT_EQ(look(server, second.at("memory")).judgement.reason, "not-deleted");
  behaviour = {};
  behaviour.answer_after_expunge = "NO [SERVERBUG] index";
  FakeMailServer unsure(behaviour);
  const auto before = look(unsure, look(unsure).observation.at("memory")).observation;
  EXPECT_EQ(look(unsure, before.at("memory")).judgement.reason, "imap-search-refused");
}

TEST(MailMailbox, RefusesBadParameters) {
  std::vector<JsonProblem> problems;
  mailbox().validate({{"user", "a\r\nb"}, {"password", "b"}, {"found_by", {"smell"}}, {"smtp_port", 25}}, "/with",
                     problems);
  std::set<std::string> found;
  for (const auto& problem : problems) found.insert(problem.pointer);
  EXPECT_THAT(found, ElementsAre("/with/found_by/0", "/with/smtp_port", "/with/user"));
}

}  // namespace
}  // namespace patchlab::checks::mail
