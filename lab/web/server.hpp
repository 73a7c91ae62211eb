// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "lab/core/result.hpp"
#include "lab/web/http.hpp"

namespace patchlab::lab::web {

// HTTP/1.1 (RFC 9112) for a few people: one thread, one request a connection, everything bounded. Requests are answered
// one after another; whoever sends slowly, or nothing, holds up nobody else. No TLS: what has it stands in front.
class Server {
 public:
  struct Limits {
    std::uint32_t header_bytes = 16U << 10U;
    std::uint32_t body_bytes = longest_body;
    std::chrono::milliseconds patience = std::chrono::seconds(10);  // for a whole request, and for its whole answer
    std::size_t connections = 64;                                   // one more, and the oldest is closed
  };
  // May take long (a signature is verified in about 65 ms). What it throws is a bug, answered with 500 and told to
  // `on_bug`.
  using Handler = std::function<WebResponse(const WebRequest&)>;

  // `address`: numeric, IPv4 or IPv6; `port` 0: whichever is free. An error (configuration) when that cannot be had.
  [[nodiscard]] static Result<Server> listen(const std::string& address, std::uint16_t port, Limits limits);
  [[nodiscard]] static Result<Server> listen(const std::string& address, std::uint16_t port);
  ~Server();
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;

  [[nodiscard]] std::uint16_t port() const;
  // Answers in the calling thread until `stop` is requested (from any thread), or SIGINT or SIGTERM come when
  // `on_signals` says so. Once.
  enum class Signals { ignore, end };
  void run(const Handler& handler, std::stop_token stop, Signals signals,
           const std::function<void(const std::string&)>& on_bug);

 private:
  class State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether connections to it can only come from this host.
[[nodiscard]] bool is_loopback(const std::string& address);

}  // namespace patchlab::lab::web
