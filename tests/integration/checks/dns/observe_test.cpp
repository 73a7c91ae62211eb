// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The DNS observer against a tiny server on loopback whose answers are written byte by byte.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "checks/dns/exchange.hpp"
#include "checks/dns/query.hpp"
#include "checks/dns/records.hpp"
#include "checks/socket.hpp"
#include "tests/unit/checks/dns/dns_wire.hpp"

namespace patchlab::checks::dns {
namespace {

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }  // NOLINT

// A socket on a loopback port, a free one by default.
class Listener {
 public:
  explicit Listener(int type, std::uint16_t port = 0) : socket_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), generic(address), size), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(socket_.get(), 4), 0);
    }
    EXPECT_EQ(::getsockname(socket_.get(), generic(address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] int get() const { return socket_.get(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
};

unsigned id_of(std::string_view query) {
  return static_cast<unsigned char>(query[0]) * 256U + static_cast<unsigned char>(query[1]);
}

WireMessage reply_to(std::string_view query) {
  WireMessage reply;
  reply.id = id_of(query);
  reply.answer = {wire_a("www.corp.example", {10, 20, 0, 80})};
  return reply;
}

// Answers one query with the messages which `answers` makes of it.
class UdpServer {
 public:
  using Answers = std::function<std::vector<std::string>(std::string_view query)>;
  explicit UdpServer(Answers answers) : thread_([this, answers = std::move(answers)] { serve(answers); }) {}
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

 private:
  void serve(const Answers& answers) {
    if (!wait_readable(listener_.get(), Deadline(std::chrono::seconds(10)))) return;
    std::array<char, 2048> buffer{};
    sockaddr_in client{};
    socklen_t size = sizeof client;
    const auto count = ::recvfrom(listener_.get(), buffer.data(), buffer.size(), 0, generic(client), &size);
    for (const auto& answer : answers({buffer.data(), static_cast<std::size_t>(count)})) {
      ::sendto(listener_.get(), answer.data(), answer.size(), 0, generic(client), size);
    }
  }
  Listener listener_{SOCK_DGRAM};
  std::jthread thread_;
};

// Accepts one connection, reads one framed query, writes the bytes which `answer` makes of it and closes.
class TcpServer {
 public:
  using Answer = std::function<std::string(std::string_view query)>;
  explicit TcpServer(Answer answer) : thread_([this, answer = std::move(answer)] { serve(answer); }) {}
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

 private:
  void serve(const Answer& answer) {
    if (!wait_readable(listener_.get(), Deadline(std::chrono::seconds(10)))) return;
    const FileDescriptor connection(::accept(listener_.get(), nullptr, nullptr));
    std::array<char, 2048> buffer{};
    const auto count = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (count < 4) return;
    const auto bytes = answer({buffer.data() + 2, static_cast<std::size_t>(count) - 2});
    (void)send_all(connection.get(), bytes, Deadline(std::chrono::seconds(5)));
  }
  Listener listener_{SOCK_STREAM};
  std::jthread thread_;
};

Json parameters(std::uint16_t port, const std::string& transport) {
  return Json{{"name", "www.corp.example"}, {"type", "A"},
              {"transport", transport},     {"expect", {"www.corp.example. A 10.20.0.80"}},
              {"expect_aa", true},          {"port", port}};
}

Judgement checked(std::uint16_t port, const std::string& transport, Milliseconds deadline = std::chrono::seconds(10)) {
  const auto with = parameters(port, transport);
  const auto observation = query().observe({"127.0.0.1", "127.0.0.1", "lo"}, with, deadline);
  if (!observation) return {Outcome::error, observation.error().message, {}, {}};
  return query().judge(with, *observation);
}

std::string framed(const std::string& message) { return u16(static_cast<unsigned>(message.size())) + message; }

TEST(DnsOverUdp, PassesOnTheRightAnswer) {
  const UdpServer server([](auto query) { return std::vector{reply_to(query).bytes()}; });
  const auto judgement = checked(server.port(), "udp");
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason << " " << judgement.observed;
}

TEST(DnsOverUdp, WaitsOnAfterAnAnswerToSomebodyElse) {
  const UdpServer server([](auto query) {
    auto other = reply_to(query);
    other.id ^= 1U;
    other.answer.clear();
    return std::vector{other.bytes(), std::string("x"), reply_to(query).bytes()};
  });
  EXPECT_EQ(checked(server.port(), "udp").outcome, Outcome::pass);
}

TEST(DnsOverUdp, FailsOnOnlyWrongIds) {
  const UdpServer server([](auto query) {
    auto other = reply_to(query);
    other.id ^= 1U;
    return std::vector{other.bytes()};
  });
  EXPECT_EQ(checked(server.port(), "udp", Milliseconds(300)).reason, "wrong-id");
}

TEST(DnsOverUdp, ReportsTruncationInsteadOfRetryingByTcp) {
  const UdpServer server([](auto query) {
    auto reply = reply_to(query);
    reply.flags |= 0x0200U;
    return std::vector{reply.bytes()};
  });
  EXPECT_EQ(checked(server.port(), "udp").reason, "truncated");
}

TEST(DnsOverUdp, SilenceIsAFailureWithinTheDeadline) {
  const UdpServer server([](auto) { return std::vector<std::string>{}; });
  EXPECT_EQ(checked(server.port(), "udp", Milliseconds(200)).reason, "no-answer");
}

// The query is lost, as is the word of a host that just told somebody else that nobody listens.
TEST(DnsOverUdp, WhoIsNotThereIsNotWaitedFor) {
  auto gone = std::make_unique<Listener>(SOCK_DGRAM);
  const auto port = gone->port();
  const std::jthread server([&gone] {
    ASSERT_TRUE(wait_readable(gone->get(), Deadline(std::chrono::seconds(10))));
    std::array<char, 16> query{};
    ASSERT_EQ(::recv(gone->get(), query.data(), query.size(), 0), 5);
    gone.reset();
  });
  const Deadline deadline(std::chrono::seconds(20));
  const auto seen = exchange_udp({"127.0.0.1", port}, "", "query", deadline, Milliseconds(100));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->value("errno", 0), ECONNREFUSED);
  EXPECT_EQ(seen->value("tcp", ""), "refused");
  EXPECT_GE(deadline.elapsed(), Milliseconds(100));
  EXPECT_LT(deadline.elapsed(), std::chrono::seconds(10));
}

// Not every server listens on TCP. One that takes longer than our patience, and not longer than its deadline, answers.
TEST(DnsOverUdp, WhoRefusesTcpAndIsSlowIsWaitedForUntilTheDeadline) {
  const Listener slow(SOCK_DGRAM);
  const std::jthread server([&slow] {
    std::array<char, 16> query{}, knock{};
    sockaddr_in client{};
    socklen_t size = sizeof client;
    const Deadline deadline(std::chrono::seconds(10));
    if (!wait_readable(slow.get(), deadline)) return;
    const auto count = ::recvfrom(slow.get(), query.data(), query.size(), 0, generic(client), &size);
    // As slow as it takes until somebody has lost patience, on whatever host.
    if (count < 0 || !wait_readable(slow.get(), deadline)) return;
    if (::recv(slow.get(), knock.data(), knock.size(), 0) == 0)
      ::sendto(slow.get(), query.data(), static_cast<std::size_t>(count), 0, generic(client), size);
  });
  const auto seen =
      exchange_udp({"127.0.0.1", slow.port()}, "", "query", Deadline(std::chrono::seconds(20)), Milliseconds(50));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->value("reply", ""), "7175657279") << seen->dump();
  EXPECT_EQ(seen->value("tcp", ""), "refused");
  const Listener silent(SOCK_DGRAM);
  const Deadline deadline(Milliseconds(400));
  const auto nothing = exchange_udp({"127.0.0.1", silent.port()}, "", "query", deadline, Milliseconds(50));
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->value("errno", 0), ETIMEDOUT);
}

