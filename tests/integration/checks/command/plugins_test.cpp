// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Monitoring plugins as they are, on loopback. Those of SMB, mail and databases are asked beside the servers of those.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "checks/socket.hpp"
#include "tests/integration/checks/command/run_command.hpp"

namespace patchlab::checks {
namespace {
using plugins::has_plugin;
using plugins::run_plugin;
using ::testing::HasSubstr;

FileDescriptor bound_to(int type, const char* text, std::uint16_t& port) {
  FileDescriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text, &address.sin_addr);
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT
  if (::bind(socket.get(), generic, sizeof address) != 0) return {};
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), generic, &size);
  port = ntohs(address.sin_port);
  return socket;
}

TEST(MonitoringPlugins, CheckTcpSaysWhetherSomebodyListens) {
  if (!has_plugin("check_tcp")) GTEST_SKIP() << "monitoring-plugins-basic is not installed";
  std::uint16_t port = 0;
  const auto listener = bound_to(SOCK_STREAM, "127.0.0.1", port);
  ASSERT_TRUE(listener.valid());
  const std::vector<std::string> arguments{"-H", "{address}", "-p", "{port}", "-t", "{deadline_s}"};
  const auto refused = run_plugin("check_tcp", arguments, port);
  EXPECT_EQ(refused.outcome, Outcome::fail) << refused.observed;
  EXPECT_EQ(refused.reason, "critical");
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  const auto open = run_plugin("check_tcp", arguments, port);
  EXPECT_EQ(open.outcome, Outcome::pass) << open.observed;
  EXPECT_THAT(open.observed, HasSubstr("TCP OK"));
  EXPECT_EQ(open.evidence.at("performance").at(0).at("label"), "time");
}

// Answers each question for an address until it is told to end.
class NameServer {
 public:
  explicit NameServer(FileDescriptor socket)
      : socket_(std::move(socket)), thread_([this](const std::stop_token& stop) { serve(stop); }) {}

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!wait_readable(socket_.get(), Deadline(std::chrono::milliseconds(100)))) continue;
      std::array<char, 2048> buffer{};
      sockaddr_in client{};
      socklen_t size = sizeof client;
      auto* generic = reinterpret_cast<sockaddr*>(&client);  // NOLINT
      const auto count = ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, generic, &size);
      if (count < 12) continue;
      const std::string_view query(buffer.data(), static_cast<std::size_t>(count));
      const auto answer = answer_to(query);
      ::sendto(socket_.get(), answer.data(), answer.size(), 0, generic, size);
    }
  }
  // The question as it came, and for type A 10.20.0.80; no other records (RFC 1035 section 4.1).
  static std::string answer_to(std::string_view query) {
    auto end = std::size_t{12};
    while (end < query.size() && query[end] != '\0') end += static_cast<unsigned char>(query[end]) + 1U;
    end += 5;
    if (end > query.size()) return {};
    const bool is_a = query[end - 4] == '\0' && query[end - 3] == '\1';
    std::string answer(query.substr(0, 2));
    answer += std::string("\x85\x80\0\1", 4) + std::string(is_a ? "\0\1" : "\0\0", 2) + std::string(4, '\0');
    answer += query.substr(12, end - 12);
    if (is_a) answer += std::string("\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\x0a\x14\0\x50", 16);
    return answer;
  }
  FileDescriptor socket_;
  std::jthread thread_;
};

TEST(MonitoringPlugins, CheckDnsAsksTheServerItIsGiven) {
  if (!has_plugin("check_dns") || !std::filesystem::exists("/usr/bin/nslookup"))
    GTEST_SKIP() << "monitoring-plugins-standard and bind9-dnsutils are not installed";
  std::uint16_t port = 53;  // nslookup knows no other
  auto socket = bound_to(SOCK_DGRAM, "127.77.0.53", port);
  if (!socket.valid()) GTEST_SKIP() << "port 53 needs root";
  const NameServer server(std::move(socket));
  const auto ask = [&](const char* wanted) {
    return run_plugin("check_dns", {"-s", "{address}", "-H", "www.corp.example", "-a", wanted, "-t", "{deadline_s}"},
                      port, "127.77.0.53");
  };
  const auto right = ask("10.20.0.80");
  EXPECT_EQ(right.outcome, Outcome::pass) << right.observed << right.evidence;
  EXPECT_THAT(right.observed, HasSubstr("DNS OK"));
  const auto wrong = ask("10.20.0.81");
  EXPECT_EQ(wrong.outcome, Outcome::fail) << wrong.observed;
}

}  // namespace
}  // namespace patchlab::checks
