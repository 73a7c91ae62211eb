// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Many handshakes, and what a port agrees to, against OpenSSL's own server end with the faults that updates brought.
#include "checks/port/handshakes.hpp"

#include <gmock/gmock.h>

#include "checks/port/scan.hpp"
#include "tests/integration/checks/port/tls_server.hpp"

namespace patchlab::checks::port {
namespace {

using test::Server;
using test::TlsServer;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

Server up_to_1_2() {
  Server server;
  server.most = TLS1_2_VERSION;
  return server;
}

struct Seen {
  Json observation;
  Judgement judgement;
};

Seen look(const Check& check, Server server, Json with) {
  const TlsServer running(std::move(server));
  with["port"] = running.port();
  const auto seen = check.observe(loopback, with, std::chrono::seconds(20));
  if (!seen) {
    ADD_FAILURE() << seen.error().message;
    return {};
  }
  return {*seen, check.judge(with, *seen)};
}
Seen shaken(Server server, const Json& with) { return look(tls_handshakes(), std::move(server), with); }
Seen scanned(Server server, const Json& with) { return look(tls_scan(), std::move(server), with); }

TEST(TlsHandshakes, PassWhenEveryClientGetsInTwiceAndInPieces) {
  const auto seen = shaken(up_to_1_2(), {{"rounds", 6}});
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.observation.dump(1);
  EXPECT_EQ(seen.observation.at("full"), 6);
  EXPECT_EQ(seen.observation.at("resumed"), 6);
  EXPECT_EQ(seen.observation.at("pieces"), 7);
  EXPECT_EQ(shaken({}, {{"rounds", 2}}).judgement.outcome, Outcome::pass) << "one that speaks 1.3 besides";
}

TEST(TlsHandshakes, FindThatOneInManyIsLeftOut) {
  auto server = up_to_1_2();
  server.leaves_out = 15;
  const auto seen = shaken(server, {{"rounds", 20}});
  EXPECT_EQ(seen.judgement.reason, "handshake-failed");
  EXPECT_THAT(seen.judgement.observed, HasSubstr("client 8"));
  EXPECT_EQ(shaken(server, {{"rounds", 3}, {"pieces", false}}).judgement.outcome, Outcome::pass)
      << "who asks too few times does not see it";
  server.leaves_out = 14;
  EXPECT_EQ(shaken(server, {{"rounds", 20}}).judgement.reason, "resumption-failed");
}

TEST(TlsHandshakes, FindThatOlderClientsAreLeftOut) {
  auto server = up_to_1_2();
  server.needs_extension = true;
  const auto seen = shaken(server, {{"rounds", 4}});
  EXPECT_EQ(seen.judgement.reason, "handshake-failed");
  EXPECT_THAT(seen.judgement.observed, HasSubstr("client 2, without the extended master secret"));
}

TEST(TlsHandshakes, FindThatWhatArrivesInPiecesIsRefused) {
  auto server = up_to_1_2();
  server.needs_whole_records = true;
  const auto seen = shaken(server, {{"rounds", 2}});
  EXPECT_EQ(seen.judgement.reason, "pieces-refused") << seen.observation.dump(1);
  EXPECT_EQ(seen.observation.at("full"), 2);
  EXPECT_EQ(shaken(server, {{"rounds", 2}, {"pieces", false}}).judgement.outcome, Outcome::pass);
}

// As a server does since MS12-006, for clients that cannot put records together again.
TEST(TlsHandshakes, FindThatTheFirstByteOfAnAnswerComesInARecordOfItsOwn) {
  const Json with{{"rounds", 3}, {"pieces", false}, {"request", "GET / HTTP/1.0\r\n\r\n"}, {"first_record", "whole"}};
  auto server = up_to_1_2();
  server.answer = "HTTP/1.0 200 OK\r\n\r\nhello\n";
  const auto good = shaken(server, with);
  EXPECT_EQ(good.judgement.outcome, Outcome::pass) << good.judgement.reason << good.observation.dump(1);
  EXPECT_EQ(good.observation.at("answered"), 3);
  server.splits = true;
  const auto seen = shaken(server, with);
  EXPECT_EQ(seen.judgement.reason, "first-byte-apart") << seen.observation.dump(1);
  EXPECT_EQ(seen.judgement.observed, "3 of 3 answers begin with a record of one byte");
  const auto learnt = tls_handshakes().expecting(with, seen.observation);
  ASSERT_TRUE(learnt);
  EXPECT_EQ(learnt->at("first_record"), "split");
  EXPECT_EQ(shaken(server, *learnt).judgement.outcome, Outcome::pass);
  server.splits = false;
  EXPECT_EQ(shaken(server, *learnt).judgement.reason, "first-byte-not-apart");
  server.answer = "H";
  EXPECT_EQ(shaken(server, with).judgement.outcome, Outcome::pass) << "one byte is all that there is";
  server.answer.clear();
  EXPECT_EQ(shaken(server, with).judgement.reason, "not-answered");
}

TEST(TlsHandshakes, FindThatNobodyIsKnownAgain) {
  auto server = up_to_1_2();
  server.resumes = false;
  const auto seen = shaken(server, {{"rounds", 3}});
  EXPECT_EQ(seen.judgement.reason, "not-resumed");
  EXPECT_EQ(seen.observation.at("not_resumed"), 3);
  const auto learnt = tls_handshakes().expecting({{"port", 1}, {"rounds", 3}}, seen.observation);
  ASSERT_TRUE(learnt);
  EXPECT_EQ(learnt->at("resumes"), false);
}

TEST(TlsHandshakes, OfferTheSuitesThatTheyAreGiven) {
  auto server = up_to_1_2();
  server.rsa = true;
  server.suites = "ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-SHA256";
  const Json with{{"rounds", 4}, {"suites", {"ECDHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES256-SHA256"}}};
  EXPECT_EQ(shaken(server, with).judgement.outcome, Outcome::pass);
  server.suites = "ECDHE-RSA-AES256-GCM-SHA384";
  const auto seen = shaken(server, with);
  EXPECT_EQ(seen.judgement.reason, "handshake-failed");
  EXPECT_THAT(seen.judgement.observed, HasSubstr("DHE-RSA-AES256-SHA256"));
}

TEST(TlsHandshakes, ComeInTheWordsOfTheProtocol) {
  auto server = up_to_1_2();
  server.says = {"220 hello", "250-mail1\r\n250 STARTTLS", "220 go"};
  EXPECT_EQ(shaken(server, {{"rounds", 2}, {"starttls", "smtp"}}).judgement.outcome, Outcome::pass);
  server.says = {"220 hello", "250 PIPELINING"};
  EXPECT_EQ(shaken(server, {{"rounds", 2}, {"starttls", "smtp"}}).judgement.reason, "starttls-not-offered");
}

TEST(TlsHandshakes, ASuiteThatNobodyKnowsIsTheScenariosTrouble) {
  const auto seen =
      tls_handshakes().observe(loopback, {{"port", 1}, {"suites", {"NO-SUCH-SUITE"}}}, std::chrono::seconds(5));
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().error_class, ErrorClass::configuration);
}

Server two_suites() {
  Server server;
  server.rsa = true;
  server.suites = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256";
  server.groups = "P-256:P-384";
  return server;
}
Json as_two_suites() {
  return {{"suites",
           {{"1.2", {"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"}},
            {"1.3", {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}}}},
          {"groups", {"P-256", "P-384"}}};
}

TEST(TlsScan, IsExactlyWhatIsAgreedTo) {
  const auto seen = scanned(two_suites(), as_two_suites());
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.observed << seen.observation.dump(1);
  EXPECT_TRUE(seen.observation.at("dh_bits").is_null());
}

// As an update did that brought four suites, with which peers then failed.
TEST(TlsScan, FindsASuiteThatCameAndOneThatWent) {
  auto server = two_suites();
  server.suites += ":DHE-RSA-AES256-GCM-SHA384";
  const auto more = scanned(server, as_two_suites());
  EXPECT_EQ(more.judgement.reason, "suite-offered");
  EXPECT_THAT(more.judgement.observed, HasSubstr("DHE-RSA-AES256-GCM-SHA384"));
  server.suites = "ECDHE-RSA-AES128-GCM-SHA256";
  const auto less = scanned(server, as_two_suites());
  EXPECT_EQ(less.judgement.reason, "suite-refused");
  EXPECT_THAT(less.judgement.observed, HasSubstr("without ECDHE-RSA-AES256-GCM-SHA384"));
  server = two_suites();
  server.most = TLS1_2_VERSION;
  EXPECT_EQ(scanned(server, as_two_suites()).judgement.reason, "suite-refused");
}

TEST(TlsScan, FindsAnotherGroup) {
  auto server = two_suites();
  server.groups = "P-256";
  EXPECT_EQ(scanned(server, as_two_suites()).judgement.reason, "group-refused");
  server.groups = "P-256:P-384:X25519";
  EXPECT_EQ(scanned(server, as_two_suites()).judgement.reason, "group-offered");
}

TEST(TlsScan, IsLearntWithThePrimeOfAClassicalExchange) {
  auto server = two_suites();
  server.suites += ":DHE-RSA-AES256-GCM-SHA384";
  const auto seen = scanned(server, as_two_suites());
  const auto learnt = tls_scan().expecting({{"port", 1}, {"suites", {{"1.2", {"x"}}}}}, seen.observation);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_THAT(learnt->at("suites").at("1.2").get<std::vector<std::string>>(), Contains("DHE-RSA-AES256-GCM-SHA384"));
  const auto bits = learnt->at("dh_bits").get<int>();
  EXPECT_GE(bits, 1024);
  EXPECT_EQ(scanned(server, *learnt).judgement.outcome, Outcome::pass);
  auto smaller = *learnt;
  smaller["dh_bits"] = bits / 2;
  EXPECT_EQ(scanned(server, smaller).judgement.reason, "dh-bits-differ");
}

TEST(TlsScan, SaysWhyItDoesNotComeToThat) {
  auto server = two_suites();
  server.says = {"220 hello", "250 PIPELINING"};
  auto with = as_two_suites();
  with["starttls"] = "smtp";
  EXPECT_EQ(scanned(server, with).judgement.reason, "starttls-not-offered");
  const auto closed =
      tls_scan().observe(loopback, {{"port", 1}, {"suites", {{"1.2", {"x"}}}}}, std::chrono::seconds(5));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->at("trouble").at("reason"), "connection-refused");
}

TEST(TlsScan, RefusesParametersThatAskForNothing) {
  const auto refused = [](const Json& with) {
    std::vector<JsonProblem> problems;
    tls_scan().validate(with, "", problems);
    return !problems.empty();
  };
  EXPECT_FALSE(refused({{"port", 443}, {"suites", {{"1.2", {"x"}}}}}));
  EXPECT_TRUE(refused({{"port", 443}}));
  EXPECT_TRUE(refused({{"port", 443}, {"suites", Json::object()}}));
  EXPECT_TRUE(refused({{"port", 443}, {"suites", {{"1.2", Json::array()}}}}));
  EXPECT_TRUE(refused({{"port", 443}, {"suites", {{"2.0", {"x"}}}}}));
  EXPECT_TRUE(refused({{"port", 443}, {"suites", {{"1.2", {"x"}}}}, {"groups", {"P-123"}}}));
}

}  // namespace
}  // namespace patchlab::checks::port
