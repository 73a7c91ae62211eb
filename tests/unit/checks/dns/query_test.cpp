// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/query.hpp"

#include <gmock/gmock.h>

#include <cerrno>

#include "checks/hex.hpp"
#include "tests/unit/checks/dns/dns_wire.hpp"

namespace patchlab::checks::dns {
namespace {

Json parameters() {
  return Json{{"name", "www.corp.example"},
              {"type", "A"},
              {"transport", "udp"},
              {"expect", {"web.corp.example. A 10.20.0.80", "www.corp.example. CNAME web.corp.example."}},
              {"expect_aa", true}};
}

WireMessage good_reply() {
  WireMessage reply;
  reply.answer = {wire_cname("www.corp.example", "web.corp.example"), wire_a("web.corp.example", {10, 20, 0, 80})};
  return reply;
}

Observation observation_of(const std::string& reply) {
  return Json{
      {"query", to_hex(u16(0x1234) + "rest")}, {"reply", to_hex(reply)}, {"strays", Json::array()}, {"elapsed_ms", 3}};
}
Judgement judged(const WireMessage& reply, const Json& with = parameters()) {
  return query().judge(with, observation_of(reply.bytes()));
}

TEST(DnsQueryJudge, PassesTheExactSetInAnyOrder) {
  const auto judgement = judged(good_reply());
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason << ": " << judgement.observed;
  EXPECT_EQ(judgement.reason, "as-expected");
}

TEST(DnsQueryJudge, FailsOnAnotherAddress) {
  auto reply = good_reply();
  reply.answer[1].data = {10, 20, 0, 81};
  const auto judgement = judged(reply);
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "rrset-differs");
  EXPECT_EQ(judgement.expected, "web.corp.example. IN A 10.20.0.80\nwww.corp.example. IN CNAME web.corp.example.");
  EXPECT_EQ(judgement.observed, "web.corp.example. IN A 10.20.0.81\nwww.corp.example. IN CNAME web.corp.example.");
}

TEST(DnsQueryJudge, FailsOnAMissingAndOnAnAdditionalRecord) {
  auto shorter = good_reply();
  shorter.answer.pop_back();
  EXPECT_EQ(judged(shorter).reason, "rrset-differs");
  auto longer = good_reply();
  longer.answer.push_back(wire_a("web.corp.example", {10, 20, 0, 81}));
  EXPECT_EQ(judged(longer).reason, "rrset-differs");
  auto doubled = good_reply();
  doubled.answer.push_back(doubled.answer.back());
  EXPECT_EQ(judged(doubled).reason, "rrset-differs");
}

TEST(DnsQueryJudge, FailsOnServfailAndNamesIt) {
  auto reply = good_reply();
  reply.answer.clear();
  reply.flags = 0x8582;
  const auto judgement = judged(reply);
  EXPECT_EQ(judgement.reason, "rcode-differs");
  EXPECT_EQ(judgement.observed, "SERVFAIL");
}

TEST(DnsQueryJudge, FailsWhenTheAnswerIsNotAuthoritative) {
  auto reply = good_reply();
  reply.flags = 0x8180;
  EXPECT_EQ(judged(reply).reason, "aa-differs");
}

TEST(DnsQueryJudge, FailsOnTruncation) {
  auto reply = good_reply();
  reply.flags |= 0x0200U;
  EXPECT_EQ(judged(reply).reason, "truncated");
}

TEST(DnsQueryJudge, FailsOnAnotherQuestion) {
  auto reply = good_reply();
  reply.name = "ftp.corp.example";
  const auto judgement = judged(reply);
  EXPECT_EQ(judgement.reason, "question-differs");
  EXPECT_EQ(judgement.observed, "ftp.corp.example. IN A");
}

TEST(DnsQueryJudge, FailsOnAQueryEchoedBack) {
  auto reply = good_reply();
  reply.flags = 0x0100;
  EXPECT_EQ(judged(reply).reason, "not-a-response");
}

TEST(DnsQueryJudge, FailsOnAMalformedReply) {
  const auto bytes = good_reply().bytes();
  const auto judgement = query().judge(parameters(), observation_of(bytes.substr(0, bytes.size() - 2)));
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "malformed-reply");
}

TEST(DnsQueryJudge, FailsOnAWrongId) {
  auto reply = good_reply();
  reply.id = 0x4321;
  EXPECT_EQ(judged(reply).reason, "wrong-id");
}

TEST(DnsQueryJudge, LimitsTheTtlWhenTheScenarioGivesIt) {
  auto with = parameters();
  with["expect"] = {"web.corp.example. 300 IN A 10.20.0.80", "www.corp.example. CNAME web.corp.example."};
  EXPECT_EQ(judged(good_reply(), with).outcome, Outcome::pass);
  auto reply = good_reply();
  reply.answer[1].ttl = 301;
  EXPECT_EQ(judged(reply, with).reason, "ttl-too-large");
}

