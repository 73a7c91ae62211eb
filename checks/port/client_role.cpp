// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/client_role.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "checks/check_with.hpp"
#include "checks/port/tls_client.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::port {
namespace {

constexpr std::size_t most_calls = 8;       // that are told of
constexpr std::size_t most_answer = 65536;  // of the page, of which only the first line is looked at
constexpr Milliseconds look{50};            // how late the end may be noticed
constexpr const char* placeholder = "{server}";

struct Parameters {
  std::uint16_t listen_port = 0;
  std::uint16_t port = 80;
  std::string path;
  std::string host;
  std::string version;
};

// Goes into the head of a request as it is.
std::string why_no_word(const std::string& text) {
  const bool plain =
      !text.empty() && text.size() <= 2000 && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  return plain ? "" : "must be printable characters without blanks";
}

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.listen_port = static_cast<std::uint16_t>(reader.integer("listen_port", 1, 65535));
  with.port = static_cast<std::uint16_t>(reader.integer_or("port", 80, 1, 65535));
  with.path = reader.text("path", [](const std::string& text) {
    if (auto why = why_no_word(text); !why.empty()) return why;
    const bool calls = text.front() == '/' && text.find(placeholder) != std::string::npos;
    return calls ? std::string() : fmt::format("must begin with '/' and say where it is to call: '{}'", placeholder);
  });
  if (reader.has("host")) with.host = reader.text("host", why_no_word);
  with.version = reader.text_or("version", "1.2", [](const std::string& word) {
    const bool known = word == "1.0" || word == "1.1" || word == "1.2" || word == "1.3";
    return known ? std::string() : fmt::format("'{}' is none of 1.0, 1.1, 1.2, 1.3", word);
  });
  return with;
}

int number_of(const std::string& version) { return TLS1_VERSION + (version.back() - '0'); }

// A certificate of nobody: whoever calls does not look at it.
Result<Owned<SSL_CTX>> server_context(const std::string& version) {
  Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));  // one of RSA takes seconds on a busy host
  const Owned<X509> certificate(X509_new());
  if (!context || !key || !certificate) return infrastructure_error("making a TLS server");
  X509_set_version(certificate.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
  X509_set_pubkey(certificate.get(), key.get());
  auto* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("patchlab"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  SSL_CTX_set_security_level(context.get(), 0);
  const bool made = X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0 &&
                    SSL_CTX_set_cipher_list(context.get(), "ALL:!aNULL:@SECLEVEL=0") == 1 &&
                    SSL_CTX_set_min_proto_version(context.get(), number_of(version)) == 1 &&
                    SSL_CTX_set_max_proto_version(context.get(), number_of(version)) == 1 &&
                    SSL_CTX_use_certificate(context.get(), certificate.get()) == 1 &&
                    SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1;
  if (!made)
    return infrastructure_error(fmt::format("making a server of TLS {}: {}", version, openssl_words(ERR_get_error())));
  return context;
}

Result<FileDescriptor> listener_at(const std::string& address, std::uint16_t port) {
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &local.sin_addr) != 1)
    return configuration_error(fmt::format("'{}' is not an IPv4 address to listen on", address));
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.valid()) return errno_error("creating a socket", errno);
  const int yes = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
      ::listen(listener.get(), 8) != 0)
    return errno_error(fmt::format("listening on {}:{} for the machine's call", address, port), errno);
  return listener;
}

// Takes calls until it is ended, one after the other.
class Called {
 public:
  Called(FileDescriptor listener, Owned<SSL_CTX> context, const Deadline& deadline)
      : listener_(std::move(listener)),
        context_(std::move(context)),
        deadline_(deadline),
        thread_([this](const std::stop_token& stop) { work(stop); }) {}

