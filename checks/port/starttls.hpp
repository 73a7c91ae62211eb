// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/deadline.hpp"

namespace patchlab::checks::port {

// How a connection comes to TLS: at once, or asked for in the words of a protocol.
enum class Starttls { none, smtp, imap, pop3 };
[[nodiscard]] const std::vector<std::string>& starttls_words();  // "none", "smtp", "imap", "pop3"
[[nodiscard]] std::optional<Starttls> starttls_from(const std::string& word);

// Why it did not come to that.
struct StarttlsTrouble {
  std::string reason;  // "no-answer", "connection-broken", "malformed-reply", "starttls-refused",
                       // "starttls-not-offered", "text-before-tls"
  std::string text;    // what was seen, for the reader
};
// Speaks until the server waits for the handshake (RFC 3207, RFC 3501 section 6.2.1, RFC 2595 section 4). Whatever the
// server has sent behind its consent is refused: it would be taken for what was said in TLS.
[[nodiscard]] std::optional<StarttlsTrouble> ask_for_tls(int socket, Starttls how, const Deadline& deadline);

}  // namespace patchlab::checks::port
