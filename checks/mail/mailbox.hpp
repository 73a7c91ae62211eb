// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::mail {

// Kind "mail.mailbox": what an IMAP client leaves in a mailbox is there in its next session, and after a restart of the
// server and its machine. Puts a message with names and texts in many encodings there, answered and flagged; a second
// session must find it, with its flags, byte for byte. It stays for the next phase of a trial (ADR 26), which must find
// it with the same unique id: a client to whom these are new fetches the whole mailbox again. A try after that takes it
// away.
// Parameters:
//   user, password, mailbox (INBOX), imap_port, imap_tls, tls   as for mail.delivery
//   found_by   what it is searched by: of "message-id", "flags", "subject" (RFC 2047) and "text" (in base64); all
// Observation: {"sent": {"message_id", "sha256"}, "imap": {"stages", "tls"}, "again": {"uid_validity", "found":
//   {by: [uid]}, "flags", "sha256"}, "kept": {"message_id", "uid", "uid_validity", "now": as "again"},
//   "left_after_delete", "memory"}; "kept" only where an earlier phase left something, "left_after_delete" where
//   something was deleted.
// Reasons of failure: "imap-<stage>-<how>" (stage_judge.hpp), not-kept, found-more-than-once, not-found-by-<how>,
// flags-differ, message-altered; the same with "over-restart-" before it, of what an earlier phase left, and
// uids-are-new; not-deleted.
[[nodiscard]] const Check& mailbox();

}  // namespace patchlab::checks::mail
