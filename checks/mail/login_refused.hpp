// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::mail {

// Kind "mail.login-refused": a login with a password made up for this try must be refused for good, by submission (SMTP
// AUTH over TLS, 5xx) and by the mailbox (IMAP LOGIN over TLS, NO). A server that locks accounts counts the try: take a
// user whom no other check needs. Parameters: those of Server (server.hpp), and
//   user
//   tls_required  whether neither may accept a password in clear either (default true): before TLS, SMTP must not offer
//                 AUTH (RFC 4954 section 4), and IMAP must say LOGINDISABLED (RFC 3501 section 6.2.3); the latter is
//                 not asked with implicit TLS, where nothing is in clear
// Reasons of failure: wrong-password-accepted, login-in-clear-offered, login-deferred (4xx), and
// "smtp-<stage>-<how>", "imap-<stage>-<how>" (stage_judge.hpp).
[[nodiscard]] const Check& login_refused();

}  // namespace patchlab::checks::mail
