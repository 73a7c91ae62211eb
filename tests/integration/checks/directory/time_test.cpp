// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// ntp.query against chrony on loopback, and against servers whose clocks are wrong.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

#include "checks/ntp/message.hpp"
#include "checks/socket.hpp"
#include "lab/process/child.hpp"
#include "tests/integration/checks/directory/checked.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks::test {
namespace {

CheckResult asked(std::uint16_t port, Json with = Json::object(), Milliseconds limit = std::chrono::seconds(10)) {
  with["port"] = port;
  return checked("ntp.query", with, "127.0.0.1", "no secret", limit);
}

// Answers each question with 48 bytes of the test's, after the origin was filled in.
class ClockServer {
 public:
  using Answer = std::function<void(std::string& reply)>;
  explicit ClockServer(Answer answer)
      : answer_(std::move(answer)), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), raw, size), 0);
    EXPECT_EQ(::getsockname(socket_.get(), raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (wait_readable(socket_.get(), Deadline(Milliseconds(20)))) serve();
      }
    });
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve() {
    std::array<char, 200> question{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* raw = reinterpret_cast<sockaddr*>(&from);
    if (::recvfrom(socket_.get(), question.data(), question.size(), 0, raw, &size) < 48) return;
    std::string reply(48, '\0');
    reply[0] = 0x24;  // version 4, a server's
    reply[1] = 2;
    const std::string origin(question.data() + 40, 8);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    write_time(reply, 32, std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
    reply.replace(40, 8, reply.substr(32, 8));
    reply.replace(24, 8, origin);
    answer_(reply);
    ::sendto(socket_.get(), reply.data(), reply.size(), 0, raw, size);
  }

 public:
  static void write_time(std::string& reply, std::size_t at, std::int64_t since_1970) {
    const auto time = ntp::timestamp_of(since_1970);
    for (std::size_t i = 0; i < 8; ++i) reply[at + i] = static_cast<char>(time >> (56 - 8 * i) & 0xFFU);
  }

 private:
  Answer answer_;
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

TEST(NtpQuery, GetsTheTimeOfChrony) {
  if (!std::filesystem::exists("/usr/sbin/chronyd")) GTEST_SKIP() << "chrony is not installed (apt-get install chrony)";
  const patchlab::test::TemporaryFolder folder;
  // Below those that the kernel hands out: chrony has to be told one.
  const auto port = static_cast<std::uint16_t>(10000 + ::getpid() % 10000);
  const auto file = folder.write("chrony.conf", fmt::format("port {}\nbindaddress 127.0.0.1\nallow 127.0.0.1\n"
                                                            "local stratum 5\ncmdport 0\nbindcmdaddress /\n"
                                                            "pidfile {}/pid\n",
                                                            port, folder.path().string()));
  ProcessSpec spec;
  spec.program = "/usr/sbin/chronyd";
  spec.arguments = {"-d", "-x", "-u", ::geteuid() == 0 ? "root" : "", "-f", file.string()};
  if (::geteuid() != 0) GTEST_SKIP() << "chronyd is started by root only";
  const auto child = ChildProcess::start(spec);
  ASSERT_TRUE(child);
  // It asks again until chrony answers.
  const auto ready =
      wait_until(system_clock_source(), {"chronyd answers", std::chrono::seconds(30), Milliseconds(20), {}, {}},
                 [&] { return asked(port).reason != "connection-refused"; });
  ASSERT_TRUE(ready) << ready.error().message;
  const auto result = asked(port, {{"max_stratum", 5}, {"offset_ms", 1000}});
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  EXPECT_EQ(asked(port, {{"max_stratum", 4}, {"version", 3}}).reason, "stratum-too-high");
}

TEST(NtpQuery, FindsAClockThatIsFarAway) {
  const ClockServer late([](std::string& reply) {
    const auto then = std::chrono::system_clock::now() + std::chrono::minutes(6);
    const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(then.time_since_epoch()).count();
    ClockServer::write_time(reply, 32, time);
    ClockServer::write_time(reply, 40, time);
  });
  EXPECT_EQ(asked(late.port()).outcome, Outcome::pass) << "the offset is not looked at unless that is said";
  const auto result = asked(late.port(), {{"offset_ms", 300000}});
  EXPECT_EQ(result.reason, "offset-too-large") << told(result);
  EXPECT_EQ(asked(late.port(), {{"offset_ms", 400000}}).outcome, Outcome::pass);
}

TEST(NtpQuery, SaysWhatKeepsAServerFromTellingTheTime) {
  const ClockServer kiss([](std::string& reply) {
    reply[1] = 0;
    reply.replace(12, 4, "RATE");
  });
  const auto refused = asked(kiss.port());
  EXPECT_EQ(refused.reason, "kiss-o'-death");
  EXPECT_THAT(refused.observed, ::testing::HasSubstr("RATE"));
  const ClockServer unsure([](std::string& reply) { reply[0] = static_cast<char>(0xE4); });
  EXPECT_EQ(asked(unsure.port()).reason, "not-synchronised");
}

// Who has not seen the question cannot set our clock (RFC 5905 section 8, the test for bogus packets).
TEST(NtpQuery, TakesNoReplyToAnotherQuestion) {
  const ClockServer stranger([](std::string& reply) { reply[24] = static_cast<char>(reply[24] ^ 1); });
  const auto result = asked(stranger.port(), Json::object(), Milliseconds(1500));
  EXPECT_EQ(result.reason, "malformed-reply") << told(result);
}

}  // namespace
}  // namespace patchlab::checks::test
