// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::mail {

// Kind "mail.bounce": mail that cannot be delivered comes back to who sent it. Submits a message for a recipient whom a
// mail server elsewhere refuses for good, which is the check itself at the client's address, finds by IMAP what the
// server returned (RFC 3464 in RFC 6522), reads and deletes it. Parameters:
//   user, password   for submission and mailbox      from   their address, to which the message must return
//   smtp_port (587), imap_port (143), imap_tls, tls, mailbox   as for mail.delivery
//   listen_port      where the server hands mail on to, on the client's address (25); one check at a time listens
//                    there, until its recipient was refused, or nobody came for a third of the deadline
//   to               the recipient; default: a new one at the client's address, "patchlab-...@[10.20.0.250]"
//   refused_by       "client" (default), or "server": it takes mail for `to`, and finds out itself that it cannot be
//                    delivered; nobody listens then
// Observation: {"sent": {"message_id", "to"}, "smtp", "imap" (as of mail.delivery), "elsewhere": {"connections",
//   "listened_ms", "refused": [{"from", "to"}]}, "returned": {"header", "body", "report" (delivery_status.hpp)}}.
// Reasons of failure: "smtp-<stage>-<how>" and "imap-<stage>-<how>" (stage_judge.hpp), not-handed-on (nobody came to
// where the recipient is), no-bounce, bounced-more-than-once, bounce-has-a-sender, bounce-is-no-report,
// bounce-of-another-recipient, bounce-without-failure, bounce-without-message, not-deleted.
[[nodiscard]] const Check& bounce();

}  // namespace patchlab::checks::mail
