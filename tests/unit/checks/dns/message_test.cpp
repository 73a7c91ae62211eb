// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/message.hpp"

#include <gmock/gmock.h>

#include <random>

#include "tests/unit/checks/dns/dns_wire.hpp"

namespace patchlab::checks::dns {
namespace {

TEST(DnsMessage, EncodesAQuestion) {
  const auto wire = encode({"www.corp.example", "MX", 0x0102, true, 0});
  ASSERT_TRUE(wire);
  EXPECT_EQ(*wire, u16(0x0102) + u16(0x0100) + u16(1) + u16(0) + u16(0) + u16(0) + wire_name("www.corp.example") +
                       u16(15) + u16(1));
}

TEST(DnsMessage, EncodesEdnsOnlyWhenAsked) {
  const auto wire = encode({"a.example", "A", 1, false, 1232});
  ASSERT_TRUE(wire);
  EXPECT_THAT(*wire, testing::EndsWith(std::string(1, '\0') + u16(41) + u16(1232) + u32(0) + u16(0)));
}

TEST(DnsMessage, RefusesAnUnknownType) { EXPECT_FALSE(encode({"a.example", "BOGUS", 1, true, 0})); }

TEST(DnsMessage, DecodesHeaderAndRecords) {
  WireMessage reply;
  reply.answer = {wire_cname("WWW.corp.example", "Web.corp.example"), wire_a("web.corp.example", {10, 20, 0, 80}, 42)};
  const auto message = decode(reply.bytes());
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->id, 0x1234);
  EXPECT_TRUE(message->is_response);
  EXPECT_TRUE(message->is_authoritative);
  EXPECT_FALSE(message->is_truncated);
  EXPECT_EQ(message->rcode, "NOERROR");
  EXPECT_EQ(message->questions, "www.corp.example. IN A");
  ASSERT_EQ(message->answer.size(), 2U);
  EXPECT_EQ(message->answer[0].text, "www.corp.example. IN CNAME web.corp.example.");
  EXPECT_EQ(message->answer[1].text, "web.corp.example. IN A 10.20.0.80");
  EXPECT_EQ(message->answer[1].ttl, 42U);
}

TEST(DnsMessage, SaysThatBytesAreMalformed) {
  WireMessage reply;
  reply.answer = {wire_a("www.corp.example", {10, 20, 0, 80})};
  const auto whole = reply.bytes();
  const auto cut = decode(std::string_view(whole).substr(0, whole.size() - 3));
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().message, testing::StartsWith("malformed message of 63 bytes: "));
  EXPECT_FALSE(decode(""));
  EXPECT_FALSE(decode("garbage"));
}

// Under the address sanitizer this shows that no damaged message is read beyond its end.
TEST(DnsMessage, DamagedAnywhereIsReadOrRefused) {
  WireMessage reply;
  reply.answer = {wire_cname("www.corp.example", "web.corp.example"), wire_a("web.corp.example", {10, 20, 0, 80})};
  const auto good = reply.bytes();
  std::mt19937 generator(20261122);
  std::size_t refused = 0;
  for (int round = 0; round < 2000; ++round) {
    auto bytes = good.substr(0, generator() % (good.size() + 1));
    for (int i = 0; i < 3 && !bytes.empty(); ++i) bytes[generator() % bytes.size()] = static_cast<char>(generator());
    refused += decode(bytes) ? 0U : 1U;
  }
  EXPECT_GT(refused, 1000U);
}

TEST(DnsMessage, ReadsExpectedRecordsWithAndWithoutTtl) {
  const auto plain = parse_record("www.corp.example. A 10.20.0.80");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->text, "www.corp.example. IN A 10.20.0.80");
  EXPECT_FALSE(plain->ttl);
  const auto timed = parse_record("WWW.corp.example 300 IN MX 10 Mail.corp.example.");
  ASSERT_TRUE(timed);
  EXPECT_EQ(timed->text, "www.corp.example. IN MX 10 mail.corp.example.");
  EXPECT_EQ(timed->ttl, 300U);
  const auto srv = parse_record("_imap._tcp.corp.example. SRV 0 5 143 mail.corp.example.");
  ASSERT_TRUE(srv);
  EXPECT_EQ(srv->text, "_imap._tcp.corp.example. IN SRV 0 5 143 mail.corp.example.");
  EXPECT_FALSE(parse_record("www.corp.example. A 10.20.0.800"));
  EXPECT_FALSE(parse_record(""));
}

TEST(DnsMessage, TextWithAZeroInsideKeepsIt) {
  const auto record = parse_record("t.corp.example. TXT \"a 0 b\"");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->text, "t.corp.example. IN TXT \"a 0 b\"");
}

}  // namespace
}  // namespace patchlab::checks::dns