TEST(DnsOverUdp, WhoListensOnTcpIsWaitedForUntilTheDeadline) {
  const Listener listening(SOCK_STREAM);
  const Listener silent(SOCK_DGRAM, listening.port());
  const Deadline deadline(Milliseconds(400));
  const auto seen = exchange_udp({"127.0.0.1", silent.port()}, "", "query", deadline, Milliseconds(50));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->value("errno", 0), ETIMEDOUT);
  EXPECT_FALSE(seen->contains("tcp"));
  EXPECT_TRUE(deadline.passed());
}

TEST(DnsOverUdp, AnAnswerThatComesAfterTheDoubtCounts) {
  const Listener listening(SOCK_STREAM);
  const Listener slow(SOCK_DGRAM, listening.port());
  const std::jthread server([&slow] {
    std::array<char, 16> query{};
    sockaddr_in client{};
    socklen_t size = sizeof client;
    ASSERT_EQ(::recvfrom(slow.get(), query.data(), query.size(), 0, generic(client), &size), 5);
    std::this_thread::sleep_for(Milliseconds(200));
    ASSERT_EQ(::sendto(slow.get(), "quick", 5, 0, generic(client), size), 5);
  });
  const auto seen =
      exchange_udp({"127.0.0.1", slow.port()}, "", "query", Deadline(std::chrono::seconds(20)), Milliseconds(50));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->value("reply", ""), "717569636b");
}

