// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Kinds that ask more than once, against a server on loopback that speaks UDP and TCP on one port.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "checks/dns/load.hpp"
#include "checks/dns/query.hpp"
#include "checks/dns/transfer.hpp"
#include "checks/dns/update.hpp"
#include "checks/socket.hpp"
#include "lab/core/digest.hpp"
#include "tests/unit/checks/dns/dns_wire.hpp"

namespace patchlab::checks::dns {
namespace {

struct Asked {
  std::string_view wire;
  bool over_tcp = false;
  int number = 0;  // of the question, from 0
  [[nodiscard]] unsigned id() const {
    return static_cast<unsigned char>(wire[0]) * 256U + static_cast<unsigned char>(wire[1]);
  }
  [[nodiscard]] unsigned opcode() const { return (static_cast<unsigned char>(wire[2]) >> 3U) & 0xFU; }
  // Question or zone section, as it came.
  [[nodiscard]] std::string name() const {
    std::string text;
    for (std::size_t at = 12; wire[at] != 0; at += static_cast<unsigned char>(wire[at]) + 1U) {
      if (!text.empty()) text += '.';
      text += wire.substr(at + 1, static_cast<unsigned char>(wire[at]));
    }
    return text;
  }
};

class ManyTimesServer {
 public:
  using Answer = std::function<std::vector<std::string>(const Asked&)>;
  explicit ManyTimesServer(Answer answer) : answer_(std::move(answer)) {
    for (int tries = 0; tries < 20 && port_ == 0; ++tries) bind_both();
    EXPECT_NE(port_, 0);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) serve();
    });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void bind_both() {
    FileDescriptor udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    FileDescriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);  // NOLINT
    if (::bind(udp.get(), raw, size) != 0 || ::getsockname(udp.get(), raw, &size) != 0 ||
        ::bind(tcp.get(), raw, size) != 0 || ::listen(tcp.get(), 8) != 0)
      return;
    sockets_.push_back(std::move(udp));
    sockets_.push_back(std::move(tcp));
    port_ = ntohs(address.sin_port);
  }
  void serve() {
    char buffer[4096];
    if (wait_readable(sockets_[0].get(), Deadline(Milliseconds(5)))) {
      sockaddr_in client{};
      socklen_t size = sizeof client;
      auto* raw = reinterpret_cast<sockaddr*>(&client);  // NOLINT
      const auto count = ::recvfrom(sockets_[0].get(), buffer, sizeof buffer, 0, raw, &size);
      for (const auto& reply : answer_({{buffer, static_cast<std::size_t>(count)}, false, number_++}))
        ::sendto(sockets_[0].get(), reply.data(), reply.size(), 0, raw, size);
    }
    if (wait_readable(sockets_[1].get(), Deadline(Milliseconds(0)))) {
      const FileDescriptor client(::accept(sockets_[1].get(), nullptr, nullptr));
      const auto count = ::recv(client.get(), buffer, sizeof buffer, 0);
      if (count < 14) return;
      for (const auto& reply : answer_({{buffer + 2, static_cast<std::size_t>(count) - 2}, true, number_++})) {
        (void)send_all(client.get(), u16(static_cast<unsigned>(reply.size())) + reply,
                       Deadline(std::chrono::seconds(5)));
      }
    }
  }

  Answer answer_;
  std::vector<FileDescriptor> sockets_;
  std::uint16_t port_ = 0;
  int number_ = 0;
  std::jthread thread_;
};

struct Seen {
  Json observation;
  Judgement judgement;
};

Seen look(const Check& check, const Json& with, Milliseconds limit = std::chrono::seconds(10)) {
  auto observation = check.observe({"127.0.0.1", "127.0.0.1", "lo"}, with, limit);
  if (!observation) return {{}, {Outcome::error, observation.error().message, {}, {}}};
  const auto judgement = check.judge(with, *observation);
  return {std::move(*observation), judgement};
}

