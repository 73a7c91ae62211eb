// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/datagrams.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "checks/hex.hpp"

namespace patchlab::checks {
namespace {

constexpr std::size_t most_strays = 4;
constexpr std::size_t most_shown = 512;

// True when there is nothing more to wait for.
bool receive_datagram(int socket, const DatagramQuestion& question, const Deadline& until, Json& seen) {
  std::string buffer(65535, '\0');
  while (wait_readable(socket, until)) {
    const auto size = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size < 0) {
      seen["errno"] = errno;  // ICMP port unreachable arrives here as ECONNREFUSED
      return true;
    }
    const auto datagram = std::string_view(buffer).substr(0, static_cast<std::size_t>(size));
    if (question.takes(datagram)) {
      seen["errno"] = 0;
      return true;
    }
    if (seen["strays"].size() < most_strays) seen["strays"].push_back(to_hex(datagram.substr(0, most_shown)));
  }
  return false;
}

}  // namespace

Result<Json> ask_by_datagrams(const DatagramQuestion& question, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_udp(question.server, question.source));
  Json seen{{"server", fmt::format("{}:{}", question.server.address, question.server.port)},
            {"requests", 0},
            {"strays", Json::array()},
            {"errno", ETIMEDOUT}};
  const int socket = connection.socket.get();
  while (!deadline.passed()) {
    if (const int trouble = send_all(socket, question.request(), deadline); trouble != 0) {
      seen["errno"] = trouble;
      break;
    }
    seen["requests"] = seen["requests"].get<int>() + 1;
    if (receive_datagram(socket, question, deadline.within(question.again), seen)) break;
  }
  return seen;
}

std::optional<Judgement> judge_datagrams(const Json& seen, const std::string& expected) {
  const int trouble = seen.at("errno").get<int>();
  if (trouble == 0) return std::nullopt;
  const auto strays = seen.at("strays").size();
  if (strays > 0)
    return Judgement{Outcome::fail, "malformed-reply", expected,
                     fmt::format("what came is no answer to that: {}", seen.at("strays")[0].get<std::string>())};
  return Judgement{Outcome::fail, reason_for_errno(trouble), expected,
                   fmt::format("{}, {} requests", describe_errno(trouble), seen.at("requests").get<int>())};
}

}  // namespace patchlab::checks
