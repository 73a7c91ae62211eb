// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::mail {

// Kind "mail.size-limit": how large a message may be, both ways. The server announces the limit (SIZE, RFC 1870), takes
// a message that says it is as large as that, and refuses for good one that says it is a byte larger. Parameters:
//   limit            what is announced, in bytes
//   from, to         plain addresses; `to` of a mailbox there
//   smtp_port (25)   tls as in server.hpp
//   user, password   log in first, over STARTTLS (default: nobody logs in)
//   send             whether a message larger than that, which does not say so, is sent besides: it must be refused,
//                    too (default false; up to 64 MiB)
// Reasons of failure: "smtp-<stage>-<how>" (stage_judge.hpp; "under": at the limit, "rcpt", "data"),
// no-limit-announced, limit-differs, too-large-accepted, too-large-deferred, too-large-unexpected.
[[nodiscard]] const Check& size_limit();

}  // namespace patchlab::checks::mail