TEST(DnsQueryJudge, TheTtlOfTheZoneIsExactAndThatOfACacheIsCountedDown) {
  auto with = parameters();
  with["expect"] = {"web.corp.example. 300 IN A 10.20.0.80", "www.corp.example. 300 CNAME web.corp.example."};
  with.erase("expect_aa");
  auto reply = good_reply();
  reply.answer[0].ttl = 60;
  EXPECT_EQ(judged(reply, with).reason, "ttl-differs");
  EXPECT_EQ(judged(reply, with).outcome, Outcome::fail);
  reply.flags &= ~0x0400U;  // from a cache
  EXPECT_EQ(judged(reply, with).outcome, Outcome::pass);
  reply.answer[0].ttl = 301;
  EXPECT_EQ(judged(reply, with).reason, "ttl-too-large");
  auto beyond = good_reply();  // where the alias leads may be of another server
  beyond.answer[1].ttl = 60;
  EXPECT_EQ(judged(beyond, with).outcome, Outcome::pass);
}

TEST(DnsQueryJudge, PassesNxdomainWithSoaOnly) {
  const Json with{{"name", "none.corp.example"}, {"type", "A"}, {"expect_rcode", "NXDOMAIN"}};
  WireMessage reply;
  reply.name = "none.corp.example";
  reply.flags = 0x8583;
  EXPECT_EQ(judged(reply, with).reason, "negative-without-soa");
  reply.authority = {wire_soa("corp.example")};
  EXPECT_EQ(judged(reply, with).outcome, Outcome::pass) << judged(reply, with).reason;
}

TEST(DnsQueryJudge, ThatThereIsNothingIsKeptExactlySoLong) {
  Json with{{"name", "none.corp.example"}, {"type", "A"}, {"expect_rcode", "NXDOMAIN"}, {"expect_negative_ttl", 5}};
  WireMessage reply;
  reply.name = "none.corp.example";
  reply.flags = 0x8583;
  reply.authority = {wire_soa("corp.example")};  // its last field is 5, its TTL 300
  EXPECT_EQ(judged(reply, with).outcome, Outcome::pass) << judged(reply, with).observed;
  reply.authority[0].ttl = 3;
  EXPECT_EQ(judged(reply, with).reason, "negative-ttl-differs") << "the lesser of the two counts";
  const auto learnt = query().expecting(with, observation_of(reply.bytes()));
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("expect_negative_ttl"), 3);
}

TEST(DnsQueryJudge, NamesSilenceAndRefusal) {
  Observation silence{{"query", "1234"},
                      {"strays", Json::array()},
                      {"errno", ETIMEDOUT},
                      {"trouble", "ETIMEDOUT Connection timed out"},
                      {"elapsed_ms", 3000}};
  EXPECT_EQ(query().judge(parameters(), silence).reason, "no-answer");
  EXPECT_EQ(query().judge(parameters(), silence).observed, "ETIMEDOUT Connection timed out after 3000 ms");
  auto refused = silence;
  refused["errno"] = ECONNREFUSED;
  EXPECT_EQ(query().judge(parameters(), refused).reason, "connection-refused");
  auto stray = silence;
  stray["strays"].push_back("4321");
  EXPECT_EQ(query().judge(parameters(), stray).reason, "wrong-id");
  auto closed = silence;
  closed.erase("errno");
  EXPECT_EQ(query().judge(parameters(), closed).reason, "connection-closed");
}

TEST(DnsQueryParameters, AreStrict) {
  std::vector<JsonProblem> problems;
  query().validate(parameters(), "/with", problems);
  EXPECT_TRUE(problems.empty());
  query().validate(Json{{"name", "a..b"},
                        {"type", "HOST"},
                        {"transport", "tls"},
                        {"expect", {"nonsense"}},
                        {"expect_rcode", "OK"},
                        {"port", 0},
                        {"ttl", 1}},
                   "/with", problems);
  std::vector<std::string> pointers;
  for (const auto& problem : problems) pointers.push_back(problem.pointer);
  EXPECT_THAT(pointers, testing::UnorderedElementsAre("/with/name", "/with/type", "/with/transport", "/with/expect/0",
                                                      "/with/expect_rcode", "/with/port", "/with/ttl"));
}

TEST(DnsQueryExpecting, WritesDownAnswerCodeAndAuthority) {
  Json with{{"name", "www.corp.example"}, {"type", "A"}};
  const auto learnt = query().expecting(with, observation_of(good_reply().bytes()));
  ASSERT_TRUE(learnt) << learnt.error().message;
  with["expect"] = {"web.corp.example. 300 A 10.20.0.80", "www.corp.example. 300 CNAME web.corp.example."};
  with["expect_aa"] = true;
  with["expect_rcode"] = "NOERROR";
  auto records = learnt->at("expect").get<std::vector<std::string>>();
  std::ranges::sort(records);
  EXPECT_EQ(Json(records), with["expect"]);
  EXPECT_EQ(judged(good_reply(), *learnt).outcome, Outcome::pass);
}

TEST(DnsQueryExpecting, TakesARefusalAsItIs) {
  WireMessage refused;
  refused.flags = 0x8105;
  const auto learnt = query().expecting(parameters(), observation_of(refused.bytes()));
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("expect_rcode"), "REFUSED");
  EXPECT_FALSE(learnt->contains("expect"));
}

TEST(DnsQueryExpecting, LearnsNothingFromSilenceOrFromAnswersThatAreNone) {
  const Json silent{{"query", "1234"}, {"strays", Json::array()}, {"errno", ETIMEDOUT}, {"trouble", "nothing"}};
  EXPECT_FALSE(query().expecting(parameters(), silent));
  auto other = good_reply();
  other.name = "other.corp.example";
  EXPECT_FALSE(query().expecting(parameters(), observation_of(other.bytes())));
}

}  // namespace
}  // namespace patchlab::checks::dns