WireMessage reply_to(const Asked& asked, unsigned type = 1) {
  WireMessage reply;
  reply.id = asked.id();
  reply.name = asked.name();
  reply.type = type;
  return reply;
}

WireMessage address_of(const Asked& asked) {
  auto reply = reply_to(asked);
  reply.answer = {wire_a(reply.name, {10, 20, 0, 80})};
  return reply;
}

TEST(DnsTruncation, IsFollowedToTheWholeAnswer) {
  const auto judged = [](bool cuts, bool is_whole_then) {
    const ManyTimesServer server([=](const Asked& asked) {
      auto reply = address_of(asked);
      if (!asked.over_tcp && cuts) {
        reply.flags |= 0x0200U;
        reply.answer.clear();
      }
      if (asked.over_tcp && !is_whole_then) reply.answer.clear();
      return std::vector{reply.bytes()};
    });
    return look(query(), {{"name", "www.corp.example"},
                          {"type", "A"},
                          {"udp_size", 0},
                          {"expect_truncated", true},
                          {"expect", {"www.corp.example. A 10.20.0.80"}},
                          {"port", server.port()}})
        .judgement;
  };
  EXPECT_EQ(judged(true, true).outcome, Outcome::pass) << judged(true, true).observed;
  EXPECT_EQ(judged(false, true).reason, "not-truncated");
  EXPECT_EQ(judged(true, false).outcome, Outcome::fail);
}

const Json loaded{
    {"records", {"a.corp.example. A 10.20.0.80", "b.corp.example. A 10.20.0.80"}}, {"per_second", 200}, {"seconds", 1}};

