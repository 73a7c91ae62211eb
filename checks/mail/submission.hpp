// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/mail/message.hpp"
#include "checks/mail/server.hpp"
#include "checks/mail/smtp_client.hpp"

namespace patchlab::checks::mail {

// Who gives a message to the server, for whom, and how far that goes by STARTTLS and AUTH.
struct Submission {
  std::string user;
  std::string password;
  std::string from;
  std::string to;
  bool login = true;
  bool tls = true;
};

// Whether the server took it; what went wrong is in the client's log.
[[nodiscard]] bool submit(SmtpClient& smtp, const std::string& address, const Server& server, const Submission& with,
                          const Message& message);
// What submit() logs when all goes well.
[[nodiscard]] std::vector<ExpectedStage> submission_stages(const Submission& with);

}  // namespace patchlab::checks::mail
