// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/message.hpp"

#include <gmock/gmock.h>

#include <random>

namespace patchlab::checks::dhcp {
namespace {

using testing::HasSubstr;

Message offer() {
  Message message;
  message.direction = Direction::reply;
  message.xid = 0xDEADBEEF;
  message.broadcast = true;
  message.yours = Ipv4(0x0A140064);
  message.hardware = MacAddress({2, 1, 2, 3, 4, 5});
  message.options[option::message_type] = {2};
  message.options[option::server_id] = {10, 20, 0, 11};
  message.options[option::domain_name] = "corp.example";
  return message;
}

TEST(DhcpMessage, SurvivesTheWire) {
  const auto bytes = encode(offer());
  EXPECT_GE(bytes.size(), 300U);
  const auto read = decode(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->direction, Direction::reply);
  EXPECT_EQ(read->xid, 0xDEADBEEF);
  EXPECT_TRUE(read->broadcast);
  EXPECT_EQ(read->yours.text(), "10.20.0.100");
  EXPECT_EQ(read->hardware, offer().hardware);
  EXPECT_EQ(read->options, offer().options);
  EXPECT_EQ(read->type(), MessageType::offer);
  EXPECT_EQ(read->server_id(), Ipv4{0x0A14000B});
}

TEST(DhcpMessage, PutsItsTypeFirst) { EXPECT_EQ(encode(offer()).substr(240, 3), std::string("\x35\x01\x02")); }

TEST(DhcpMessage, SplitsAndJoinsLongOptions) {
  auto message = offer();
  message.options[43] = std::string(600, 'v');
  const auto read = decode(encode(message));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->options.at(43), std::string(600, 'v'));
}

TEST(DhcpMessage, ReadsOverloadedFields) {
  auto message = offer();
  message.options[option::overload] = {3};
  auto bytes = encode(message);
  bytes.replace(108, 6, std::string("\x03\x04\x0A\x14\x00\x01", 6));  // file: router
  bytes[114] = '\xFF';
  bytes.replace(44, 6, std::string("\x06\x04\x0A\x14\x00\x0A", 6));  // sname: DNS
  bytes[50] = '\xFF';
  const auto read = decode(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->number(option::router), 0x0A140001U);
  EXPECT_EQ(read->number(option::dns), 0x0A14000AU);
}

TEST(DhcpMessage, SaysWhatIsMalformed) {
  const auto good = encode(offer());
  EXPECT_THAT(decode("short").error().message, HasSubstr("only 5 bytes"));
  auto cookie = good;
  cookie[236] = 0;
  EXPECT_THAT(decode(cookie).error().message, HasSubstr("no magic cookie"));
  auto operation = good;
  operation[0] = 9;
  EXPECT_THAT(decode(operation).error().message, HasSubstr("op is 9"));
  auto length = good;
  length[241] = '\xFE';
  EXPECT_THAT(decode(length).error().message, HasSubstr("option 53 of 254 bytes exceeds the message"));
  EXPECT_THAT(decode(good.substr(0, 240) + "\x0F").error().message, HasSubstr("option 15 has no length"));
}

TEST(DhcpMessage, HasNoTypeWhenTheOptionIsOdd) {
  auto message = offer();
  message.options[option::message_type] = {9};
  EXPECT_FALSE(decode(encode(message))->type());
  message.options.erase(option::message_type);
  EXPECT_FALSE(decode(encode(message))->type());
  message.options[option::server_id] = "xyz";
  EXPECT_FALSE(decode(encode(message))->server_id());
}

// Under the address sanitizer this shows that no damaged message is read beyond its end.
TEST(DhcpMessage, DamagedAnywhereIsReadOrRefused) {
  const auto good = encode(offer());
  std::mt19937 generator(20261122);
  std::size_t refused = 0;
  for (int round = 0; round < 2000; ++round) {
    auto bytes = good.substr(0, generator() % (good.size() + 1));
    for (int i = 0; i < 4 && !bytes.empty(); ++i) bytes[generator() % bytes.size()] = static_cast<char>(generator());
    const auto read = decode(bytes);
    refused += read ? 0U : 1U;
  }
  EXPECT_GT(refused, 1000U);
}

}  // namespace
}  // namespace patchlab::checks::dhcp
