// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/size_limit.hpp"

#include <gmock/gmock.h>

#include "tests/integration/checks/mail/fake_mail_server.hpp"

namespace patchlab::checks::mail {
namespace {
using testing::FakeMailServer;
using testing::MailBehaviour;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

MailBehaviour limited_to(std::int64_t bytes) {
  MailBehaviour behaviour;
  behaviour.capabilities = {fmt::format("SIZE {}", bytes)};
  behaviour.takes_up_to = bytes;
  return behaviour;
}

Json parameters_for(const FakeMailServer& server, std::int64_t limit) {
  return {{"smtp_port", server.smtp_port()},
          {"limit", limit},
          {"from", "probe@outside.invalid"},
          {"to", "alice@corp.example"}};
}

Judgement judged(MailBehaviour behaviour, const Json& more = Json::object(), std::int64_t limit = 20000) {
  FakeMailServer server(std::move(behaviour));
  auto with = parameters_for(server, limit);
  with.update(more);
  const auto seen = size_limit().observe(loopback, with, std::chrono::seconds(10));
  return seen ? size_limit().judge(with, *seen) : Judgement{Outcome::error, seen.error().message, {}, {}};
}

TEST(MailSizeLimit, IsAnnouncedAndKeptBothWays) {
  EXPECT_EQ(judged(limited_to(20000)).outcome, Outcome::pass) << judged(limited_to(20000)).observed;
  EXPECT_EQ(judged(limited_to(20000), {{"send", true}}).outcome, Outcome::pass);
  EXPECT_EQ(judged(limited_to(20000), {{"user", "alice"}, {"password", "s3cret \"quoted\\"}}).outcome, Outcome::pass);
  EXPECT_EQ(judged(limited_to(10000)).reason, "limit-differs");
}

TEST(MailSizeLimit, FindsALimitThatIsOnlyAnnounced) {
  auto generous = limited_to(20000);
  generous.takes_up_to = 1'000'000;
  EXPECT_EQ(judged(generous).reason, "too-large-accepted");
  auto mean = limited_to(20000);
  mean.takes_up_to = 15000;
  EXPECT_EQ(judged(mean).reason, "smtp-under-refused");
  auto silent = limited_to(20000);
  silent.capabilities = {"8BITMIME"};
  EXPECT_EQ(judged(silent).reason, "no-limit-announced");
}

TEST(MailSizeLimit, FindsAServerThatTakesWhatWasNotDeclared) {
  auto trusting = limited_to(20000);
  trusting.refuses_large_messages = false;
  EXPECT_EQ(judged(trusting).outcome, Outcome::pass) << "nothing is sent unless that is asked for";
  EXPECT_EQ(judged(trusting, {{"send", true}}).reason, "too-large-accepted");
}

TEST(MailSizeLimit, IsLearntFromWhatIsAnnounced) {
  FakeMailServer server(limited_to(20000));
  const auto draft = parameters_for(server, 1);
  const auto seen = size_limit().observe(loopback, draft, std::chrono::seconds(10));
  ASSERT_TRUE(seen);
  const auto learnt = size_limit().expecting(draft, *seen);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("limit"), 20000);
  FakeMailServer unlimited(limited_to(0));
  const auto none = size_limit().observe(loopback, parameters_for(unlimited, 1), std::chrono::seconds(10));
  ASSERT_TRUE(none);
  EXPECT_FALSE(size_limit().expecting(draft, *none));
}

}  // namespace
}  // namespace patchlab::checks::mail
