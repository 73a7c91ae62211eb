// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/line_connection.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "checks/socket.hpp"
#include "lab/core/files.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::size_t longest_line = 64U << 10U;
constexpr std::size_t block_size = 16U << 10U;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { SSL_free(session); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

Error system_trouble(const std::string& action, int number) {
  return guest_error(fmt::format("{}: {}", action, std::strerror(number)));
}

// The oldest error of this thread's queue, which is the cause; the rest is forgotten.
std::string tls_trouble() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  std::string text(256, '\0');
  ERR_error_string_n(code, text.data(), text.size());
  return text.c_str();
}

Result<void> wait_readable_for(int socket, const Deadline& deadline, const char* awaited) {
  if (wait_readable(socket, deadline)) return {};
  return timeout_error(fmt::format("no {} until the deadline", awaited));
}
Result<void> wait_writable_for(int socket, const Deadline& deadline, const char* awaited) {
  if (wait_writable(socket, deadline)) return {};
  return timeout_error(fmt::format("no {} until the deadline", awaited));
}

std::string name_text(const X509_NAME* name) {
  std::string text(512, '\0');
  return X509_NAME_oneline(name, text.data(), static_cast<int>(text.size())) == nullptr ? "" : text.c_str();
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return "";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Json describe(const SSL* session) {
  Json about{{"version", SSL_get_version(session)}, {"cipher", SSL_get_cipher_name(session)}};
  const std::unique_ptr<X509, FreeX509> certificate(SSL_get1_peer_certificate(session));
  if (!certificate) return about;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  std::string hex;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &length) == 1) {
    for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  }
  about["certificate"] = {{"subject", to_valid_utf8(name_text(X509_get_subject_name(certificate.get())))},
                          {"issuer", to_valid_utf8(name_text(X509_get_issuer_name(certificate.get())))},
                          {"not_after", time_text(X509_get0_notAfter(certificate.get()))},
                          {"sha256", hex}};
  return about;
}

}  // namespace

struct LineConnection::State {
  FileDescriptor socket;
  Deadline deadline;
  std::string address;
  std::string buffer;  // received, not yet handed out
  std::unique_ptr<SSL_CTX, FreeContext> context;
  std::unique_ptr<SSL, FreeSession> session;

  // After an SSL_* call that did not succeed: waits for the socket when the session wants that.
  Result<void> wait_as_wanted(int result, const char* awaited) {
    const int saved_errno = errno;
    switch (SSL_get_error(session.get(), result)) {
      case SSL_ERROR_WANT_READ: return wait_readable_for(socket.get(), deadline, awaited);
      case SSL_ERROR_WANT_WRITE: return wait_writable_for(socket.get(), deadline, awaited);
      case SSL_ERROR_ZERO_RETURN: return guest_error("the server closed the connection");
      case SSL_ERROR_SYSCALL:
        if (saved_errno != 0) return system_trouble("TLS connection", saved_errno);
        return guest_error("the server closed the connection");
      default: return guest_error(fmt::format("TLS: {}", tls_trouble()));
    }
  }

  Result<void> fill() {
    std::array<char, block_size> block{};
    for (;;) {
      if (session) {
        errno = 0;
        ERR_clear_error();
        const int count = SSL_read(session.get(), block.data(), static_cast<int>(block.size()));
        if (count > 0) {
          buffer.append(block.data(), static_cast<std::size_t>(count));
          return {};
        }
        PATCHLAB_TRY(wait_as_wanted(count, "answer"));
        continue;
      }
      PATCHLAB_TRY(wait_readable_for(socket.get(), deadline, "answer"));
      const auto count = ::recv(socket.get(), block.data(), block.size(), 0);
      if (count == 0) return guest_error("the server closed the connection");
      if (count < 0 && errno != EINTR && errno != EAGAIN) return system_trouble("receiving", errno);
      if (count > 0) {
        buffer.append(block.data(), static_cast<std::size_t>(count));
        return {};
      }
    }
  }

