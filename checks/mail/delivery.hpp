// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::mail {

// Kind "mail.delivery": submits a message with a unique id by SMTP (STARTTLS, AUTH), finds it by IMAP (TLS), compares
// it byte by byte and deletes it. Parameters:
//   those of Server (server.hpp)
//   user, password; mailbox ("INBOX")
//   from, to: plain addresses; `to` must end in that mailbox
//   bytes: the least size of the body, up to 16 MiB (default 0: about 1 kB)
//   exact: true (default): byte by byte; false: for servers that write messages anew, as Exchange does: id, subject,
//   and the first and last line of the text, whatever the encoding adds: {"X-Checked": "yes"}: header fields that the
//   server, or a rule of it, must have added smtp_login: whether to log in before sending (default true); false: as
//   mail comes from outside smtp_tls: "starttls" (default, required), or "none"; only without a login read_by: "imap"
//   (default), or "pop3" (always the user's inbox); pop3_port (110) pop3_tls: "starttls", or "implicit" (default for
//   port 995)
// Reasons of failure: "smtp-<stage>-<how>", "imap-<stage>-<how>", "pop3-<stage>-<how>" (stage_judge.hpp),
// not-delivered, delivered-more-than-once, body-altered, header-altered, header-not-added, not-deleted. A header that
// the server adds is no failure; nor is an order of headers.
[[nodiscard]] const Check& delivery();

}  // namespace patchlab::checks::mail
