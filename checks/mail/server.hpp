// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "checks/mail/imap_client.hpp"
#include "checks/mail/stage_judge.hpp"
#include "lab/core/json.hpp"

namespace patchlab::checks::mail {

// How to reach submission and mailboxes: the parameters that checks with a login share.
//   smtp_port (587)   imap_port (143)
//   imap_tls  "starttls", or "implicit" (default for port 993)
//   tls       "self-signed-ok" (default), or "verified": against the host's certificate store
struct Server {
  std::uint16_t smtp_port = 587;
  std::uint16_t imap_port = 143;
  ImapSecurity imap_security = ImapSecurity::starttls;
  Certificate certificate = Certificate::any;
};

// By the key "tls", as above.
[[nodiscard]] Certificate read_certificate(JsonReader& reader);
// "starttls" or "implicit" (default for the port on which TLS begins at once) by this key.
[[nodiscard]] ImapSecurity read_security(JsonReader& reader, const std::string& key, std::uint16_t port,
                                         std::uint16_t implicit_port);

// Reads its keys only; the caller reads its own and calls finish().
[[nodiscard]] Server read_server(JsonReader& reader);

// What must go well before anybody can log in.
[[nodiscard]] std::vector<ExpectedStage> smtp_stages_before_auth();
[[nodiscard]] std::vector<ExpectedStage> imap_stages_before_login(ImapSecurity security);
// And until a mailbox is open.
[[nodiscard]] std::vector<ExpectedStage> mailbox_stages(ImapSecurity security);
[[nodiscard]] std::vector<ExpectedStage> pop3_stages_before_login(ImapSecurity security);

}  // namespace patchlab::checks::mail