  // How many bytes went out.
  Result<std::size_t> send_some(std::string_view bytes) {
    if (session) {
      errno = 0;
      ERR_clear_error();
      const int count = SSL_write(session.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), block_size)));
      if (count > 0) return static_cast<std::size_t>(count);
      PATCHLAB_TRY(wait_as_wanted(count, "room to send"));
      return std::size_t{0};
    }
    const auto count = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EAGAIN && errno != EINTR) return system_trouble("sending", errno);
    PATCHLAB_TRY(wait_writable_for(socket.get(), deadline, "room to send"));
    return std::size_t{0};
  }

  Result<void> make_session(Certificate certificate) {
    context.reset(SSL_CTX_new(TLS_client_method()));
    if (!context) return Error{ErrorClass::check, "making a TLS context: " + tls_trouble(), {}};
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (certificate == Certificate::verified) {
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
      if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
        return Error{ErrorClass::check, "loading the host's certificates: " + tls_trouble(), {}};
      }
    }
    session.reset(SSL_new(context.get()));
    if (!session || SSL_set_fd(session.get(), socket.get()) != 1) {
      return Error{ErrorClass::check, "making a TLS session: " + tls_trouble(), {}};
    }
    if (certificate == Certificate::verified) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), address.c_str());
    }
    return {};
  }
};

LineConnection::LineConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineConnection::~LineConnection() = default;
LineConnection::LineConnection(LineConnection&&) noexcept = default;
LineConnection& LineConnection::operator=(LineConnection&&) noexcept = default;

Result<LineConnection> LineConnection::open(const std::string& address, std::uint16_t port, Deadline deadline) {
  PATCHLAB_ASSIGN(auto connected, connect_tcp({address, port}, {}, deadline));
  const auto action = fmt::format("connecting to {} port {}", address, port);
  if (connected.saved_errno == ETIMEDOUT) return timeout_error(action + ": no answer");
  if (connected.saved_errno != 0) return system_trouble(action, connected.saved_errno);
  return LineConnection(std::unique_ptr<State>(new State{std::move(connected.socket), deadline, address, {}, {}, {}}));
}

Result<Json> LineConnection::start_tls(Certificate certificate) {
  if (!state_->buffer.empty()) return guest_error("the server sent plain text after agreeing to TLS");
  PATCHLAB_TRY(state_->make_session(certificate));
  for (;;) {
    errno = 0;
    ERR_clear_error();
    const int result = SSL_connect(state_->session.get());
    if (result == 1) return describe(state_->session.get());
    PATCHLAB_TRY(state_->wait_as_wanted(result, "TLS handshake"));
  }
}

Result<void> LineConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    PATCHLAB_ASSIGN(const auto sent, state_->send_some(bytes));
    bytes.remove_prefix(sent);
    if (state_->deadline.passed() && !bytes.empty()) return timeout_error("sending was not over by the deadline");
  }
  return {};
}

Result<std::string> LineConnection::read_line() {
  std::size_t searched = 0;
  for (;;) {
    auto& buffer = state_->buffer;
    const auto end = buffer.find('\n', searched);
    if (end != std::string::npos) {
      auto line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    if (buffer.size() > longest_line) return guest_error(fmt::format("a line longer than {} bytes", longest_line));
    if (state_->deadline.passed()) return timeout_error("no complete line until the deadline");
    searched = buffer.size();
    PATCHLAB_TRY(state_->fill());
  }
}

Result<std::string> LineConnection::read_bytes(std::size_t count) {
  while (state_->buffer.size() < count) {
    if (state_->deadline.passed()) return timeout_error("not all bytes arrived until the deadline");
    PATCHLAB_TRY(state_->fill());
  }
  auto bytes = state_->buffer.substr(0, count);
  state_->buffer.erase(0, count);
  return bytes;
}

}  // namespace patchlab::checks::mail
