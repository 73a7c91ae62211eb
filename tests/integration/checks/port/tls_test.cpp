// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// TLS against OpenSSL's own server end, in versions and with certificates as they may be.
#include <gmock/gmock.h>

#include "checks/port/offered.hpp"
#include "tests/integration/checks/port/tls_server.hpp"

namespace patchlab::checks::port {
namespace {

using test::Server;
using test::TlsServer;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

Judgement judged(const Json& with) {
  const auto seen = tls_offered().observe(loopback, with, std::chrono::seconds(10));
  return seen ? tls_offered().judge(with, *seen) : Judgement{Outcome::error, seen.error().message, {}, {}};
}
Judgement judged(Server server, Json with) {
  const TlsServer running(std::move(server));
  with["port"] = running.port();
  return judged(with);
}
const Json new_ones{{"versions", {"1.2", "1.3"}}};

TEST(TlsOffered, IsExactlyTheVersionsThatAreSpoken) {
  EXPECT_EQ(judged({}, new_ones).outcome, Outcome::pass) << judged({}, new_ones).observed;
  const auto old = judged({TLS1_VERSION, TLS1_3_VERSION}, new_ones);
  EXPECT_EQ(old.reason, "version-offered");
  EXPECT_THAT(old.observed, testing::HasSubstr("TLS 1.0"));
  EXPECT_EQ(judged({TLS1_2_VERSION, TLS1_2_VERSION}, new_ones).reason, "version-refused");
  EXPECT_EQ(judged({TLS1_3_VERSION, TLS1_3_VERSION}, {{"versions", {"1.3"}}}).outcome, Outcome::pass);
  EXPECT_EQ(judged({TLS1_1_VERSION, TLS1_2_VERSION}, {{"versions", {"1.1", "1.2"}}}).outcome, Outcome::pass);
}

TEST(TlsOffered, LooksAtTheCertificate) {
  const TlsServer server({});
  auto with = new_ones;
  with.update({{"port", server.port()},
               {"subject", "CN=mail1.corp.example"},
               {"issuer", "CN=mail1.corp.example"},
               {"names", {"DNS:mail1.corp.example", "DNS:imap.corp.example", "IP:10.20.0.14"}},
               {"days_left", 30}});
  EXPECT_EQ(judged(with).outcome, Outcome::pass) << judged(with).reason << judged(with).observed;
  const auto reason_with = [&](const Json& other) {
    auto changed = with;
    changed.update(other);
    return judged(changed).reason;
  };
  EXPECT_EQ(reason_with({{"subject", "CN=mail2.corp.example"}}), "subject-differs");
  EXPECT_EQ(reason_with({{"issuer", "CN=Somebody"}}), "issuer-differs");
  EXPECT_EQ(reason_with({{"names", {"DNS:mail1.corp.example"}}}), "names-differ");
  EXPECT_EQ(reason_with({{"days_left", 31}}), "too-few-days-left");
  EXPECT_EQ(reason_with({{"sha256", std::string(64, '0')}}), "certificate-differs");
  EXPECT_EQ(reason_with({{"key_sha256", std::string(64, '0')}}), "key-differs");
  const auto over = judged({TLS1_2_VERSION, TLS1_3_VERSION, -2}, {{"versions", {"1.2", "1.3"}}, {"days_left", 0}});
  EXPECT_EQ(over.reason, "too-few-days-left");
}

TEST(TlsOffered, IsLearntWhole) {
  const TlsServer server({});
  const Json draft{{"port", server.port()}, {"versions", {"1.3"}}};
  const auto seen = tls_offered().observe(loopback, draft, std::chrono::seconds(10));
  ASSERT_TRUE(seen);
  const auto learnt = tls_offered().expecting(draft, *seen);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("versions"), Json({"1.2", "1.3"}));
  EXPECT_EQ(learnt->at("subject"), "CN=mail1.corp.example");
  EXPECT_EQ(learnt->at("names").size(), 3U);
  EXPECT_EQ(judged(*learnt).outcome, Outcome::pass);
  const TlsServer another({});
  auto elsewhere = *learnt;
  elsewhere["port"] = another.port();
  EXPECT_EQ(judged(elsewhere).reason, "certificate-differs");
}

Json by(const std::string& starttls) { return {{"versions", {"1.2", "1.3"}}, {"starttls", starttls}}; }
Server saying(std::vector<std::string> lines) { return {TLS1_2_VERSION, TLS1_3_VERSION, 30, std::move(lines)}; }

TEST(TlsOffered, IsAskedForInTheWordsOfTheProtocol) {
  EXPECT_EQ(judged(saying({"220 hello", "250-mail1\r\n250-PIPELINING\r\n250 STARTTLS", "220 go"}), by("smtp")).outcome,
            Outcome::pass);
  EXPECT_EQ(judged(saying({"* OK ready", "* CAPABILITY IMAP4\r\nt1 OK go"}), by("imap")).outcome, Outcome::pass);
  EXPECT_EQ(judged(saying({"+OK ready", "+OK go"}), by("pop3")).outcome, Outcome::pass);
}

TEST(TlsOffered, SaysWhyItDoesNotComeToThat) {
  EXPECT_EQ(judged(saying({"220 hello", "250 PIPELINING"}), by("smtp")).reason, "starttls-not-offered");
  EXPECT_EQ(judged(saying({"220 hello", "250-mail1\r\n250 STARTTLS", "454 later"}), by("smtp")).reason,
            "starttls-refused");
  EXPECT_EQ(judged(saying({"220 hello", "250-mail1\r\n250 STARTTLS", "220 go\r\n250 ok"}), by("smtp")).reason,
            "text-before-tls");
  EXPECT_EQ(judged(saying({"* BYE"}), by("imap")).reason, "starttls-refused");
  EXPECT_EQ(judged(saying({"* OK ready", "t1 NO"}), by("imap")).reason, "starttls-refused");
  EXPECT_EQ(judged(saying({"+OK", "-ERR"}), by("pop3")).reason, "starttls-refused");
  EXPECT_EQ(judged(saying({"hello"}), by("pop3")).reason, "malformed-reply");
}

// A server without TLS must not pass for one that refuses versions.
TEST(TlsOffered, PlainTextIsNoRefusal) {
  EXPECT_EQ(judged(saying({"220 hello"}), {{"versions", {"1.2", "1.3"}}}).reason, "malformed-tls");
}

TEST(TlsOffered, RefusesParametersThatAskForNothing) {
  const auto problems_of = [](const Json& with) {
    std::vector<JsonProblem> problems;
    tls_offered().validate(with, "/with", problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    return pointers;
  };
  EXPECT_THAT(problems_of({{"port", 25}, {"versions", Json::array()}}), testing::ElementsAre("/with/versions"));
  EXPECT_THAT(problems_of({{"port", 25}, {"versions", {"1.4"}}}), testing::ElementsAre("/with/versions/0"));
  EXPECT_EQ(problems_of({{"port", 25}}).size(), 1U);
  EXPECT_EQ(problems_of({{"port", 25}, {"versions", {"1.2"}}, {"starttls", "ftp"}, {"sha256", "x"}}).size(), 2U);
}

}  // namespace
}  // namespace patchlab::checks::port
