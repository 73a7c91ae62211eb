// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/client.hpp"
#include "lab/core/net/numbers.hpp"

#include <gmock/gmock.h>

#include <deque>

namespace patchlab::checks::dhcp {
namespace {

using net::ArpFrame;
using net::big_endian32;
using net::broadcast_mac;
using net::read8;
using net::UdpFrame;

constexpr MacAddress client_mac({2, 1, 2, 3, 4, 5});
constexpr MacAddress server_mac({2, 9, 9, 9, 9, 9});
constexpr Ipv4 server_address{0x0A14000B};
constexpr Ipv4 leased{0x0A140064};

// A wire with a DHCP server at its other end, in memory.
class FakeServer final : public FrameLink {
 public:
  MessageType answer_to_request = MessageType::ack;
  MessageType answer_to_renewal = MessageType::ack;
  bool silent = false;
  bool somebody_has_the_address = false;
  bool asks_before_renewing = true;  // by ARP, where the client is
  std::vector<MessageType> seen;
  std::vector<UdpFrame> frames;
  bool client_answered_arp = false;

  Result<void> send(const std::string& bytes) override {
    auto frame = decode_frame(bytes, Checksums::verify);
    if (const auto* udp = std::get_if<UdpFrame>(&frame)) on_udp(*udp);
    if (const auto* arp = std::get_if<ArpFrame>(&frame)) on_arp(*arp);
    return {};
  }
  Result<std::optional<ReceivedFrame>> receive(const Deadline&) override {
    if (queue_.empty()) return std::optional<ReceivedFrame>();
    auto bytes = std::move(queue_.front());
    queue_.pop_front();
    return std::optional(ReceivedFrame{std::move(bytes), Checksums::verify});
  }
  void queue(std::string bytes) { queue_.push_back(std::move(bytes)); }

  void reply(const Message& request, MessageType type, Ipv4 server = server_address) {
    Message message;
    message.direction = Direction::reply;
    message.xid = request.xid;
    message.hardware = request.hardware;
    message.yours = type == MessageType::nak ? Ipv4{} : leased;
    message.options[option::message_type] = std::string(1, static_cast<char>(type));
    message.options[option::server_id] = bytes_of(server);
    queue(encode(UdpFrame{server_mac, client_mac, server, leased, 67, 68, encode(message)}));
  }