TEST(DnsOverUdp, ClosedPortIsConnectionRefused) {
  const auto port = Listener(SOCK_DGRAM).port();
  EXPECT_EQ(checked(port, "udp", Milliseconds(2000)).reason, "connection-refused");
}

TEST(DnsRecordsObserver, AsksNothingMoreAfterSilence) {
  const auto port = Listener(SOCK_DGRAM).port();
  const Json with{{"records", {"a.corp.example. A 10.20.0.80", "b.corp.example. A 10.20.0.81"}}, {"port", port}};
  const auto observation = records().observe({"127.0.0.1", "127.0.0.1", "lo"}, with, std::chrono::seconds(2));
  ASSERT_TRUE(observation);
  EXPECT_EQ(observation->at("lookups").size(), 1U);
  EXPECT_EQ(records().judge(with, *observation).reason, "connection-refused");
}

TEST(DnsOverUdp, GarbageWithTheRightIdIsMalformed) {
  const UdpServer server(
      [](auto query) { return std::vector{std::string(query.substr(0, 2)) + "rubbish and more rubbish"}; });
  EXPECT_EQ(checked(server.port(), "udp").reason, "malformed-reply");
}

TEST(DnsOverTcp, PassesOnTheRightAnswer) {
  const TcpServer server([](auto query) { return framed(reply_to(query).bytes()); });
  const auto judgement = checked(server.port(), "tcp");
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason << " " << judgement.observed;
}

TEST(DnsOverTcp, FailsWhenTheServerJustCloses) {
  const TcpServer server([](auto) { return std::string(); });
  const auto judgement = checked(server.port(), "tcp");
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_THAT(judgement.reason, testing::AnyOf("connection-closed", "connection-broken"));
}

TEST(DnsOverTcp, FailsOnAnAnswerCutShort) {
  const TcpServer server([](auto query) {
    const auto whole = framed(reply_to(query).bytes());
    return whole.substr(0, whole.size() - 5);
  });
  EXPECT_EQ(checked(server.port(), "tcp").reason, "malformed-reply");
}

TEST(DnsOverTcp, ClosedPortIsConnectionRefused) {
  const auto port = Listener(SOCK_STREAM).port();
  EXPECT_EQ(checked(port, "tcp").reason, "connection-refused");
}

TEST(DnsObserver, SourceAddressThatIsNotOursIsTroubleOfTheLab) {
  const auto observation = query().observe({"127.0.0.1", "192.0.2.77", "lo"}, parameters(53, "udp"), Milliseconds(200));
  ASSERT_FALSE(observation);
  EXPECT_EQ(observation.error().error_class, ErrorClass::infrastructure);
}

}  // namespace
}  // namespace patchlab::checks::dns
