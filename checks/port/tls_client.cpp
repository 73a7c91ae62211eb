// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/tls_client.hpp"

#include <fmt/format.h>
#include <openssl/err.h>

#include <cerrno>

#include "checks/socket.hpp"

namespace patchlab::checks::port {
namespace {

int number_of(const std::string& version) {
  if (version == "1.0") return TLS1_VERSION;
  if (version == "1.1") return TLS1_1_VERSION;
  return version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

Error cannot_speak(const std::string& version, unsigned long code) {
  return infrastructure_error(fmt::format("this host cannot speak TLS {}: {}", version, openssl_words(code)));
}

// Alerts of the server stand above SSL_AD_REASON_OFFSET. A server that answers with another version than the one that
// was offered does not speak that one.
HandshakeEnd failure(unsigned long code, const std::string& version) {
  const int reason = ERR_GET_REASON(code);
  const bool is_alert = reason > SSL_AD_REASON_OFFSET;
  const bool is_other_version = reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_WRONG_SSL_VERSION;
  if (is_alert || is_other_version) return {"refused", openssl_words(code)};
  if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) return {"refused", "the server closed the connection"};
  return {"malformed", fmt::format("TLS {}: {}", version, openssl_words(code))};
}

}  // namespace

std::string openssl_words(unsigned long code) {
  std::string text(256, '\0');
  ERR_error_string_n(code, text.data(), text.size());
  return text.c_str();
}

// The host's own configuration (openssl.cnf) must not decide what is asked for.
Result<Owned<SSL_CTX>> client_context(const std::string& version) {
  Owned<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  const int number = number_of(version);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), number) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), number) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), "ALL:!aNULL:@SECLEVEL=0") != 1)
    return cannot_speak(version, ERR_get_error());
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

Result<Owned<SSL>> client_session(SSL_CTX& context) {
  Owned<SSL> session(SSL_new(&context));
  if (!session) return infrastructure_error("making a TLS session");
  return session;
}

Wire::Waited SocketWire::wait(Wanted wanted, const Deadline& deadline) {
  const bool is_ready = !deadline.passed() &&
                        (wanted == Wanted::bytes ? wait_readable(socket_, deadline) : wait_writable(socket_, deadline));
  return {.passed = !is_ready};
}

Result<HandshakeEnd> finish_handshake(SSL& session, Wire& wire, const std::string& version, const Deadline& deadline) {
  while (true) {
    errno = 0;
    ERR_clear_error();
    const int result = SSL_connect(&session);
    const int number = errno;
    const auto code = ERR_get_error();
    if (result == 1) return HandshakeEnd{"offered", {}};
    const int wanted = SSL_get_error(&session, result);
    if (ERR_GET_REASON(code) == SSL_R_NO_PROTOCOLS_AVAILABLE || ERR_GET_REASON(code) == SSL_R_NO_CIPHERS_AVAILABLE)
      return cannot_speak(version, code);
    if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE) {
      const auto waited = wire.wait(wanted == SSL_ERROR_WANT_READ ? Wire::Wanted::bytes : Wire::Wanted::room, deadline);
      if (waited.passed) return HandshakeEnd{"no-answer", "no end of the handshake until the deadline"};
      if (!waited.trouble.empty()) return HandshakeEnd{"refused", waited.trouble};
    } else if (code != 0) {
      return failure(code, version);
    } else {
      return HandshakeEnd{"refused", number == 0 ? "the server closed the connection" : describe_errno(number)};
    }
  }
}

}  // namespace patchlab::checks::port