 private:
  void on_udp(const UdpFrame& frame) {
    frames.push_back(frame);
    const auto message = decode(frame.payload);
    ASSERT_TRUE(message);
    seen.push_back(message->type().value());
    if (silent) return;
    switch (message->type().value()) {
      case MessageType::discover: return reply(*message, MessageType::offer);
      case MessageType::request: return on_request(*message);
      case MessageType::inform: return reply(*message, MessageType::ack);
      default: return;
    }
  }
  void on_request(const Message& message) {
    if (message.client == Ipv4{}) return reply(message, answer_to_request);
    if (asks_before_renewing) {
      queue(encode(ArpFrame{broadcast_mac, ArpFrame::Operation::request, server_mac, server_address, MacAddress(),
                            message.client}));
    }
    reply(message, answer_to_renewal);
  }
  void on_arp(const ArpFrame& frame) {
    if (frame.operation == ArpFrame::Operation::reply) {
      client_answered_arp = frame.sender == leased && frame.sender_mac == client_mac && frame.target == server_address;
      return;
    }
    const bool taken = frame.target == leased && somebody_has_the_address;
    if (frame.target != server_address && !taken) return;
    queue(encode(ArpFrame{client_mac, ArpFrame::Operation::reply, server_mac, frame.target, client_mac, frame.sender}));
  }
  std::deque<std::string> queue_;
};

ClientSettings settings() {
  ClientSettings settings;
  settings.mac = client_mac;
  settings.xid = 0x1000;
  settings.server = server_address;
  settings.parameter_list = {1, 3, 6};
  settings.offer_window = Milliseconds(200);
  settings.resend_after = Milliseconds(500);
  settings.probe_wait = Milliseconds(200);
  return settings;
}

Json live(FakeServer& server, Milliseconds limit = std::chrono::seconds(10)) {
  const auto with = settings();
  const auto seen = live_one_lease(server, with, {}, Deadline(limit));
  return seen ? *seen : Json{{"error", seen.error().message}};
}

std::vector<std::string> phases_answered(const Json& seen) {
  std::vector<std::string> phases;
  for (const auto& message : seen.at("messages")) {
    if (message.at("direction") == "in") phases.push_back(message.at("phase"));
  }
  return phases;
}

using testing::ElementsAre;

TEST(DhcpClient, LeasesRenewsAndReleases) {
  FakeServer server;
  const auto seen = live(server);
  EXPECT_THAT(server.seen,
              ElementsAre(MessageType::discover, MessageType::request, MessageType::request, MessageType::release));
  EXPECT_THAT(phases_answered(seen), ElementsAre("discover", "request", "renew"));
  EXPECT_EQ(seen.at("server_mac"), "02:09:09:09:09:09");
  EXPECT_FALSE(seen.contains("conflict"));
  EXPECT_TRUE(server.client_answered_arp);
}

TEST(DhcpClient, SpeaksAsRfc2131Asks) {
  FakeServer server;
  (void)live(server);
  ASSERT_EQ(server.frames.size(), 4U);
  const auto selecting = decode(server.frames[1].payload);
  EXPECT_EQ(server.frames[1].destination_mac, broadcast_mac);
  EXPECT_EQ(server.frames[1].source.text(), "0.0.0.0");
  EXPECT_EQ(selecting->server_id(), server_address);
  EXPECT_EQ(selecting->number(option::requested_address), leased.value());
  const auto renewing = decode(server.frames[2].payload);
  EXPECT_EQ(server.frames[2].destination_mac, server_mac);
  EXPECT_EQ(server.frames[2].source, leased);
  EXPECT_EQ(server.frames[2].destination, server_address);
  EXPECT_EQ(renewing->client, leased);
  EXPECT_FALSE(renewing->server_id()) << "RENEWING carries no server id (RFC 2131 section 4.3.2)";
  EXPECT_FALSE(renewing->number(option::requested_address));
  EXPECT_NE(renewing->xid, selecting->xid);
  const auto release = decode(server.frames[3].payload);
  EXPECT_EQ(release->client, leased);
  EXPECT_EQ(release->server_id(), server_address);
}

TEST(DhcpClient, AsksFurtherAsRfc2131Asks) {
  FakeServer server;
  auto with = settings();
  with.further = {Further::rebind, Further::init_reboot, Further::inform};
  const auto seen = live_one_lease(server, with, {}, Deadline(std::chrono::seconds(10)));
  ASSERT_TRUE(seen);
  EXPECT_THAT(phases_answered(*seen), ElementsAre("discover", "request", "renew", "rebind", "init-reboot", "inform"));
  ASSERT_EQ(server.frames.size(), 7U);
  const auto asked = [&](std::size_t i) { return decode(server.frames[i].payload).value(); };
  for (std::size_t i = 3; i < 6; ++i) {
    EXPECT_EQ(server.frames[i].destination_mac, broadcast_mac);
    EXPECT_FALSE(asked(i).server_id()) << "any server may answer (RFC 2131 section 4.3.6)";
  }
  EXPECT_EQ(asked(3).client, leased);
  EXPECT_FALSE(asked(3).number(option::requested_address));
  EXPECT_EQ(asked(4).client, Ipv4{});
  EXPECT_EQ(asked(4).number(option::requested_address), leased.value());
  EXPECT_EQ(server.frames[4].source, Ipv4{}) << "it does not know yet whether the address is its own";
  EXPECT_EQ(asked(5).type(), MessageType::inform);
  EXPECT_EQ(asked(5).client, leased);
  EXPECT_EQ(server.seen.back(), MessageType::release);
}

TEST(DhcpClient, SendsAgainWhenNobodyAnswers) {
  FakeServer server;
  server.silent = true;
  const auto seen = live(server, Milliseconds(2000));
  EXPECT_GE(server.seen.size(), 2U);
  EXPECT_THAT(phases_answered(seen), ElementsAre());
}

TEST(DhcpClient, StopsAfterANak) {
  FakeServer server;
  server.answer_to_request = MessageType::nak;
  const auto seen = live(server);
  EXPECT_THAT(server.seen, ElementsAre(MessageType::discover, MessageType::request));
  EXPECT_THAT(phases_answered(seen), ElementsAre("discover", "request"));
}

TEST(DhcpClient, DoesNotUseAnAddressWhichSomebodyHas) {
  FakeServer server;
  server.somebody_has_the_address = true;
  const auto seen = live(server);
  EXPECT_EQ(seen.at("conflict"), "02:09:09:09:09:09");
  EXPECT_THAT(server.seen, ElementsAre(MessageType::discover, MessageType::request));
}

TEST(DhcpClient, ReleasesEvenAfterARefusedRenewal) {
  FakeServer server;
  server.answer_to_renewal = MessageType::nak;
  (void)live(server);
  EXPECT_EQ(server.seen.back(), MessageType::release);
}

TEST(DhcpClient, CollectsASecondServersOfferButTakesTheExpectedOnes) {
  FakeServer server;
  Message rogue_request;
  rogue_request.xid = settings().xid;
  rogue_request.hardware = client_mac;
  server.reply(rogue_request, MessageType::offer, Ipv4{0x0A1400C8});
  const auto seen = live(server);
  EXPECT_THAT(phases_answered(seen), ElementsAre("discover", "discover", "request", "renew"));
  EXPECT_EQ(decode(server.frames[1].payload)->server_id(), server_address);
}

TEST(DhcpClient, KeepsMalformedAnswersAndIgnoresOtherClients) {
  FakeServer server;
  server.queue(encode(
      UdpFrame{server_mac, client_mac, server_address, leased, 67, 68, std::string(4, '\0') + big_endian32(0x1000)}));
  server.queue(encode(UdpFrame{server_mac, client_mac, server_address, leased, 67, 68, std::string(300, '\0')}));
  server.queue("rubbish");
  const auto seen = live(server);
  EXPECT_THAT(phases_answered(seen), ElementsAre("discover", "discover", "request", "renew"));
  EXPECT_EQ(seen.at("messages").at(1).at("text"), "malformed DHCP message: only 8 bytes");
}

}  // namespace
}  // namespace patchlab::checks::dhcp
