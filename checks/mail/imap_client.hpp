// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/mail/line_connection.hpp"
#include "checks/mail/stage_log.hpp"

namespace patchlab::checks::mail {

enum class ImapSecurity { starttls, implicit, none };

// The client's side of IMAP4rev1 (RFC 3501), as little as fetching one message needs. Same habits as SmtpClient.
class ImapClient {
 public:
  ImapClient(Deadline deadline, StageLog& log) : deadline_(deadline), log_(log) {}

  // Stages "connect", "tls" and "greeting" (implicit TLS), or "connect", "greeting", "starttls", "tls"; without TLS
  // "connect" and "greeting".
  bool connect(const std::string& address, std::uint16_t port, ImapSecurity security, Certificate certificate);
  // Stage "capability": what the server offers now, in upper case (RFC 3501 section 6.1.1).
  std::optional<std::set<std::string>> capabilities();
  // Stage "login"; the log never holds the password.
  bool login(const std::string& user, const std::string& password);
  // Stage "select".
  bool select(const std::string& mailbox);
  // Of the mailbox that is open: while it stays, unique ids mean the same (RFC 3501 section 2.3.1.1). Empty: not told.
  [[nodiscard]] const std::string& uid_validity() const { return uid_validity_; }
  // Stage "append": puts a message there, with these flags.
  bool append(const std::string& mailbox, const std::string& flags, const std::string& message);
  // Unique ids (RFC 3501 section 2.3.1.1) of the messages with that Message-ID, or with this text anywhere. Polled many
  // times, so the log gets a stage "search" only when the server refuses or fails.
  std::optional<std::vector<std::string>> search(const std::string& message_id);
  std::optional<std::vector<std::string>> search_text(const std::string& text);
  // By any criteria; in them `text`, which may be UTF-8, stands last.
  std::optional<std::vector<std::string>> search_for(const std::string& criteria, const std::string& text);
  // Stage "fetch": the message's bytes, without marking it as seen.
  std::optional<std::string> fetch(const std::string& uid);
  // Stage "flags": in upper case; what the server itself says of how new a message is (\\Recent) is left out.
  std::optional<std::set<std::string>> flags(const std::string& uid);
  // Stages "delete" and "expunge".
  bool remove(const std::string& uid);
  void logout();

  [[nodiscard]] const Json& tls() const { return tls_; }

 private:
  struct Response {
    std::string status;  // OK, NO, BAD
    std::string text;
    std::vector<std::string> untagged;  // without "* "
    std::vector<std::string> literals;
  };
  // `literal` is sent when the server asks for it (RFC 3501 section 7.5); "{size}" at the command's end announces it.
  Result<Response> run(const std::string& command, const std::string& literal = {});
  std::optional<Response> logged(const std::string& stage, const std::string& command, const std::string& literal = {});
  // A line and the literals in it (RFC 3501 section 4.3) put together.
  Result<std::string> read_response_line(std::vector<std::string>& literals);
  std::optional<std::vector<std::string>> search_by(const std::string& criteria, const std::string& literal = {});
  bool secure(Certificate certificate);
  bool greeting();

  Deadline deadline_;
  StageLog& log_;
  std::optional<LineConnection> connection_;
  int last_tag_ = 0;
  std::string uid_validity_;
  Json tls_;
};

// Asks `search` until it finds something, for at most four fifths of what is left: fetching and deleting need time too.
// Nothing: a search failed. Counts the searches.
[[nodiscard]] std::optional<std::vector<std::string>> await_message(
    const std::function<std::optional<std::vector<std::string>>()>& search, const Deadline& deadline, int& searches);

// A quoted string (RFC 3501 section 4.3).
[[nodiscard]] std::string imap_quoted(const std::string& text);

}  // namespace patchlab::checks::mail
