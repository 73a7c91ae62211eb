// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/net/frames.hpp"

#include <gtest/gtest.h>

namespace patchlab::net {
namespace {

constexpr MacAddress client({2, 1, 2, 3, 4, 5});
constexpr MacAddress server({2, 9, 9, 9, 9, 9});

UdpFrame udp(std::string payload = "hello") {
  return {server, client, Ipv4(0x0A14000B), Ipv4(0x0A140064), 67, 68, std::move(payload)};
}

TEST(UdpFrame, SurvivesTheWire) {
  for (const auto* payload : {"hello", "hello!", ""}) {
    const auto frame = decode_frame(encode(udp(payload)), Checksums::verify);
    const auto* read = std::get_if<UdpFrame>(&frame);
    ASSERT_NE(read, nullptr) << payload;
    EXPECT_EQ(read->source_mac, server);
    EXPECT_EQ(read->destination_mac, client);
    EXPECT_EQ(read->source.text(), "10.20.0.11");
    EXPECT_EQ(read->destination.text(), "10.20.0.100");
    EXPECT_EQ(read->source_port, 67);
    EXPECT_EQ(read->destination_port, 68);
    EXPECT_EQ(read->payload, payload);
  }
}

TEST(UdpFrame, IgnoresEthernetPadding) {
  const auto frame = decode_frame(encode(udp("x")) + std::string(18, '\0'), Checksums::verify);
  ASSERT_TRUE(std::holds_alternative<UdpFrame>(frame));
  EXPECT_EQ(std::get<UdpFrame>(frame).payload, "x");
}

TEST(UdpFrame, WithADamagedPayloadIsNothingUnlessChecksumsAreLeftToHardware) {
  auto bytes = encode(udp());
  bytes.back() = 'x';
  EXPECT_TRUE(std::holds_alternative<std::monostate>(decode_frame(bytes, Checksums::verify)));
  EXPECT_TRUE(std::holds_alternative<UdpFrame>(decode_frame(bytes, Checksums::not_ready)));
}

TEST(UdpFrame, WithoutAChecksumIsAccepted) {
  auto bytes = encode(udp());
  bytes.replace(14 + 20 + 6, 2, 2, '\0');
  EXPECT_TRUE(std::holds_alternative<UdpFrame>(decode_frame(bytes, Checksums::verify)));
}

TEST(UdpFrame, CutAnywhereIsNothing) {
  const auto bytes = encode(udp());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(decode_frame(bytes.substr(0, size), Checksums::verify))) << size;
  }
}

TEST(UdpFrame, FragmentIsNothing) {
  auto bytes = encode(udp());
  bytes[14 + 6] = 0x20;  // more fragments; the header checksum no longer holds either
  bytes[14 + 10] = static_cast<char>(bytes[14 + 10] - 0x20);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(decode_frame(bytes, Checksums::not_ready)));
}

TEST(ArpFrame, SurvivesTheWire) {
  const ArpFrame request{broadcast_mac,   ArpFrame::Operation::request, client, Ipv4(0x0A140064), MacAddress(),
                         Ipv4(0x0A14000B)};
  const auto frame = decode_frame(encode(request), Checksums::verify);
  const auto* read = std::get_if<ArpFrame>(&frame);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->operation, ArpFrame::Operation::request);
  EXPECT_EQ(read->sender_mac, client);
  EXPECT_EQ(read->sender.text(), "10.20.0.100");
  EXPECT_EQ(read->target.text(), "10.20.0.11");
}

TEST(Checksum, OfTheExampleInRfc1071) {
  // 0001 f203 f4f5 f6f7 sums to ddf2 (with carry); the checksum is its complement.
  EXPECT_EQ(internet_checksum(std::string("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8)), 0x220DU);
}

}  // namespace
}  // namespace patchlab::net
