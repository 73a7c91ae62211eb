// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/mail/imap_client.hpp"
#include "checks/mail/line_connection.hpp"
#include "checks/mail/stage_log.hpp"

namespace patchlab::checks::mail {

// The client's side of POP3 (RFC 1939) with STLS (RFC 2595), as little as fetching one message needs. Same habits as
// SmtpClient. A session shows the mailbox as it was when it began; what it deletes is gone when it ends.
class Pop3Client {
 public:
  Pop3Client(Deadline deadline, StageLog& log) : deadline_(deadline), log_(log) {}

  // Stages as those of ImapClient::connect, with "stls".
  bool connect(const std::string& address, std::uint16_t port, ImapSecurity security, Certificate certificate);
  // Stages "user" and "pass"; the log never holds the password.
  bool login(const std::string& user, const std::string& password);
  // Stage "list", and "top" when that goes wrong: numbers of the messages with that Message-ID, among the newest.
  std::optional<std::vector<std::size_t>> find(const std::string& message_id);
  // Stage "retr": the message's bytes.
  std::optional<std::string> fetch(std::size_t number);
  // Stage "dele".
  bool remove(std::size_t number);
  // Stage "quit", by which deleted messages are removed (RFC 1939 section 6).
  bool quit();

  [[nodiscard]] const Json& tls() const { return tls_; }

 private:
  // The first line of the answer; a trouble is in the log then.
  std::optional<std::string> asked(const std::string& stage, const std::string& command);
  bool went_well(const std::string& stage, const std::string& command);
  // What follows a first line, up to the line that is one dot, with stuffed dots taken out.
  Result<std::string> read_text();
  bool greeting();
  bool secure(Certificate certificate);

  Deadline deadline_;
  StageLog& log_;
  std::optional<LineConnection> connection_;
  Json tls_;
};

}  // namespace patchlab::checks::mail
