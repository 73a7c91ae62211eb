// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "checks/database/transaction.hpp"
#include "lab/core/files.hpp"

namespace patchlab::checks::database {
namespace {
using ::testing::HasSubstr;
using ::testing::Lt;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

struct Seen {
  Json observation;
  Judgement judgement;
};

Seen look(const Check& check, const Json& parameters, Milliseconds limit = std::chrono::seconds(20)) {
  const auto observation = check.observe(loopback, parameters, limit);
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  return {*observation, check.judge(parameters, *observation)};
}

// Accepts, optionally completes the login, and says nothing more.
class SilentServer {
 public:
  explicit SilentServer(bool greets) : greets_(greets), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ::bind(listener_.get(), generic, size);
    ::listen(listener_.get(), 4);
    ::getsockname(listener_.get(), generic, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve(const std::stop_token& stop) {
    std::vector<FileDescriptor> clients;
    while (!stop.stop_requested()) {
      pollfd entry{listener_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 20) <= 0) continue;
      clients.emplace_back(::accept(listener_.get(), nullptr, nullptr));
      char startup[512];
      if (!greets_ || ::recv(clients.back().get(), startup, sizeof startup, 0) <= 0) continue;
      // AuthenticationOk and ReadyForQuery of the PostgreSQL protocol, version 3.
      constexpr std::string_view welcome("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", 15);
      ::send(clients.back().get(), welcome.data(), welcome.size(), MSG_NOSIGNAL);
    }
  }
  bool greets_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

Json parameters_for(std::uint16_t port) {
  return {{"port", port}, {"database", "d"}, {"user", "u"}, {"password", "p"}, {"sslmode", "disable"}};
}

TEST(DatabaseDeadline, HoldsAgainstAServerThatAcceptsAndIsSilent) {
  const SilentServer server(false);
  const auto start = std::chrono::steady_clock::now();
  const auto seen = look(transaction(), parameters_for(server.port()), std::chrono::seconds(1));
  EXPECT_THAT(std::chrono::steady_clock::now() - start, Lt(std::chrono::seconds(15)));
  EXPECT_EQ(seen.judgement.outcome, Outcome::fail);
  EXPECT_EQ(seen.judgement.reason, "timeout") << seen.observation.dump(1);
}

TEST(DatabaseDeadline, HoldsAgainstAServerThatFallsSilentAfterTheLogin) {
  const SilentServer server(true);
  const auto start = std::chrono::steady_clock::now();
  const auto seen = look(transaction(), parameters_for(server.port()), std::chrono::seconds(1));
  EXPECT_THAT(std::chrono::steady_clock::now() - start, Lt(std::chrono::seconds(15)));
  EXPECT_EQ(seen.judgement.reason, "timeout") << seen.observation.dump(1);
}

TEST(DatabaseDeadline, FailsWhenNothingListens) {
  std::uint16_t port = 0;
  {
    const SilentServer server(false);
    port = server.port();
  }
  const auto judgement = look(transaction(), parameters_for(port)).judgement;
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "connect-failed");
  EXPECT_THAT(judgement.observed, HasSubstr("refused"));
}

}  // namespace
}  // namespace patchlab::checks::database