TEST(DnsLoad, EveryQuestionIsAnsweredRightly) {
  const ManyTimesServer server([](const Asked& asked) { return std::vector{address_of(asked).bytes()}; });
  auto with = loaded;
  with["port"] = server.port();
  const auto seen = look(load(), with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << seen.judgement.observed;
  EXPECT_EQ(seen.observation.at("asked"), 200);
  EXPECT_GE(seen.observation.at("elapsed_ms").get<int>(), 990) << "they are asked for in time, not all at once";
}

TEST(DnsLoad, OneThatIsLostOrWrongIsFound) {
  const ManyTimesServer loses([](const Asked& asked) {
    return asked.number == 77 ? std::vector<std::string>{} : std::vector{address_of(asked).bytes()};
  });
  auto with = loaded;
  with["port"] = loses.port();
  const auto lost = look(load(), with, std::chrono::seconds(2)).judgement;
  EXPECT_EQ(lost.reason, "answers-lost");
  EXPECT_THAT(lost.observed, testing::HasSubstr("1 of 200 were not answered: b.corp.example. A"));
  const ManyTimesServer lies([](const Asked& asked) {
    auto reply = address_of(asked);
    if (asked.number == 150) reply.answer.clear();
    return std::vector{reply.bytes()};
  });
  with["port"] = lies.port();
  const auto wrong = look(load(), with).judgement;
  EXPECT_EQ(wrong.reason, "answers-wrong") << wrong.observed;
  with["seconds"] = 5;
  EXPECT_EQ(look(load(), with, std::chrono::seconds(1)).judgement.outcome, Outcome::error)
      << "asking for more than there is time for says nothing about the server";
}

// Takes updates, or says `rcode`; what was added is there until it is removed, unless it is `sticky`.
ManyTimesServer::Answer updates(unsigned rcode, bool shows = true, bool sticky = false) {
  auto is_there = std::make_shared<std::atomic<bool>>(false);
  return [=](const Asked& asked) {
    const bool is_update = asked.opcode() == 5;
    auto reply = reply_to(asked, is_update ? 6 : 16);
    reply.flags = (is_update ? 0xA800U : 0x8400U) | (is_update ? rcode : 0U);
    if (is_update && rcode == 0) {
      // An addition has the class IN at its record, a removal NONE (254).
      const bool removes = asked.wire.find(u16(16) + u16(254)) != std::string_view::npos;
      if (!removes || !sticky) *is_there = !removes;
    }
    if (!is_update && *is_there && shows) reply.answer = {{reply.name, 16, 60, "\x08patchlab"}};
    return std::vector{reply.bytes()};
  };
}

TEST(DnsUpdate, IsRefusedOrFails) {
  const auto judged = [](ManyTimesServer::Answer answer, bool allowed) {
    const ManyTimesServer server(std::move(answer));
    return look(update(), {{"zone", "corp.example"}, {"allowed", allowed}, {"port", server.port()}}).judgement;
  };
  EXPECT_EQ(judged(updates(5), false).outcome, Outcome::pass) << judged(updates(5), false).observed;
  EXPECT_EQ(judged(updates(0), false).reason, "update-accepted");
  EXPECT_EQ(judged(updates(2), false).reason, "update-answer-unexpected");
  EXPECT_EQ(judged(updates(0), true).outcome, Outcome::pass) << judged(updates(0), true).reason;
  EXPECT_EQ(judged(updates(5), true).reason, "update-refused");
  EXPECT_EQ(judged(updates(0, false), true).reason, "update-not-seen");
  EXPECT_EQ(judged(updates(0, true, true), true).reason, "update-not-removed");
}

TEST(DnsUpdate, LeavesNothingBehindAlsoWhereItShouldHaveBeenRefused) {
  const ManyTimesServer server(updates(0));
  const auto seen = look(update(), {{"zone", "corp.example"}, {"port", server.port()}});
  EXPECT_EQ(seen.observation.at("gone").at("records"), 0);
}

ManyTimesServer::Answer hands_over(bool to_the_end, unsigned flags = 0x8400) {
  return [=](const Asked& asked) {
    auto first = reply_to(asked, 252);
    first.flags = flags;
    auto second = first;
    if ((flags & 0xFU) != 0) return std::vector{first.bytes()};
    first.answer = {wire_soa("corp.example"), wire_a("b.corp.example", {10, 20, 0, 81}, 3600)};
    second.answer = {wire_a("a.corp.example", {10, 20, 0, 80}, 3600)};
    if (to_the_end) second.answer.push_back(wire_soa("corp.example"));
    return std::vector{first.bytes(), second.bytes()};
  };
}

TEST(DnsTransfer, IsTheWholeZone) {
  const auto digest = sha256(
      "a.corp.example. 3600 IN A 10.20.0.80\nb.corp.example. 3600 IN A 10.20.0.81\n"
      "corp.example. 300 IN SOA ns.corp.example. root.corp.example. 1 2 3 4 5\n");
  const Json with{{"zone", "corp.example"}, {"records", 3}, {"sha256", digest}};
  const auto judged = [&](ManyTimesServer::Answer answer, Json asked) {
    const ManyTimesServer server(std::move(answer));
    asked["port"] = server.port();
    return look(transfer(), asked);
  };
  const auto right = judged(hands_over(true), with);
  EXPECT_EQ(right.judgement.outcome, Outcome::pass) << right.observation.dump(1);
  auto other = with;
  other["records"] = 4;
  EXPECT_EQ(judged(hands_over(true), other).judgement.reason, "record-count-differs");
  other = with;
  other["sha256"] = std::string(64, '0');
  EXPECT_EQ(judged(hands_over(true), other).judgement.reason, "zone-differs");
  EXPECT_EQ(judged(hands_over(false), with).judgement.reason, "transfer-incomplete");
  EXPECT_EQ(judged(hands_over(true, 0x8405), with).judgement.reason, "transfer-refused");
  const auto learnt = transfer().expecting({{"zone", "corp.example"}, {"records", 1}, {"sha256", std::string(64, '0')}},
                                           right.observation);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("sha256"), digest);
}

}  // namespace
}  // namespace patchlab::checks::dns
