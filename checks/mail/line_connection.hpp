// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "checks/deadline.hpp"
#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

namespace patchlab::checks::mail {

enum class Certificate { any, verified };

// A TCP connection for line protocols that can become a TLS one. Every call waits at most until the deadline given at
// the start. Errors are of class timeout when the server kept silent, else guest: both are things seen, not trouble of
// the lab.
class LineConnection {
 public:
  // `address` is a literal IPv4 address: checks never resolve names.
  [[nodiscard]] static Result<LineConnection> open(const std::string& address, std::uint16_t port, Deadline deadline);
  ~LineConnection();
  LineConnection(LineConnection&&) noexcept;
  LineConnection& operator=(LineConnection&&) noexcept;

  // Version, cipher and certificate of the new session. Plain bytes received before the handshake are refused: RFC 3207
  // section 6 and RFC 3501 section 6.2.1 want them dropped, and a server that sends them is broken or attacked.
  [[nodiscard]] Result<Json> start_tls(Certificate certificate);
  [[nodiscard]] Result<void> send(std::string_view bytes);
  // Without its line end (CRLF, or LF alone); an error when it is longer than 64 KiB.
  [[nodiscard]] Result<std::string> read_line();
  // Exactly that many bytes.
  [[nodiscard]] Result<std::string> read_bytes(std::size_t count);

 private:
  struct State;
  explicit LineConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace patchlab::checks::mail
