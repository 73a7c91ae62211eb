// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/web/server.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <list>

#include "lab/core/printable.hpp"

namespace patchlab::lab::web {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

// Nothing on our pages comes from elsewhere, stands in a page of somebody else, or is kept; and no script runs, or none
// that is not a file that we serve.
constexpr const char* content_policy =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";
constexpr const char* policy_of_scripts = "; script-src 'self'; connect-src 'self'";
constexpr const char* permissions =
    "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()";

http::response<http::string_body> written(WebResponse answer) {
  http::response<http::string_body> response{http::int_to_status(answer.status), 11};
  response.set(http::field::content_type, answer.content_type);
  using Scripts = WebResponse::Scripts;
  response.set("Content-Security-Policy",
               std::string(content_policy) + (answer.scripts == Scripts::ours ? policy_of_scripts : ""));
  if (!answer.file_name.empty())
    response.set(http::field::content_disposition, fmt::format("attachment; filename=\"{}\"", answer.file_name));
  response.set("Permissions-Policy", permissions);
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Frame-Options", "DENY");
  response.set("Referrer-Policy", "no-referrer");
  response.set(http::field::cache_control, "no-store");
  if (answer.status == 405) response.set(http::field::allow, answer.allow);
  response.keep_alive(false);
  response.body() = std::move(answer.body);
  response.prepare_payload();
  return response;
}

WebRequest read(http::request<http::string_body>&& message) {
  WebRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    request.headers.push_back({std::move(name), std::string(field.value())});
  }
  request.body = std::move(message.body());
  return request;
}

WebResponse plain(unsigned status, const std::string& text) {
  return {status, "text/plain; charset=utf-8", text + "\n"};
}

// nullopt: there is nobody to answer.
std::optional<WebResponse> answer_to(const beast::error_code& trouble) {
  if (trouble == http::error::body_limit) return plain(413, "too-large: more is sent than a decision can be");
  if (trouble == http::error::header_limit) return plain(431, "too-large: more header fields than a browser sends");
  if (trouble == beast::error::timeout || trouble == http::error::end_of_stream) return std::nullopt;
  if (trouble.category() == http::make_error_code(http::error::bad_method).category())
    return plain(400, "malformed: this is no request of HTTP/1.1");
  return std::nullopt;
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Answer = std::function<WebResponse(const WebRequest&)>;
  Session(tcp::socket socket, const Server::Limits& limits, const Answer& answer)
      : stream_(std::move(socket)), limits_(limits), answer_(answer) {}

  void begin() {
    parser_.header_limit(limits_.header_bytes);
    parser_.body_limit(limits_.body_bytes);
    // For all of the request, however it trickles in.
    stream_.expires_after(limits_.patience);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](beast::error_code trouble, std::size_t) { self->asked(trouble); });
  }
  void end() {
    beast::error_code ignored;
    stream_.socket().close(ignored);
  }

 private:
  void asked(beast::error_code trouble) {
    if (trouble) {
      if (auto refusal = answer_to(trouble)) return answer(std::move(*refusal));
      return end();
    }
    answer(answer_(read(parser_.release())));
  }
  void answer(WebResponse made) {
    response_ = written(std::move(made));
    stream_.expires_after(limits_.patience);
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code failed, std::size_t) {
      if (failed) return self->end();
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      self->stream_.expires_after(std::min<std::chrono::milliseconds>(self->limits_.patience, std::chrono::seconds(2)));
      self->drop(8U << 20U);
    });
  }
  // Closing on bytes that were not read would take the answer away from who still sends (RFC 9112 section 9.6).
  void drop(std::size_t most) {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(64U << 10U),
                            [self = shared_from_this(), most](beast::error_code trouble, std::size_t got) {
                              if (trouble || got >= most) return self->end();
                              self->drop(most - got);
                            });
  }

  beast::tcp_stream stream_;
  const Server::Limits& limits_;
  const Answer& answer_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

class Server::State {
 public:
  explicit State(Limits limits) : limits_(limits) {}

  Result<void> listen(const std::string& address, std::uint16_t port) {
    beast::error_code trouble;
    const auto numeric = asio::ip::make_address(address, trouble);
    if (trouble)
      return configuration_error(fmt::format("'{}' is no address to listen on", printable(address)),
                                 "give it in numbers: 127.0.0.1:8443 or [::1]:8443");
    const tcp::endpoint place(numeric, port);
    const auto failed = [&](const char* what) -> Error {
      return configuration_error(fmt::format("{} {}:{}: {}", what, address, port, trouble.message()),
                                 "--listen takes another port");
    };
    if (acceptor_.open(place.protocol(), trouble)) return failed("opening");
    acceptor_.set_option(asio::socket_base::reuse_address(true), trouble);
    if (acceptor_.bind(place, trouble)) return failed("taking");
    if (acceptor_.listen(asio::socket_base::max_listen_connections, trouble)) return failed("listening on");
    return {};
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void run(const Handler& handler, const std::stop_token& stop, Signals signals,
           const std::function<void(const std::string&)>& on_bug) {
    answer_ = [&](const WebRequest& request) {
      try {
        return handler(request);
      } catch (const std::exception& bug) {
        on_bug(bug.what());
        return plain(500, "internal-error: nothing was done that this answer could tell of; look at the ledger");
      }
    };
    asio::signal_set ending(context_);
    if (signals == Signals::end) {
      for (const int number : {SIGINT, SIGTERM}) ending.add(number);
      ending.async_wait([this](beast::error_code trouble, int) {
        if (!trouble) context_.stop();
      });
    }
    const std::stop_callback stopping(stop, [this] { context_.stop(); });
    accept();
    if (!stop.stop_requested()) context_.run();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code trouble, tcp::socket socket) {
      if (trouble) return pause();  // no descriptors left, most likely: some will be closed
      std::erase_if(open_, [](const auto& one) { return one.expired(); });
      if (open_.size() >= limits_.connections) {
        if (const auto oldest = open_.front().lock()) oldest->end();
        open_.pop_front();
      }
      const auto session = std::make_shared<Session>(std::move(socket), limits_, answer_);
      open_.push_back(session);
      session->begin();
      accept();
    });
  }
  void pause() {
    waiting_.expires_after(std::chrono::milliseconds(100));
    waiting_.async_wait([this](beast::error_code trouble) {
      if (!trouble) accept();
    });
  }

  Limits limits_;
  Session::Answer answer_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer waiting_{context_};
  std::list<std::weak_ptr<Session>> open_;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;

Result<Server> Server::listen(const std::string& address, std::uint16_t port) {
  return listen(address, port, Limits{});
}
Result<Server> Server::listen(const std::string& address, std::uint16_t port, Limits limits) {
  auto state = std::make_unique<State>(limits);
  PATCHLAB_TRY(state->listen(address, port));
  return Server(std::move(state));
}
std::uint16_t Server::port() const { return state_->port(); }
void Server::run(const Handler& handler, std::stop_token stop, Signals signals,
                 const std::function<void(const std::string&)>& on_bug) {
  state_->run(handler, stop, signals, on_bug);
}

bool is_loopback(const std::string& address) {
  beast::error_code trouble;
  const auto numeric = asio::ip::make_address(address, trouble);
  return !trouble && numeric.is_loopback();
}

}  // namespace patchlab::lab::web
