// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/frames.hpp"

#include <gmock/gmock.h>

#include "lab/network/control.hpp"
#include "lab/network/leak_probe.hpp"

namespace patchlab::lab::network {
namespace {
using ::testing::ElementsAre;

const Sender sender{*MacAddress::parse("02:00:00:00:00:fa"), *Ipv4::parse("10.20.0.250"), 0x1234};
const Ipv4 remote = *Ipv4::parse("192.0.2.2");

// RFC 1071: the sum over a header with its checksum in place is all ones.
std::uint32_t folded_sum(const Bytes& bytes, std::size_t from, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += static_cast<std::uint32_t>(bytes[from + i]) << (i % 2 == 0 ? 8U : 0U);
  while ((sum >> 16U) != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return sum;
}

TEST(Frames, ArpRequestIsTheOneOfTheRfc) {
  EXPECT_THAT(arp_request(sender, remote),
              ElementsAre(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 0xFA, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,  //
                          2, 0, 0, 0, 0, 0xFA, 10, 20, 0, 250, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2));
}

TEST(Frames, ChecksumsAddUp) {
  const auto ping = ping_frame(sender, remote);
  EXPECT_EQ(folded_sum(ping, 14, 20), 0xFFFFU);
  EXPECT_EQ(folded_sum(ping, 34, ping.size() - 34), 0xFFFFU);
  for (const auto& frame : {dns_frame(sender, remote), tcp_syn_frame(sender, remote, 22)}) {
    EXPECT_EQ(folded_sum(frame, 14, 20), 0xFFFFU);
    const auto size = frame.size() - 34;
    const std::uint32_t pseudo = folded_sum(frame, 26, 8) + frame[23] + static_cast<std::uint32_t>(size);
    const auto sum = pseudo + folded_sum(frame, 34, size);
    EXPECT_EQ((sum & 0xFFFFU) + (sum >> 16U), 0xFFFFU);
  }
}

// What the other side would send back, made of our own builders with the roles swapped.
TEST(Heard, RecognisesAnArpReply) {
  auto frame = arp_request({*MacAddress::parse("02:fc:00:00:00:01"), remote, 0}, sender.address);
  frame[21] = 2;
  const auto what = heard(frame.data(), frame.size());
  ASSERT_TRUE(what);
  EXPECT_EQ(what->kind, Heard::Kind::arp_reply);
  EXPECT_EQ(what->address, "192.0.2.2");
  EXPECT_EQ(what->from.text(), "02:fc:00:00:00:01");
}

TEST(Heard, RecognisesAnEchoReplyAndItsMark) {
  auto frame = ping_frame({*MacAddress::parse("02:fc:00:00:00:01"), remote, 0x1234}, sender.address);
  EXPECT_EQ(heard(frame.data(), frame.size())->kind, Heard::Kind::other) << "a request is no reply";
  frame[34] = 0;
  const auto what = heard(frame.data(), frame.size());
  EXPECT_EQ(what->kind, Heard::Kind::echo_reply);
  EXPECT_EQ(what->mark, 0x1234);
  EXPECT_EQ(what->address, "192.0.2.2");
}

TEST(Heard, RecognisesPortsOfUdpAndTcp) {
  const Sender other{*MacAddress::parse("02:fc:00:00:00:01"), remote, 53};
  const auto frame = tcp_syn_frame(other, sender.address, 0x1234);
  const auto what = heard(frame.data(), frame.size());
  EXPECT_EQ(what->kind, Heard::Kind::tcp);
  EXPECT_EQ(what->source_port, 53);
  EXPECT_EQ(what->mark, 0x1234);
}

TEST(Heard, FindsTheTargetThatAnIcmpErrorQuotes) {
  const auto sent = ping_frame(sender, remote);
  auto frame = ping_frame({*MacAddress::parse("02:fc:00:00:00:01"), *Ipv4::parse("198.51.100.1"), 0}, sender.address);
  frame.resize(42);
  frame[34] = 3;
  frame.insert(frame.end(), sent.begin() + 14, sent.end());
  const auto what = heard(frame.data(), frame.size());
  EXPECT_EQ(what->kind, Heard::Kind::icmp_error);
  EXPECT_EQ(what->address, "192.0.2.2");
}

TEST(Heard, RecognisesANeighbourAdvertisement) {
  const auto address = *parse_ipv6("fd00::2");
  auto frame = neighbour_solicitation(sender, address);
  EXPECT_EQ(frame[0], 0x33);
  EXPECT_EQ(heard(frame.data(), frame.size())->kind, Heard::Kind::other);
  frame[54] = 136;
  EXPECT_EQ(heard(frame.data(), frame.size())->kind, Heard::Kind::neighbour_advertisement);
  EXPECT_EQ(heard(frame.data(), frame.size())->address, "fd00::2");
}

TEST(Heard, StaysInsideTruncatedFrames) {
  for (const auto& whole : {arp_request(sender, remote), ping_frame(sender, remote), dns_frame(sender, remote),
                            tcp_syn_frame(sender, remote, 22), all_nodes_ping(sender)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(heard(part.data(), part.size()).has_value(), size >= 14);
    }
  }
}

// As the kernel checks it: a wrong checksum would be no answer.
TEST(Frames, ASolicitationIsAnsweredByWhoHasTheAddress) {
  const auto own = *MacAddress::parse("02:00:00:00:77:01");
  const auto address = *parse_ipv6("fe80::7061");
  const auto question = neighbour_solicitation(sender, address);
  const auto answer = answer_to_solicitation(question.data(), question.size(), own, address);
  const auto read = heard(answer.data(), answer.size());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind, Heard::Kind::neighbour_advertisement);
  EXPECT_EQ(read->address, "fe80::7061");
  EXPECT_EQ(read->from, own);
  EXPECT_TRUE(std::equal(answer.begin(), answer.begin() + 6, sender.mac.bytes().begin()));
  // RFC 4443: over addresses, length, next header and message.
  const auto sum = folded_sum(answer, 22, 32) + static_cast<std::uint32_t>(answer.size() - 54) + 58U +
                   folded_sum(answer, 54, answer.size() - 54);
  EXPECT_EQ((sum & 0xFFFFU) + (sum >> 16U), 0xFFFFU);
}

TEST(Frames, OtherFramesAreNoSolicitationOfOurs) {
  const auto own = *MacAddress::parse("02:00:00:00:77:01");
  const auto address = *parse_ipv6("fe80::7061");
  const auto other = neighbour_solicitation(sender, *parse_ipv6("fe80::7062"));
  EXPECT_TRUE(answer_to_solicitation(other.data(), other.size(), own, address).empty());
  for (const auto& frame : {arp_request(sender, remote), all_nodes_ping(sender)})
    EXPECT_TRUE(answer_to_solicitation(frame.data(), frame.size(), own, address).empty());
  const auto ours = neighbour_solicitation(sender, address);
  for (std::size_t size = 0; size < 78; ++size)
    EXPECT_TRUE(answer_to_solicitation(ours.data(), size, own, address).empty()) << size;
}

TEST(Frames, ABeaconTellsWhoseItIs) {
  const auto frame = beacon(sender.mac, "0123456789abcdef");
  EXPECT_GE(frame.size(), 60U);
  EXPECT_EQ(token_of_beacon(frame.data(), frame.size()), "0123456789abcdef");
  for (std::size_t size = 0; size < 46; ++size) EXPECT_FALSE(token_of_beacon(frame.data(), size)) << size;
  auto spoiled = frame;
  spoiled[31] = '\n';  // it is printed
  EXPECT_FALSE(token_of_beacon(spoiled.data(), spoiled.size()));
  const auto arp = arp_request(sender, remote);
  EXPECT_FALSE(token_of_beacon(arp.data(), arp.size()));
}

// One kind's refusal is no answer to another kind, nor to what went another way.
TEST(IsAnswer, OfEachKindIsTakenForThatKindAndThisProbeAlone) {
  const std::vector<std::pair<PlannedProbe, Bytes>> sent{
      {{ProbeKind::ping, ProbePath::wire, "192.0.2.2", 0}, ping_frame(sender, remote)},
      {{ProbeKind::dns, ProbePath::wire, "192.0.2.2", 53}, dns_frame(sender, remote)},
      {{ProbeKind::tcp, ProbePath::wire, "192.0.2.2", 22}, tcp_syn_frame(sender, remote, 22)}};
  for (const auto& [probe, packet] : sent) {
    auto refusal =
        ping_frame({*MacAddress::parse("02:fc:00:00:00:01"), *Ipv4::parse("198.51.100.1"), 0}, sender.address);
    refusal.resize(42);
    refusal[34] = 3;
    refusal.insert(refusal.end(), packet.begin() + 14, packet.end());
    const auto what = heard(refusal.data(), refusal.size());
    ASSERT_TRUE(what);
    for (const auto& [other, unused] : sent) {
      EXPECT_EQ(is_answer(other, *what, sender.mark), other == probe) << name_of(other) << " by " << name_of(probe);
      EXPECT_FALSE(is_answer(other, *what, static_cast<std::uint16_t>(sender.mark + 1)));
    }
  }
}

}  // namespace
}  // namespace patchlab::lab::network
