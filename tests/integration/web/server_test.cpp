// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/web/server.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace patchlab::lab::web {
namespace {

using boost::asio::ip::tcp;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A server on loopback that answers with what it got.
class DeskServer : public ::testing::Test {
 protected:
  void start(Server::Limits limits) {
    auto server = Server::listen("127.0.0.1", 0, limits);
    ASSERT_TRUE(server) << server.error().message;
    port_ = server->port();
    thread_ = std::jthread([this, running = std::move(*server)](const std::stop_token& stop) mutable {
      running.run(
          [this](const WebRequest& request) -> WebResponse {
            ++asked_;
            if (request.target == "/bug") throw std::runtime_error("a bug");
            std::string text = request.method + " " + request.target;
            for (const auto& header : request.headers) text += " " + header.name + "=" + header.value;
            WebResponse response{200, "text/plain", text + " " + request.body};
            if (request.target == "/scripts") response.scripts = WebResponse::Scripts::ours;
            if (request.target == "/file") response.file_name = "a-1.csv";
            return response;
          },
          stop, Server::Signals::ignore, [this](const std::string& bug) { bug_ = bug; });
    });
  }
  tcp::socket connect() {
    tcp::socket socket(context_);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port_});
    return socket;
  }
  // Everything until the server closes.
  static std::string rest_of(tcp::socket& socket) {
    std::string text;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), end);
    return text;
  }
  std::string answer_to(const std::string& bytes) {
    auto socket = connect();
    boost::system::error_code ignored;
    boost::asio::write(socket, boost::asio::buffer(bytes), ignored);
    return rest_of(socket);
  }

  boost::asio::io_context context_;
  std::uint16_t port_ = 0;
  std::atomic<int> asked_{0};
  std::string bug_;
  std::jthread thread_;
};

TEST_F(DeskServer, HandsOverWhatWasSentAndSaysItsRules) {
  start({});
  const auto answer =
      answer_to("POST /draft HTTP/1.1\r\nHOST: a\r\nhost: b\r\nX-Y: z\r\nContent-Length: 4\r\n\r\nbodyGET /");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("POST /draft host=a host=b x-y=z"),
                            HasSubstr(" body"), HasSubstr("Connection: close\r\n"), HasSubstr("default-src 'none'"),
                            HasSubstr("frame-ancestors 'none'"), HasSubstr("X-Content-Type-Options: nosniff"),
                            Not(HasSubstr("script-src")), Not(HasSubstr("Content-Disposition"))));
  EXPECT_EQ(asked_, 1) << "one request a connection";
  EXPECT_THAT(answer_to("GET /bug HTTP/1.1\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("a bug"))));
  EXPECT_EQ(bug_, "a bug");
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer_to("GET /scripts HTTP/1.1\r\n\r\n"), HasSubstr("script-src 'self'"));
  EXPECT_THAT(answer_to("GET /file HTTP/1.1\r\n\r\n"),
              HasSubstr("Content-Disposition: attachment; filename=\"a-1.csv\"\r\n"));
}

TEST_F(DeskServer, TakesNoMoreThanItsLimits) {
  start({.header_bytes = 1000, .body_bytes = 1000, .patience = std::chrono::seconds(10), .connections = 64});
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer_to("GET /" + std::string(2000, 'x')), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nContent-Length: 9000000000\r\n\r\n" + std::string(1U << 20U, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n" + std::string(2001, 'x') +
                        "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  for (const char* garbage : {"\x16\x03\x01\x02", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
                              "GET / HTTP/1.1\r\nX Y: z\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                              "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"})
    EXPECT_THAT(answer_to(std::string(garbage) + "\r\n\r\n"), StartsWith("HTTP/1.1 400 ")) << garbage;
  EXPECT_EQ(asked_, 0);
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(DeskServer, WaitsForNobody) {
  start({.header_bytes = 1000, .body_bytes = 1000, .patience = std::chrono::milliseconds(300), .connections = 64});
  auto silent = connect();
  auto slow = connect();
  boost::asio::write(slow, boost::asio::buffer(std::string("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")));
  EXPECT_EQ(rest_of(silent), "");
  EXPECT_EQ(rest_of(slow), "");
  EXPECT_EQ(asked_, 0);
}

TEST_F(DeskServer, ClosesTheOldestOfTooMany) {
  start({.header_bytes = 1000, .body_bytes = 1000, .patience = std::chrono::minutes(10), .connections = 3});
  auto first = connect();
  auto second = connect();
  auto third = connect();
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(rest_of(first), "");
  boost::asio::write(third, boost::asio::buffer(std::string("GET /third HTTP/1.1\r\n\r\n")));
  EXPECT_THAT(rest_of(third), StartsWith("HTTP/1.1 200 "));
}

TEST_F(DeskServer, SaysWhereItCannotListen) {
  start({});
  const auto taken = Server::listen("127.0.0.1", port_);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("Address already in use"));
  for (const char* address : {"", "localhost", "127.0.0.1:1", "300.0.0.1", "::g"})
    EXPECT_FALSE(Server::listen(address, 0)) << address;
  EXPECT_TRUE(is_loopback("127.0.0.1"));
  EXPECT_TRUE(is_loopback("127.1.2.3"));
  EXPECT_TRUE(is_loopback("::1"));
  EXPECT_FALSE(is_loopback("0.0.0.0"));
  EXPECT_FALSE(is_loopback("::"));
  EXPECT_FALSE(is_loopback("10.0.0.1"));
  EXPECT_FALSE(is_loopback("localhost"));
}

}  // namespace
}  // namespace patchlab::lab::web
