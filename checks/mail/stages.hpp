// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "checks/mail/line_connection.hpp"
#include "checks/mail/stage_log.hpp"

// Stages that SMTP, IMAP and POP3 have in common.
namespace patchlab::checks::mail {

// Stage "connect"; nothing: the log says why.
[[nodiscard]] std::optional<LineConnection> connect_stage(const std::string& address, std::uint16_t port,
                                                          const Deadline& deadline, StageLog& log);
// Stage "tls": what LineConnection::start_tls tells of the session; nothing: the log says why.
[[nodiscard]] std::optional<Json> tls_stage(LineConnection& connection, Certificate certificate, StageLog& log);
// "OK ready" -> word and rest.
[[nodiscard]] std::pair<std::string, std::string> split_word(const std::string& line);

}  // namespace patchlab::checks::mail
