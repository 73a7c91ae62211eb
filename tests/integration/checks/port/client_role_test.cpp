// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// A machine that calls back by TLS, with clients as updates left them.
#include "checks/port/client_role.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <functional>
#include <thread>

#include "checks/socket.hpp"
#include "tests/support/tcp_listener.hpp"

namespace patchlab::checks::port {
namespace {

using ::testing::HasSubstr;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

// A web server with one page, which does what it is told with the port that it is to call, and says this status.
class PageServer {
 public:
  explicit PageServer(std::function<int(std::uint16_t port)> calls)
      : calls_(std::move(calls)), thread_([this](const std::stop_token& stop) { serve(stop); }) {}
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!wait_readable(listener_.get(), Deadline(Milliseconds(20)))) continue;
      const FileDescriptor client(::accept(listener_.get(), nullptr, nullptr));
      const Deadline patience(std::chrono::seconds(5));
      std::string head;
      for (char c = 0; head.find("\r\n\r\n") == std::string::npos;) {
        if (!wait_readable(client.get(), patience) || ::recv(client.get(), &c, 1, 0) != 1) break;
        head += c;
      }
      const std::string before = "GET /canary/calls.asp?to=https://127.0.0.1:";
      const int status =
          head.starts_with(before) ? calls_(static_cast<std::uint16_t>(std::atoi(head.c_str() + before.size()))) : 404;
      (void)send_all(client.get(), fmt::format("HTTP/1.1 {} So\r\n\r\ncanary\n", status), patience);
    }
  }
  test::TcpListener listener_;
  std::function<int(std::uint16_t)> calls_;
  std::jthread thread_;
};

// A client of OpenSSL that speaks these versions; 200 when it was heard.
int call(std::uint16_t port, int least, int most) {
  const auto connection = connect_tcp({"127.0.0.1", port}, {}, Deadline(std::chrono::seconds(5)));
  if (!connection || connection->saved_errno != 0) return 500;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(context, least);
  SSL_CTX_set_max_proto_version(context, most);
  SSL* session = SSL_new(context);
  const int flags = ::fcntl(connection->socket.get(), F_GETFL);
  ::fcntl(connection->socket.get(), F_SETFL, flags & ~O_NONBLOCK);
  SSL_set_fd(session, connection->socket.get());
  char answer[200] = {};
  const bool heard = SSL_connect(session) == 1 && SSL_write(session, "GET / HTTP/1.0\r\n\r\n", 18) > 0 &&
                     SSL_read(session, answer, sizeof answer - 1) > 0 && std::string(answer).ends_with("\r\n\r\nheard");
  SSL_free(session);
  SSL_CTX_free(context);
  return heard ? 200 : 500;
}

struct Seen {
  Json observation;
  Judgement judgement;
};
Seen look(const PageServer& page, const std::string& version, Milliseconds limit = std::chrono::seconds(10)) {
  const Json with{{"port", page.port()},
                  {"path", "/canary/calls.asp?to={server}"},
                  {"listen_port", test::TcpListener().port()},
                  {"version", version}};
  const auto seen = tls_client_role().observe(loopback, with, limit);
  if (!seen) {
    ADD_FAILURE() << seen.error().message;
    return {};
  }
  return {*seen, tls_client_role().judge(with, *seen)};
}

TEST(TlsClientRole, PassesWhenTheMachineCalls) {
  const PageServer page([](auto port) { return call(port, TLS1_VERSION, TLS1_3_VERSION); });
  for (const char* version : {"1.0", "1.2", "1.3"}) {
    const auto seen = look(page, version);
    EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << version << seen.judgement.reason << seen.observation.dump(1);
  }
}

// As an update left clients that would speak TLS 1.2 alone to their servers, or not that.
TEST(TlsClientRole, FailsWhenTheMachineDoesNotSpeakTheVersionOfItsServer) {
  const PageServer newer([](auto port) { return call(port, TLS1_2_VERSION, TLS1_3_VERSION); });
  const auto seen = look(newer, "1.0");
  EXPECT_EQ(seen.judgement.reason, "call-refused") << seen.observation.dump(1);
  EXPECT_THAT(seen.judgement.observed, HasSubstr("1 calls, the last: "));
  const PageServer older([](auto port) { return call(port, TLS1_VERSION, TLS1_1_VERSION); });
  EXPECT_EQ(look(older, "1.2").judgement.reason, "call-refused");
  EXPECT_EQ(look(older, "1.1").judgement.outcome, Outcome::pass);
}

TEST(TlsClientRole, FailsWhenItIsNotCalledOrThePageFails) {
  const PageServer idle([](auto) { return 200; });
  EXPECT_EQ(look(idle, "1.2").judgement.reason, "not-called");
  const PageServer mute([](auto port) {
    const auto connection = connect_tcp({"127.0.0.1", port}, {}, Deadline(std::chrono::seconds(5)));
    return connection ? 500 : 501;
  });
  EXPECT_EQ(look(mute, "1.2").judgement.reason, "call-refused");
  const PageServer broken([](auto port) { return call(port, TLS1_2_VERSION, TLS1_2_VERSION) + 300; });
  const auto seen = look(broken, "1.2");
  EXPECT_EQ(seen.judgement.reason, "page-failed") << seen.observation.dump(1);
}

TEST(TlsClientRole, APortThatIsTakenIsTheLabsTrouble) {
  const test::TcpListener taken;
  const Json with{{"port", 1}, {"path", "/?{server}"}, {"listen_port", taken.port()}};
  EXPECT_FALSE(tls_client_role().observe(loopback, with, std::chrono::seconds(5)));
}

TEST(TlsClientRole, RefusesParametersThatCallNobody) {
  const auto refused = [](const Json& with) {
    std::vector<JsonProblem> problems;
    tls_client_role().validate(with, "", problems);
    return !problems.empty();
  };
  const Json good{{"path", "/calls?to={server}"}, {"listen_port", 8443}};
  EXPECT_FALSE(refused(good));
  for (const auto& more : std::vector<Json>{{{"path", "/calls"}},
                                            {{"path", "{server}"}},
                                            {{"path", "/a b{server}"}},
                                            {{"host", "a\r\nb"}},
                                            {{"version", "1.4"}},
                                            {{"listen_port", 0}}}) {
    auto with = good;
    with.update(more);
    EXPECT_TRUE(refused(with)) << with.dump();
  }
}

}  // namespace
}  // namespace patchlab::checks::port
