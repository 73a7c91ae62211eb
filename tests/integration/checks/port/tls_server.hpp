// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "checks/socket.hpp"

// OpenSSL's own server end on loopback, and what may be wrong with one.
namespace patchlab::checks::port::test {

struct Server {
  int least = TLS1_2_VERSION;
  int most = TLS1_3_VERSION;
  int days_left = 30;
  // Lines to say and to wait for in turn, before the handshake; an empty line at the end of the clear text.
  std::vector<std::string> says{};
  bool rsa = false;                  // else a key on a curve
  std::string suites{};              // of TLS up to 1.2, in OpenSSL's language; empty: all
  std::string groups{};              // likewise
  bool resumes = true;               // knows who was there before
  bool needs_extension = false;      // ends with an alert for who has no extended master secret
  bool needs_whole_records = false;  // ends with who comes in pieces
  std::string answer{};              // to whatever is said once the handshake is done; empty: none
  bool splits = false;               // its first byte in a record of its own
  int leaves_out = 0;                // every so-many-th connection is closed at once; 0: none
};

class TlsServer {
 public:
  explicit TlsServer(Server server)
      : server_(std::move(server)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    make_context();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), raw, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (wait_readable(listener_.get(), Deadline(Milliseconds(20)))) serve();
      }
    });
  }
  ~TlsServer() {
    thread_ = {};
    SSL_CTX_free(context_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void make_context() {
    EVP_PKEY* key = server_.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_time_adj_ex(X509_getm_notAfter(certificate), server_.days_left, 3600, nullptr);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("mail1.corp.example"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                "DNS:mail1.corp.example,IP:10.20.0.14,DNS:imap.corp.example");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_cipher_list(context_, ((server_.suites.empty() ? "ALL" : server_.suites) + ":@SECLEVEL=0").c_str());
    if (!server_.groups.empty()) SSL_CTX_set1_groups_list(context_, server_.groups.c_str());
    SSL_CTX_set_dh_auto(context_, 1);
    if (!server_.resumes) {
      SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
      SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    }
    if (server_.needs_extension) SSL_CTX_set_client_hello_cb(context_, &wants_extension, nullptr);
    SSL_CTX_set_min_proto_version(context_, server_.least);
    SSL_CTX_set_max_proto_version(context_, server_.most);
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  static int wants_extension(SSL* session, int* alert, void* /*unused*/) {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(session, TLSEXT_TYPE_extended_master_secret, &bytes, &size) == 1)
      return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return SSL_CLIENT_HELLO_ERROR;
  }
  // Looks at what has arrived, and leaves it there.
  static bool is_in_whole_records(int client) {
    std::array<unsigned char, 16384> bytes{};
    const auto count = ::recv(client, bytes.data(), bytes.size(), MSG_PEEK);
    std::size_t at = 0;
    while (at + 5 <= static_cast<std::size_t>(std::max<ssize_t>(count, 0)))
      at += 5U + bytes[at + 3] * 256U + bytes[at + 4];
    return count > 0 && at == static_cast<std::size_t>(count);
  }
  bool takes_pieces_only_whole(int client, SSL* session) const {
    if (!server_.needs_whole_records) return true;
    const Deadline patience(std::chrono::seconds(5));
    SSL_set_mode(session, SSL_MODE_AUTO_RETRY);
    const int flags = ::fcntl(client, F_GETFL);
    ::fcntl(client, F_SETFL, flags | O_NONBLOCK);
    while (true) {
      if (!wait_readable(client, patience) || !is_in_whole_records(client)) return false;
      const int result = SSL_accept(session);
      if (result == 1) return true;
      if (SSL_get_error(session, result) != SSL_ERROR_WANT_READ) return false;
    }
  }
  void answer(int client, SSL* session) const {
    std::array<char, 4096> request{};
    // Who only shook hands says goodbye, which is no request.
    if (server_.answer.empty() || !wait_readable(client, Deadline(std::chrono::seconds(5))) ||
        SSL_read(session, request.data(), static_cast<int>(request.size())) <= 0)
      return;
    const auto& text = server_.answer;
    const int first = server_.splits ? 1 : static_cast<int>(text.size());
    SSL_write(session, text.data(), first);
    if (server_.splits && text.size() > 1) SSL_write(session, text.data() + 1, static_cast<int>(text.size()) - 1);
  }
  void serve() {
    const FileDescriptor client(::accept(listener_.get(), nullptr, nullptr));
    if (server_.leaves_out > 0 && ++connections_ % server_.leaves_out == 0) return;
    const Deadline patience(std::chrono::seconds(5));
    for (std::size_t i = 0; i < server_.says.size(); ++i) {
      if (send_all(client.get(), server_.says[i] + "\r\n", patience) != 0) return;
      if (i + 1 == server_.says.size()) break;
      for (char c = 0; c != '\n';) {
        if (!wait_readable(client.get(), patience) || ::recv(client.get(), &c, 1, 0) != 1) return;
      }
    }
    SSL* session = SSL_new(context_);
    SSL_set_fd(session, client.get());
    if (takes_pieces_only_whole(client.get(), session) && SSL_accept(session) == 1) answer(client.get(), session);
    SSL_free(session);
  }

  Server server_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  int connections_ = 0;
  SSL_CTX* context_ = nullptr;
  std::jthread thread_;
};

}  // namespace patchlab::checks::port::test
