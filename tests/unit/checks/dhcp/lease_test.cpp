// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/lease.hpp"

#include <gmock/gmock.h>

#include "checks/dhcp/client.hpp"
#include "checks/hex.hpp"
#include "lab/core/net/numbers.hpp"

namespace patchlab::checks::dhcp {
namespace {

using net::big_endian32;

Json parameters() {
  return Json::parse(R"({"server": "10.20.0.11", "pool": {"from": "10.20.0.100", "to": "10.20.0.199"},
    "options": {"subnet-mask": "255.255.255.0", "routers": ["10.20.0.1"], "domain-name": "corp.example", "dhcp-lease-time": 600}})");
}

Message answer(MessageType type) {
  Message message;
  message.direction = Direction::reply;
  message.hardware = MacAddress({2, 1, 2, 3, 4, 5});
  message.yours = Ipv4(0x0A140064);
  message.options[option::message_type] = std::string(1, static_cast<char>(type));
  message.options[option::server_id] = bytes_of(Ipv4(0x0A14000B));
  message.options[option::subnet_mask] = bytes_of(Ipv4(0xFFFFFF00));
  message.options[option::router] = bytes_of(Ipv4(0x0A140001));
  message.options[option::domain_name] = "corp.example";
  message.options[option::lease_time] = big_endian32(600);
  return message;
}

// A good exchange, to be spoiled.
struct Exchange {
  std::vector<Message> offers{answer(MessageType::offer)};
  std::vector<Message> acks{answer(MessageType::ack)};
  std::vector<Message> renewals{answer(MessageType::ack)};
  Json extra{{"server_mac", "02:09:09:09:09:09"}};

