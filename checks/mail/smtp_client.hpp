// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checks/mail/line_connection.hpp"
#include "checks/mail/stage_log.hpp"

namespace patchlab::checks::mail {

// The client's side of SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH (RFC 4954), one stage per call. Each writes
// what was answered into the log and returns whether the exchange may go on; judging the answers is not its task.
class SmtpClient {
 public:
  SmtpClient(Deadline deadline, StageLog& log) : deadline_(deadline), log_(log) {}

  // Stages "connect" and "banner".
  bool connect(const std::string& address, std::uint16_t port);
  bool ehlo(const std::string& stage);
  // Stages "starttls", "tls" and "ehlo-tls".
  bool secure(Certificate certificate);
  // Stage "auth": PLAIN (RFC 4616), or LOGIN when a server offers only that. The log never holds the secret.
  bool authenticate(const std::string& user, const std::string& password);
  // Any other command; `good` is the first digit of the answer that lets the exchange go on.
  bool command(const std::string& stage, const std::string& line, char good);
  // Stage "message": the data itself, already dot-stuffed, and the answer to it.
  bool send_data(const std::string& data);
  // Stage "quit"; its answer does not matter any more.
  void quit();

  [[nodiscard]] bool offers(const std::string& capability) const { return capabilities_.contains(capability); }
  [[nodiscard]] const std::set<std::string>& capabilities() const { return capabilities_; }
  [[nodiscard]] const Json& tls() const { return tls_; }

 private:
  struct Reply {
    std::string code;
    std::vector<std::string> lines;
  };
  Result<Reply> read_reply();
  // Sends (unless `line` is empty), reads and logs.
  std::optional<Reply> exchange(const std::string& stage, std::string_view line);
  bool login_by_steps(const std::string& user, const std::string& password);

  Deadline deadline_;
  StageLog& log_;
  std::optional<LineConnection> connection_;
  std::set<std::string>
      capabilities_;  // upper case: "STARTTLS", "8BITMIME", "AUTH PLAIN" (one per mechanism), "SIZE 1000"
  Json tls_;
};

}  // namespace patchlab::checks::mail
