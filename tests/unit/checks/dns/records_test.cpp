// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/records.hpp"

#include <gmock/gmock.h>

#include <cerrno>

#include "checks/hex.hpp"
#include "checks/socket.hpp"
#include "tests/unit/checks/dns/dns_wire.hpp"

namespace patchlab::checks::dns {
namespace {

Json parameters() {
  return Json{{"records",
               {"www.corp.example. 300 CNAME web.corp.example.", "web.corp.example. A 10.20.0.80",
                "web.corp.example. A 10.20.0.81"}},
              {"expect_aa", true}};
}

Json looked_up(const std::string& name, unsigned type, const std::vector<WireRecord>& answer) {
  WireMessage reply;
  reply.name = name;
  reply.type = type;
  reply.answer = answer;
  return {{"query", to_hex(u16(0x1234) + "rest")}, {"reply", to_hex(reply.bytes())}, {"strays", Json::array()}};
}
Json web(char last = 81) {
  return looked_up("web.corp.example", 1,
                   {wire_a("web.corp.example", {10, 20, 0, last}), wire_a("web.corp.example", {10, 20, 0, 80})});
}
Json www() { return looked_up("www.corp.example", 5, {wire_cname("www.corp.example", "web.corp.example")}); }

Judgement judged(const Json& lookups, const Json& with = parameters()) {
  return records().judge(with, Json{{"lookups", lookups}});
}

TEST(DnsRecordsJudge, PassesWhenEverySetIsAsListed) {
  const auto judgement = judged({web(), www()});
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason << ": " << judgement.observed;
}

TEST(DnsRecordsJudge, NamesEachSetThatDiffers) {
  const auto judgement = judged({web(99), www()});
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "rrset-differs");
  EXPECT_THAT(judgement.expected, testing::StartsWith("web.corp.example. A over udp: "));
  EXPECT_THAT(judgement.observed, testing::EndsWith("1 of 2 lookups answered wrongly: web.corp.example. A over udp"));
}

TEST(DnsRecordsJudge, LooksAtEachAnswer) {
  const auto judgement = judged({web(), looked_up("www.corp.example", 5, {})});
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_THAT(judgement.observed,
              testing::EndsWith("1 of 2 lookups answered wrongly: www.corp.example. CNAME over udp"));
}

TEST(DnsRecordsJudge, WantsAuthorityWhenItIsAskedFor) {
  WireMessage reply;
  reply.flags = 0x8180;  // not AA
  reply.answer = {wire_a("www.corp.example", {10, 20, 0, 80})};
  const Json seen = Json::array({{{"query", to_hex(u16(0x1234) + "rest")}, {"reply", to_hex(reply.bytes())}}});
  Json with{{"records", {"www.corp.example. A 10.20.0.80"}}};
  EXPECT_EQ(judged(seen, with).outcome, Outcome::pass);
  with["expect_aa"] = true;
  EXPECT_EQ(judged(seen, with).outcome, Outcome::fail);
}

TEST(DnsRecordsJudge, ARecordMoreOrLessIsADifference) {
  auto less = parameters();
  less["records"].erase(2);
  EXPECT_EQ(judged({web(), www()}, less).reason, "rrset-differs");
  auto more = parameters();
  more["records"].push_back("web.corp.example. A 10.20.0.82");
  EXPECT_EQ(judged({web(), www()}, more).reason, "rrset-differs");
}

TEST(DnsRecordsJudge, SilenceEndsTheList) {
  const Json silent{{"query", "1234"}, {"strays", Json::array()}, {"errno", ETIMEDOUT}, {"trouble", "nothing"}};
  EXPECT_EQ(judged(Json::array({silent})).reason, "no-answer");
  EXPECT_EQ(judged(Json::array({web()})).outcome, Outcome::error);  // a list that just ends is none
}

TEST(DnsRecords, AsksOverEachTransport) {
  auto with = parameters();
  with["transports"] = {"udp", "tcp"};
  EXPECT_EQ(judged({web(), www()}, with).outcome, Outcome::error);
  EXPECT_EQ(judged({web(), www(), web(), www()}, with).outcome, Outcome::pass);
}

TEST(DnsRecordsExpecting, WritesDownWhatTheServerAnswers) {
  const auto learnt = records().expecting(parameters(), Json{{"lookups", {web(99), www()}}});
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("records"), Json({"web.corp.example. 300 A 10.20.0.80", "web.corp.example. 300 A 10.20.0.99",
                                         "www.corp.example. 300 CNAME web.corp.example."}));
  EXPECT_EQ(learnt->at("expect_aa"), true);
  EXPECT_EQ(judged({web(99), www()}, *learnt).outcome, Outcome::pass);
  EXPECT_EQ(judged({web(), www()}, *learnt).outcome, Outcome::fail);
}

TEST(DnsRecordsExpecting, LeavesOutWhatIsNotAnswered) {
  WireMessage empty;
  empty.name = "www.corp.example";
  empty.type = 5;
  empty.authority = {wire_soa("corp.example")};
  const Json referred{
      {"query", to_hex(u16(0x1234) + "rest")}, {"reply", to_hex(empty.bytes())}, {"strays", Json::array()}};
  const auto learnt = records().expecting(parameters(), Json{{"lookups", {web(), referred}}});
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("records").size(), 2U);
  EXPECT_FALSE(records().expecting(parameters(), Json{{"lookups", {web()}}}));
}

TEST(DnsRecordsExpecting, TransportsMustAgree) {
  auto with = parameters();
  with["transports"] = {"udp", "tcp"};
  EXPECT_TRUE(records().expecting(with, Json{{"lookups", {web(), www(), web(), www()}}}));
  EXPECT_FALSE(records().expecting(with, Json{{"lookups", {web(), www(), web(99), www()}}}));
}

TEST(DnsRecords, ReportsEveryWrongParameter) {
  std::vector<JsonProblem> problems;
  records().validate(Json{{"records", {"www.corp.example. A 10.20.0.80", "nonsense"}}, {"transports", {"quic"}}},
                     "/with", problems);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].pointer, "/with/records/1");
  EXPECT_EQ(problems[1].pointer, "/with/transports/0");
  problems.clear();
  records().validate(Json::object(), "/with", problems);
  EXPECT_EQ(problems.size(), 1U);
}

}  // namespace
}  // namespace patchlab::checks::dns