  // Whoever calls now is still heard out.
  Json end() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return calls_;
  }

 private:
  void work(const std::stop_token& stop) {
    while (!deadline_.passed()) {
      const bool is_called = wait_readable(listener_.get(), deadline_.within(look));
      if (!is_called && stop.stop_requested()) return;
      if (!is_called) continue;
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const FileDescriptor socket(
          ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.valid()) continue;
      auto call = hear(socket.get());
      std::array<char, INET_ADDRSTRLEN> address{};
      ::inet_ntop(AF_INET, &from.sin_addr, address.data(), address.size());
      call["from"] = address.data();
      if (calls_.size() < most_calls) calls_.push_back(std::move(call));
    }
  }

  // One step of OpenSSL's until it is done; empty, or what prevents it.
  template <class Step>
  std::string done(SSL& session, int socket, Step step) {
    while (true) {
      errno = 0;
      ERR_clear_error();
      const int result = step();
      const int number = errno;
      if (result > 0) return {};
      const auto code = ERR_get_error();
      const int wanted = SSL_get_error(&session, result);
      if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE) {
        const bool is_ready = !deadline_.passed() && (wanted == SSL_ERROR_WANT_READ ? wait_readable(socket, deadline_)
                                                                                    : wait_writable(socket, deadline_));
        if (!is_ready) return "no end until the deadline";
      } else if (code != 0) {
        return openssl_words(code);
      } else {
        return number == 0 ? "the client closed the connection" : describe_errno(number);
      }
    }
  }

  Json hear(int socket) {
    const Owned<SSL> session(SSL_new(context_.get()));
    if (!session || SSL_set_fd(session.get(), socket) != 1) return {{"got_in", false}, {"ours", true}};
    if (auto why = done(*session, socket, [&] { return SSL_accept(session.get()); }); !why.empty())
      return {{"got_in", false}, {"why", why}};
    Json call{{"got_in", true}, {"suite", SSL_get_cipher_name(session.get())}};
    // It is a page for whoever asks. In TLS 1.3 the client's own no to the handshake is only heard here.
    std::array<char, 4096> request{};
    auto why = done(*session, socket,
                    [&] { return SSL_read(session.get(), request.data(), static_cast<int>(request.size())); });
    if (!why.empty()) return {{"got_in", false}, {"why", why}};
    const std::string answer = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nheard";
    (void)done(*session, socket,
               [&] { return SSL_write(session.get(), answer.data(), static_cast<int>(answer.size())); });
    (void)SSL_shutdown(session.get());
    return call;
  }

  FileDescriptor listener_;
  Owned<SSL_CTX> context_;
  const Deadline& deadline_;
  Json calls_ = Json::array();  // of the thread, until end()
  std::jthread thread_;
};

// {"status": 200}, {"trouble", "errno"}, or {"malformed": true}.
Result<Json> ask(const Target& target, const Parameters& with, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, with.port}, target.client_address, deadline));
  const auto trouble = [](int number) { return Json{{"trouble", describe_errno(number)}, {"errno", number}}; };
  if (connection.saved_errno != 0) return trouble(connection.saved_errno);
  auto path = with.path;
  path.replace(path.find(placeholder), std::string(placeholder).size(),
               fmt::format("https://{}:{}/", target.client_address, with.listen_port));
  const auto request = fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", path,
                                   with.host.empty() ? target.address : with.host);
  const int socket = connection.socket.get();
  if (const int number = send_all(socket, request, deadline); number != 0) return trouble(number);
  std::string answer;
  while (answer.find('\n') == std::string::npos && answer.size() < most_answer) {
    if (!wait_readable(socket, deadline)) return trouble(ETIMEDOUT);
    std::array<char, 4096> block{};
    const auto count = ::recv(socket, block.data(), block.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return trouble(errno);
    if (count == 0) break;
    answer.append(block.data(), static_cast<std::size_t>(count));
  }
  // RFC 9112, section 4: HTTP/1.1 200 OK
  const bool is_status =
      answer.starts_with("HTTP/1.") && answer.size() > 12 && answer[8] == ' ' &&
      std::all_of(answer.begin() + 9, answer.begin() + 12, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_status) return Json{{"malformed", true}};
  return Json{{"status", std::stoi(answer.substr(9, 3))}};
}

class ClientRole final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "tls.client"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    PATCHLAB_ASSIGN(auto context, server_context(with.version));
    PATCHLAB_ASSIGN(auto listener, listener_at(target.client_address, with.listen_port));
    Called called(std::move(listener), std::move(context), deadline);
    auto page = ask(target, with, deadline);
    auto calls = called.end();
    if (!page) return page.error();
    return Json{{"server", fmt::format("{}:{}", target.address, with.port)},
                {"page", std::move(*page)},
                {"calls", std::move(calls)}};
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    const auto expected = fmt::format("the machine calls a server of TLS {}", with.version);
    const auto failed = [&](std::string reason, std::string observed) {
      return Judgement{Outcome::fail, std::move(reason), expected, std::move(observed)};
    };
    const auto& calls = seen.at("calls");
    const auto got_in =
        std::ranges::find_if(calls, [](const auto& call) { return call.at("got_in").template get<bool>(); });
    if (std::ranges::any_of(calls, [](const auto& call) { return call.value("ours", false); }))
      return {Outcome::error, "lab", expected, "this host could not make a session of TLS"};
    if (got_in == calls.end() && !calls.empty())
      return failed("call-refused", fmt::format("{} calls, the last: {}", calls.size(), calls.back().value("why", "")));
    const auto& page = seen.at("page");
    if (page.contains("malformed")) return failed("malformed-http", "the page's answer is no HTTP");
    if (page.contains("errno"))
      return failed(reason_for_errno(page.at("errno").get<int>()), "the page: " + page.value("trouble", ""));
    const auto status = page.at("status").get<int>();
    if (calls.empty()) return failed("not-called", fmt::format("no call; the page's status is {}", status));
    if (status != 200) return failed("page-failed", fmt::format("it was called, and the page's status is {}", status));
    return {Outcome::pass, "as-expected", expected, fmt::format("it did, with {}", got_in->value("suite", ""))};
  }
};

}  // namespace

const Check& tls_client_role() {
  static const ClientRole instance;
  return instance;
}

}  // namespace patchlab::checks::port
