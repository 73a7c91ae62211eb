// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// HTTP against a server on loopback that answers as it is told to, and against Python's own.
#include "checks/http/get.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <thread>

#include "checks/socket.hpp"
#include "lab/process/process.hpp"
#include "tests/support/tcp_listener.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks::http {
namespace {

using ::testing::HasSubstr;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

std::string page(const std::string& body, const std::string& status = "200 OK", const std::string& more = {}) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     more, body);
}

// Answers each request with what `answers` makes of its head, and ends the connection.
class Server {
 public:
  explicit Server(std::function<std::string(const std::string& head)> answers)
      : answers_(std::move(answers)), thread_([this](const std::stop_token& stop) { serve(stop); }) {}
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!wait_readable(listener_.get(), Deadline(Milliseconds(20)))) continue;
      const FileDescriptor client(::accept(listener_.get(), nullptr, nullptr));
      std::string head;
      const Deadline patience(std::chrono::seconds(5));
      for (char c = 0; head.find("\r\n\r\n") == std::string::npos;) {
        if (!wait_readable(client.get(), patience) || ::recv(client.get(), &c, 1, 0) != 1) break;
        head += c;
        if (head == "\x16") break;  // a client of TLS waits for an answer
      }
      (void)send_all(client.get(), answers_(head), patience);
    }
  }

  test::TcpListener listener_;
  std::function<std::string(const std::string&)> answers_;
  std::jthread thread_;
};

struct Seen {
  Json observation;
  Judgement judgement;
};

Seen look(const Json& with) {
  const auto observation = get().observe(loopback, with, std::chrono::seconds(5));
  if (!observation) {
    ADD_FAILURE() << observation.error().message;
    return {};
  }
  return {*observation, get().judge(with, *observation)};
}
Seen answered(const std::string& answer, Json with = Json::object()) {
  const Server server([&](const std::string&) { return answer; });
  with["port"] = server.port();
  return look(with);
}

const std::string login = page("<html><head><title> Outlook Web App </title></head><body>Sign in</body></html>");

TEST(HttpGet, PassesWhenThePageIsThere) {
  const auto seen = answered(login, {{"path", "/owa/"}, {"contains", {"Sign in", "Outlook"}}});
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.observation.dump(1);
  EXPECT_EQ(seen.observation.at("title"), "Outlook Web App");
}

// What an application that a patch broke shows: ASP.NET and classic ASP answer with 500, and say why only to localhost.
TEST(HttpGet, FailsWhenTheApplicationDoes) {
  const auto broken = page("<title>Could not load file or assembly</title>", "500 Internal Server Error");
  const auto seen = answered(broken, {{"path", "/ecp/"}});
  EXPECT_EQ(seen.judgement.outcome, Outcome::fail);
  EXPECT_EQ(seen.judgement.reason, "status-differs");
  EXPECT_THAT(seen.judgement.observed, HasSubstr("status 500, 'Could not load file or assembly'"));
  EXPECT_EQ(answered(page("", "400 Bad Request")).judgement.reason, "status-differs");
}

TEST(HttpGet, FailsWhenThePageSaysSomethingElse) {
  const auto seen = answered(page("error '80040e4d'"), {{"contains", {"one row read"}}});
  EXPECT_EQ(seen.judgement.reason, "text-missing");
  EXPECT_THAT(seen.judgement.observed, HasSubstr("error '80040e4d'"));
}

