// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/stages.hpp"

#include <fmt/format.h>

namespace patchlab::checks::mail {

std::optional<LineConnection> connect_stage(const std::string& address, std::uint16_t port, const Deadline& deadline,
                                            StageLog& log) {
  auto connection = LineConnection::open(address, port, deadline);
  if (!connection) {
    log.troubled("connect", connection.error());
    return std::nullopt;
  }
  log.answered("connect", "", fmt::format("{} port {}", address, port));
  return *std::move(connection);
}

std::optional<Json> tls_stage(LineConnection& connection, Certificate certificate, StageLog& log) {
  auto session = connection.start_tls(certificate);
  if (!session) {
    log.troubled("tls", session.error());
    return std::nullopt;
  }
  log.answered("tls", "", fmt::format("{} {}", session->value("version", ""), session->value("cipher", "")));
  return *std::move(session);
}

std::pair<std::string, std::string> split_word(const std::string& line) {
  const auto blank = line.find(' ');
  if (blank == std::string::npos) return {line, ""};
  return {line.substr(0, blank), line.substr(blank + 1)};
}

}  // namespace patchlab::checks::mail
