// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "checks/deadline.hpp"
#include "lab/core/result.hpp"

// The client's end of TLS by OpenSSL, for those checks that shake hands. Inside this folder only.
namespace patchlab::checks::port {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(SSL_SESSION* kept) const { SSL_SESSION_free(kept); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* memory) const { BIO_free(memory); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// Offers this one version with every cipher that this host knows, and has no opinion on the certificate. An Error when
// this host cannot speak the version.
[[nodiscard]] Result<Owned<SSL_CTX>> client_context(const std::string& version);
[[nodiscard]] Result<Owned<SSL>> client_session(SSL_CTX& context);

// How bytes come and go while a handshake has to wait for them.
class Wire {
 public:
  enum class Wanted { bytes, room };
  virtual ~Wire() = default;
  // What prevents it, as a reason of HandshakeEnd::why; empty: it can go on. At the deadline it says nothing and
  // `passed` is true.
  struct Waited {
    bool passed = false;
    std::string trouble{};
  };
  [[nodiscard]] virtual Waited wait(Wanted wanted, const Deadline& deadline) = 0;
};
// OpenSSL reads and writes the socket itself.
class SocketWire final : public Wire {
 public:
  explicit SocketWire(int socket) : socket_(socket) {}
  [[nodiscard]] Waited wait(Wanted wanted, const Deadline& deadline) override;

 private:
  int socket_;
};

struct HandshakeEnd {
  std::string ended;  // "offered", "refused", "no-answer" or "malformed", see handshake.hpp
  std::string why;    // in OpenSSL's or the system's words, unless offered
  [[nodiscard]] bool done() const { return ended == "offered"; }
};
// An Error: its own list of versions or ciphers is empty, whatever the server would say.
[[nodiscard]] Result<HandshakeEnd> finish_handshake(SSL& session, Wire& wire, const std::string& version,
                                                    const Deadline& deadline);

[[nodiscard]] std::string openssl_words(unsigned long code);

}  // namespace patchlab::checks::port