TEST(HttpGet, AsksForTheNameAndThePathThatItIsGiven) {
  std::string asked;
  const Server server([&](const std::string& head) {
    asked = head;
    return login;
  });
  const Json with{{"port", server.port()},
                  {"host", "mail1.corp.example"},
                  {"path", "/a/../b?x=1"},
                  {"user", "bob"},
                  {"password", "x"}};
  EXPECT_EQ(look(with).judgement.outcome, Outcome::pass);
  EXPECT_THAT(asked, HasSubstr("GET /a/../b?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(asked, HasSubstr(fmt::format("Host: mail1.corp.example:{}\r\n", server.port())));
  EXPECT_THAT(asked, HasSubstr("Authorization: Basic Ym9iOng="));
}

// The machine is asked whatever the page says, and nobody else.
TEST(HttpGet, FollowsRedirectsOnTheMachineItselfAndOnlyWhenAsked) {
  std::uint16_t port = 0;
  const Server server([&](const std::string& head) {
    if (head.starts_with("GET /owa/ ")) return login;
    return page("", "302 Found", fmt::format("Location: http://another.invalid:{}/owa/\r\n", port));
  });
  port = server.port();
  EXPECT_EQ(look({{"port", port}, {"redirects", 1}}).judgement.outcome, Outcome::pass);
  const auto told = look({{"port", port}});
  EXPECT_EQ(told.judgement.reason, "status-differs");
  EXPECT_THAT(told.judgement.observed, HasSubstr("status 302, to 'http://another.invalid"));
  EXPECT_EQ(look({{"port", port}, {"expect_status", 302}}).judgement.outcome, Outcome::pass);
  const Server round([&](const std::string&) { return page("", "302 Found", "Location: /again\r\n"); });
  EXPECT_EQ(look({{"port", round.port()}, {"redirects", 3}}).judgement.reason, "too-many-redirects");
}

TEST(HttpGet, LeadsNowhereButToHttp) {
  const auto seen = answered(page("", "302 Found", "Location: file:///etc/passwd\r\n"), {{"redirects", 3}});
  EXPECT_EQ(seen.judgement.outcome, Outcome::fail) << seen.observation.dump();
  EXPECT_EQ(seen.observation.dump().find("root:"), std::string::npos);
}

TEST(HttpGet, SaysHowTheServerFailed) {
  std::uint16_t closed = 0;
  {
    const test::TcpListener listener;
    closed = listener.port();
  }
  EXPECT_EQ(look({{"port", closed}}).judgement.reason, "connection-refused");
  EXPECT_EQ(answered("").judgement.reason, "connection-broken");
  EXPECT_EQ(answered("220 mail1 ESMTP\r\n").judgement.reason, "malformed-http");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").judgement.reason, "connection-broken");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Type: te").judgement.reason, "connection-broken");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n").judgement.reason, "connection-broken");
  EXPECT_EQ(answered(login, {{"tls", true}}).judgement.reason, "tls-failed");
}

TEST(HttpGet, ReadsNoMoreThanIsOfUse) {
  const auto large = answered(page(std::string(6U << 20U, 'x') + "the end"), {{"contains", {"the end"}}});
  EXPECT_EQ(large.judgement.reason, "text-missing");
  EXPECT_THAT(large.judgement.observed, HasSubstr("only the first 4 MiB"));
  EXPECT_LT(large.observation.dump().size(), 3000U);
  const auto heads = answered("HTTP/1.1 200 OK\r\n" + std::string(80000, 'x') + ": y\r\n\r\n");
  EXPECT_EQ(heads.judgement.reason, "malformed-http") << heads.observation.dump();
}

TEST(HttpGet, LearnsStatusAndTitle) {
  const Server server([&](const std::string&) { return login; });
  const Json draft{{"port", server.port()}};
  const auto seen = get().observe(loopback, draft, std::chrono::seconds(5));
  ASSERT_TRUE(seen);
  const auto learnt = get().expecting(draft, *seen);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("expect_status"), 200);
  EXPECT_EQ(learnt->at("contains"), Json({"Outlook Web App"}));
  EXPECT_EQ(look(*learnt).judgement.outcome, Outcome::pass);
  EXPECT_FALSE(get().expecting(draft, *get().observe(loopback, {{"port", 1}}, std::chrono::seconds(5))));
}

TEST(HttpGet, RefusesBadParameters) {
  const auto refused = [](const Json& with) {
    std::vector<JsonProblem> problems;
    get().validate(with, "", problems);
    return !problems.empty();
  };
  EXPECT_FALSE(refused(Json::object()));
  for (const auto& with : std::vector<Json>{{{"path", "owa"}},
                                            {{"path", "/a b"}},
                                            {{"path", "/a#b"}},
                                            {{"host", "a/b"}},
                                            {{"user", "bob"}},
                                            {{"password", "x"}},
                                            {{"user", "a:b"}, {"password", "x"}},
                                            {{"expect_status", 99}},
                                            {{"redirects", 11}},
                                            {{"contains", {""}}},
                                            {{"method", "POST"}}})
    EXPECT_TRUE(refused(with)) << with.dump();
}

// One that nobody here wrote.
TEST(HttpGet, ReadsAPageOfARealServer) {
  const test::TemporaryFolder folder;
  folder.write("canary.txt", "one row read\n");
  std::uint16_t port = 0;
  {
    const test::TcpListener listener;
    port = listener.port();
  }
  ProcessSpec spec;
  spec.program = "python3";
  spec.arguments = {
      "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder.path().string(), std::to_string(port)};
  std::stop_source stop;
  const std::jthread server([&] { (void)host_processes().run(spec, stop.get_token()); });
  Judgement judgement;
  const Deadline patience(std::chrono::seconds(20));
  do judgement = look({{"port", port}, {"path", "/canary.txt"}, {"contains", {"one row read"}}}).judgement;
  while (judgement.reason == "connection-refused" && !patience.passed());
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason << judgement.observed;
  EXPECT_EQ(look({{"port", port}, {"path", "/gone.txt"}}).judgement.reason, "status-differs");
  stop.request_stop();
}

}  // namespace
}  // namespace patchlab::checks::http
