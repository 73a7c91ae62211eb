// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::mail {

// Kind "mail.relay-refused": without authentication asks the server to relay from one foreign domain to another; it
// must refuse for good (5xx at MAIL or RCPT, RFC 5321 section 3.6.2). Never sends DATA. Parameters:
//   smtp_port (25), from ("probe@outside.invalid"), to ("victim@elsewhere.invalid")
// Reasons of failure: open-relay (RCPT accepted), relay-deferred (4xx: the client would come back),
// relay-answer-unexpected, relay-no-answer, and "smtp-<stage>-<how>" (stage_judge.hpp) before that.
[[nodiscard]] const Check& relay_refused();

}  // namespace patchlab::checks::mail
