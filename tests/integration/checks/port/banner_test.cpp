// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/banner.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <thread>

#include "checks/socket.hpp"

namespace patchlab::checks::port {
namespace {

// Says a greeting to each client, by its number, and ends the connection or leaves it to the client.
class Greeter {
 public:
  using Greeting = std::function<std::string(int client)>;
  Greeter(Greeting greeting, bool closes) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), raw, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, greeting = std::move(greeting), closes](const std::stop_token& stop) {
      std::vector<FileDescriptor> kept;
      for (int client = 0; !stop.stop_requested();) {
        if (!wait_readable(listener_.get(), Deadline(Milliseconds(20)))) continue;
        FileDescriptor socket(::accept(listener_.get(), nullptr, nullptr));
        (void)send_all(socket.get(), greeting(client++), Deadline(std::chrono::seconds(5)));
        if (!closes) kept.push_back(std::move(socket));
      }
    });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

Judgement judged(const Json& with) {
  const auto seen = banner().observe(loopback, with, std::chrono::seconds(10));
  return seen ? banner().judge(with, *seen) : Judgement{Outcome::error, seen.error().message, {}, {}};
}

TEST(TcpBanner, IsTheWholeGreetingAndWhetherItEnds) {
  const Greeter stays([](int) { return "220 mail1.corp.example ESMTP\r\n"; }, false);
  const Greeter ends([](int) { return "busy\n"; }, true);
  EXPECT_EQ(judged({{"port", stays.port()}, {"expect", "220 mail1.corp.example ESMTP"}, {"closes", false}}).outcome,
            Outcome::pass);
  EXPECT_EQ(judged({{"port", stays.port()}, {"expect", "220 mail1.corp.example"}}).reason, "greeting-differs");
  EXPECT_EQ(judged({{"port", ends.port()}, {"expect", "busy"}, {"closes", true}}).outcome, Outcome::pass);
  EXPECT_EQ(judged({{"port", ends.port()}, {"expect", "busy"}, {"closes", false}}).reason, "closed");
}

TEST(TcpBanner, SilenceIsExpectedOrAFailure) {
  const Greeter silent([](int) { return std::string(); }, false);
  EXPECT_EQ(judged({{"port", silent.port()}, {"expect", ""}, {"wait_ms", 50}}).outcome, Outcome::pass);
  const Greeter talks([](int) { return "who is there?\n"; }, false);
  EXPECT_EQ(judged({{"port", talks.port()}, {"expect", ""}}).reason, "greeting-differs");
  const Json with{{"port", silent.port()}, {"expect", "220 {any}"}};
  const auto seen = banner().observe(loopback, with, Milliseconds(200));
  ASSERT_TRUE(seen);
  EXPECT_EQ(banner().judge(with, *seen).reason, "no-greeting");
}

TEST(TcpBanner, APortThatIsClosedFails) {
  std::uint16_t port = 0;
  {
    port = Greeter([](int) { return std::string(); }, true).port();
  }
  EXPECT_EQ(judged({{"port", port}, {"expect", ""}}).reason, "connection-refused");
}

TEST(TcpBanner, IsLearntWithoutWhatVaries) {
  const Greeter pop3([](int client) { return fmt::format("+OK Dovecot ready. <{}.7@mail1>\r\n", 4711 + client); },
                     false);
  const Json draft{{"port", pop3.port()}};
  const auto seen = banner().observe(loopback, draft, std::chrono::seconds(10));
  ASSERT_TRUE(seen);
  const auto learnt = banner().expecting(draft, *seen);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("expect"), "+OK Dovecot ready. {any}");
  EXPECT_EQ(learnt->at("closes"), false);
  EXPECT_EQ(judged(*learnt).outcome, Outcome::pass);
}

}  // namespace
}  // namespace patchlab::checks::port