  [[nodiscard]] Observation observation() const {
    Observation seen{{"server", "10.20.0.11"}, {"messages", Json::array()}};
    add(seen, "discover", offers);
    add(seen, "request", acks);
    add(seen, "renew", renewals);
    seen.update(extra);
    return seen;
  }
  static void add(Observation& seen, const char* phase, const std::vector<Message>& messages) {
    seen["messages"].push_back({{"phase", phase}, {"direction", "out"}, {"payload", "00"}, {"source", "0.0.0.0"}});
    for (const auto& message : messages) {
      seen["messages"].push_back({{"phase", phase},
                                  {"direction", "in"},
                                  {"source", "10.20.0.11"},
                                  {"payload", to_hex(encode(message))},
                                  {"text", readable(message)}});
    }
  }
};

Judgement judged(const Exchange& exchange) { return lease().judge(parameters(), exchange.observation()); }

TEST(DhcpLeaseJudge, PassesAWholeLife) {
  const auto judgement = judged({});
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason;
  EXPECT_EQ(judgement.expected, "a lease of 10.20.0.100 to 10.20.0.199 from 10.20.0.11 only");
  EXPECT_EQ(judgement.observed, "leased and renewed 10.20.0.100 from 10.20.0.11");
}

// One other client of the check, with what it was answered.
Json other(const char* phase, const std::vector<Message>& answers) {
  Json seen{{"messages", Json::array()}};
  Exchange::add(seen, phase, answers);
  return seen;
}
Judgement judged_with(const char* key, const Json& value, const Json& more) {
  auto with = parameters();
  with[key] = value;
  Exchange exchange;
  exchange.extra.update(more);
  return lease().judge(with, exchange.observation());
}

TEST(DhcpLeaseJudge, WantsALeaseToBeKnownInLaterPhases) {
  const auto ack = answer(MessageType::ack);
  const auto nak = answer(MessageType::nak);
  auto elsewhere = ack;
  elsewhere.yours = Ipv4(0x0A140065);
  const auto first = judged_with("kept", true, {{"kept", other("request", {ack})}});
  EXPECT_EQ(first.outcome, Outcome::pass);
  EXPECT_THAT(first.observed, testing::HasSubstr("to be asked for after a restart")) << "nothing was compared yet";
  EXPECT_EQ(judged_with("kept", true, {{"kept", other("request", {})}}).reason, "kept-no-lease");
  const auto later = [](const std::vector<Message>& answers) {
    return judged_with("kept", true, {{"kept_before", "10.20.0.100"}, {"kept", other("init-reboot", answers)}});
  };
  EXPECT_EQ(later({ack}).outcome, Outcome::pass);
  EXPECT_THAT(later({ack}).observed, testing::HasSubstr("10.20.0.100 is still leased"));
  for (const auto& answers : {std::vector<Message>{}, {nak}, {elsewhere}})
    EXPECT_EQ(later(answers).reason, "lease-forgotten");
  EXPECT_EQ(judged_with("kept", true, Json::object()).reason, "kept-no-lease") << "it was not asked";
}

TEST(DhcpLeaseJudge, WantsStrangersToBeToldOrLeftAlone) {
  const auto asked = [](const char* word, const std::vector<Message>& answers) {
    return judged_with("wrong_network", word, {{"stranger", other("init-reboot", answers)}}).reason;
  };
  const auto nak = answer(MessageType::nak);
  EXPECT_EQ(asked("refused", {nak}), "as-expected");
  EXPECT_EQ(asked("refused", {}), "wrong-network-ignored");
  EXPECT_EQ(asked("ignored", {}), "as-expected");
  EXPECT_EQ(asked("ignored", {nak}), "wrong-network-refused");
  for (const char* word : {"refused", "ignored"})
    EXPECT_EQ(asked(word, {answer(MessageType::ack)}), "wrong-network-accepted");
}

TEST(DhcpLeaseJudge, WantsADeclinedAddressToBeOfferedToNobody) {
  const auto asked = [](const char* declined, const std::vector<Message>& answers) {
    auto seen = other("discover", answers);
    seen["address"] = declined;
    return judged_with("declined", true, {{"declined", seen}}).reason;
  };
  EXPECT_EQ(asked("10.20.0.101", {answer(MessageType::offer)}), "as-expected");
  EXPECT_EQ(asked("10.20.0.100", {answer(MessageType::offer)}), "declined-address-offered");
  EXPECT_EQ(asked("10.20.0.100", {}), "declined-no-offer");
  EXPECT_EQ(judged_with("declined", true, {{"declining", other("request", {})}}).reason, "declined-no-lease");
}

TEST(DhcpLeaseJudge, WantsARelayAgentToBeAnsweredWithWhatItSaid) {
  auto offer = answer(MessageType::offer);
  const auto asked = [](const std::vector<Message>& answers) {
    return judged_with("relayed", true, {{"relayed", other("discover", answers)}}).reason;
  };
  EXPECT_EQ(asked({offer}), "relay-information-lost");
  offer.options[option::relay_information] = relay_information();
  EXPECT_EQ(asked({offer}), "as-expected");
  EXPECT_EQ(asked({}), "relay-no-offer");
  offer.yours = Ipv4(0x0A1E0001);
  EXPECT_EQ(asked({offer}), "relay-address-outside-pool");
}

TEST(DhcpLeaseJudge, LooksAtWhatIsAskedFurther) {
  auto with = parameters();
  with["further"] = {"rebind", "inform"};
  const auto judged_with = [&](const std::vector<Message>& rebind, const std::vector<Message>& inform) {
    auto seen = Exchange().observation();
    Exchange::add(seen, "rebind", rebind);
    Exchange::add(seen, "inform", inform);
    return lease().judge(with, seen);
  };
  const auto good = answer(MessageType::ack);
  auto told = good;  // options alone
  told.yours = Ipv4{};
  told.options.erase(option::lease_time);
  EXPECT_EQ(judged_with({good}, {told}).outcome, Outcome::pass) << judged_with({good}, {told}).observed;
  EXPECT_EQ(judged_with({}, {told}).reason, "rebind-no-ack");
  EXPECT_EQ(judged_with({answer(MessageType::nak)}, {told}).reason, "rebind-nak");
  auto moved = good;
  moved.yours = Ipv4(0x0A140065);
  EXPECT_EQ(judged_with({moved}, {told}).reason, "rebind-address-changed");
  EXPECT_EQ(judged_with({good}, {good}).reason, "inform-address-changed") << "who has an address is given none";
  auto silent = told;
  silent.options.erase(option::router);
  EXPECT_EQ(judged_with({good}, {silent}).reason, "inform-options-differ");
}

TEST(DhcpLeaseJudge, TheLeaseTimeMayBeARange) {
  auto with = parameters();
  with["options"].erase("dhcp-lease-time");
  const auto judged_with = [&](int least, int most) {
    with["lease_time"] = {{"least", least}, {"most", most}};
    return lease().judge(with, Exchange().observation());
  };
  EXPECT_EQ(judged_with(600, 600).outcome, Outcome::pass);
  EXPECT_EQ(judged_with(601, 900).reason, "lease-time-differs");
  EXPECT_EQ(judged_with(60, 599).reason, "lease-time-differs");
}

TEST(DhcpLeaseJudge, FailsWhenNobodyOffers) {
  Exchange exchange;
  exchange.offers = exchange.acks = exchange.renewals = {};
  exchange.extra = Json::object();
  EXPECT_EQ(judged(exchange).outcome, Outcome::fail);
  EXPECT_EQ(judged(exchange).reason, "no-offer");
}

TEST(DhcpLeaseJudge, FailsOnAnotherServer) {
  Exchange exchange;
  exchange.offers[0].options[option::server_id] = bytes_of(Ipv4(0x0A1400C8));
  EXPECT_EQ(judged(exchange).reason, "wrong-server");
  EXPECT_EQ(judged(exchange).observed, "OFFERs from 10.20.0.200");
}

TEST(DhcpLeaseJudge, FailsOnASecondServer) {
  Exchange exchange;
  exchange.offers.push_back(answer(MessageType::offer));
  exchange.offers[1].options[option::server_id] = bytes_of(Ipv4(0x0A1400C8));
  EXPECT_EQ(judged(exchange).reason, "several-servers");
  EXPECT_EQ(judged(exchange).observed, "OFFERs from 10.20.0.11, 10.20.0.200");
}

TEST(DhcpLeaseJudge, FailsOutsideThePool) {
  Exchange exchange;
  exchange.offers[0].yours = Ipv4(0x0A1400C8);
  EXPECT_EQ(judged(exchange).reason, "address-outside-pool");
}

TEST(DhcpLeaseJudge, FailsOnANakWhereverItComes) {
  Exchange first;
  first.acks = {answer(MessageType::nak)};
  EXPECT_EQ(judged(first).reason, "nak");
  Exchange second;
  second.renewals = {answer(MessageType::nak)};
  EXPECT_EQ(judged(second).reason, "renew-nak");
}

TEST(DhcpLeaseJudge, FailsOnSilenceAfterTheOffer) {
  Exchange first;
  first.acks = {};
  EXPECT_EQ(judged(first).reason, "no-ack");
  Exchange second;
  second.renewals = {};
  EXPECT_EQ(judged(second).reason, "renew-no-ack");
}

TEST(DhcpLeaseJudge, FailsWhenTheAddressChanges) {
  Exchange first;
  first.acks[0].yours = Ipv4(0x0A140065);
  EXPECT_EQ(judged(first).reason, "address-changed");
  Exchange second;
  second.renewals[0].yours = Ipv4(0x0A140065);
  EXPECT_EQ(judged(second).reason, "renew-address-changed");
}

TEST(DhcpLeaseJudge, FailsOnOtherOptionsAndShowsOnlyThose) {
  Exchange exchange;
  exchange.acks[0].options[option::router] = bytes_of(Ipv4(0x0A140002));
  exchange.acks[0].options.erase(option::domain_name);
  const auto judgement = judged(exchange);
  EXPECT_EQ(judgement.reason, "options-differ");
  EXPECT_EQ(judgement.expected, "domain-name \"corp.example\"\nrouters 10.20.0.1");
  EXPECT_EQ(judgement.observed, "domain-name absent\nrouters 10.20.0.2");
}

TEST(DhcpLeaseJudge, FailsOnInconsistentTimers) {
  Exchange exchange;
  exchange.acks[0].options[option::renewal_time] = big_endian32(700);
  EXPECT_EQ(judged(exchange).reason, "timers-inconsistent");
}

TEST(DhcpLeaseJudge, FailsOnAnAddressInUseAndOnADeafServer) {
  Exchange used;
  used.extra = Json{{"conflict", "02:00:00:00:00:01"}};
  EXPECT_EQ(judged(used).reason, "address-in-use");
  Exchange deaf;
  deaf.extra = Json::object();
  EXPECT_EQ(judged(deaf).reason, "server-unreachable");
}

TEST(DhcpLeaseJudge, FailsOnMalformedMessages) {
  auto observation = Exchange().observation();
  observation["messages"][1]["payload"] = "0201";
  const auto judgement = lease().judge(parameters(), observation);
  EXPECT_EQ(judgement.reason, "malformed-message");
  EXPECT_EQ(judgement.observed, "malformed DHCP message: only 2 bytes from 10.20.0.11");
}

TEST(DhcpLeaseExpecting, WritesDownAllThatAClientIsTold) {
  Exchange exchange;
  for (auto* messages : {&exchange.acks, &exchange.renewals}) {
    messages->front().options[119] = "\x04zone";
    messages->front().options[option::client_id] = "mine";
  }
  auto with = parameters();
  with["options"] = {{"119", "00"}, {"252", "00"}};
  const auto learnt = lease().expecting(with, exchange.observation());
  ASSERT_TRUE(learnt) << learnt.error().message;
  auto expected = parameters()["options"];
  expected["119"] = "047a6f6e65";
  EXPECT_EQ(learnt->at("options"), expected);
  EXPECT_EQ(lease().judge(*learnt, exchange.observation()).outcome, Outcome::pass);
  EXPECT_EQ(judged({}).outcome, Outcome::pass);
  EXPECT_EQ(lease().judge(*learnt, Exchange().observation()).reason, "options-differ");
}

TEST(DhcpLeaseExpecting, LearnsNothingWhereNobodyLeases) {
  Exchange silent;
  silent.offers.clear();
  silent.acks.clear();
  silent.renewals.clear();
  EXPECT_FALSE(lease().expecting(parameters(), silent.observation()));
  auto elsewhere = parameters();
  elsewhere["pool"] = {{"from", "10.30.0.1"}, {"to", "10.30.0.9"}};
  EXPECT_FALSE(lease().expecting(elsewhere, Exchange().observation()));
}

TEST(DhcpLeaseParameters, AreStrict) {
  std::vector<JsonProblem> problems;
  lease().validate(parameters(), "/with", problems);
  EXPECT_TRUE(problems.empty());
  lease().validate(
      Json::parse(
          R"({"server": "x", "pool": {"from": "10.20.0.9", "to": "10.20.0.1", "size": 3}, "options": {"routers": "10.20.0.1", "gateway": []}, "wait": 1})"),
      "/with", problems);
  std::vector<std::string> pointers;
  for (const auto& problem : problems) pointers.push_back(problem.pointer);
  EXPECT_THAT(pointers, testing::UnorderedElementsAre("/with/server", "/with/pool", "/with/pool/size",
                                                      "/with/options/routers", "/with/options/gateway", "/with/wait"));
}

Judgement judged_with_neighbours(const std::vector<Json>& addresses) {
  Exchange exchange;
  exchange.extra["neighbours"] = Json::array();
  for (const auto& address : addresses) {
    exchange.extra["neighbours"].push_back({{"mac", "02:00:00:00:00:01"}, {"address", address}});
  }
  auto with = parameters();
  with["neighbours"] = 2;
  return lease().judge(with, exchange.observation());
}

TEST(DhcpLeaseJudge, WantsAnAddressForEachClient) {
  EXPECT_EQ(judged_with_neighbours({"10.20.0.101", "10.20.0.102"}).outcome, Outcome::pass);
  const auto none = judged_with_neighbours({"10.20.0.101", Json()});
  EXPECT_EQ(none.reason, "neighbour-without-lease");
  EXPECT_EQ(none.observed, "client 2 got none");
  EXPECT_EQ(judged_with_neighbours({"10.20.0.101", "10.20.0.101"}).reason, "address-given-twice");
  EXPECT_EQ(judged_with_neighbours({"10.20.0.101", "10.20.0.100"}).reason, "address-given-twice");  // the client's own
  EXPECT_EQ(judged_with_neighbours({"10.20.0.101", "10.20.0.9"}).reason, "address-outside-pool");
}

TEST(DhcpLease, TakesAReservationsMac) {
  auto with = parameters();
  std::vector<JsonProblem> problems;
  with["mac"] = "02:00:0A:14:00:32";
  lease().validate(with, "", problems);
  EXPECT_TRUE(problems.empty());
  for (const char* wrong : {"02:00:0a:14:00", "02-00-0a-14-00-32", "02:00:0a:14:00:3g", "0200:0a:14:00:321"}) {
    with["mac"] = wrong;
    problems.clear();
    lease().validate(with, "", problems);
    EXPECT_EQ(problems.size(), 1U) << wrong;
  }
}

}  // namespace
}  // namespace patchlab::checks::dhcp
