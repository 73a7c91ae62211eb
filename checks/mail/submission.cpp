// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/submission.hpp"

#include <fmt/format.h>

namespace patchlab::checks::mail {

bool submit(SmtpClient& smtp, const std::string& address, const Server& server, const Submission& with,
            const Message& message) {
  if (!smtp.connect(address, server.smtp_port) || !smtp.ehlo("ehlo") ||
      (with.tls && !smtp.secure(server.certificate)) || (with.login && !smtp.authenticate(with.user, with.password))) {
    return false;
  }
  // RFC 6152: without the extension 8-bit text may be altered, which then shows in the fetched body.
  const auto* body = smtp.offers("8BITMIME") ? " BODY=8BITMIME" : "";
  return smtp.command("mail", fmt::format("MAIL FROM:<{}>{}", with.from, body), '2') &&
         smtp.command("rcpt", fmt::format("RCPT TO:<{}>", with.to), '2') && smtp.command("data", "DATA", '3') &&
         smtp.send_data(as_smtp_data(message.text()));
}

std::vector<ExpectedStage> submission_stages(const Submission& with) {
  auto stages = smtp_stages_before_auth();
  if (!with.tls) stages.resize(3);  // "connect", "banner", "ehlo"
  if (with.login) stages.push_back({"auth", {"235"}});
  stages.insert(stages.end(), {{"mail", {"250"}}, {"rcpt", {"250", "251"}}, {"data", {"354"}}, {"message", {"250"}}});
  return stages;
}

}  // namespace patchlab::checks::mail
