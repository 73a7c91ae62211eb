// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/text.hpp"

// Real servers of HTTP and SMTP on 127.0.0.1 that keep what they are given, with TLS or without; the tests' own link
// OpenSSL's libssl.
namespace patchlab::test {

// A certificate and its key, PEM files; empty: no TLS.
struct ServerKey {
  std::string certificate;
  std::string key;
};

class Connection {
 public:
  Connection(FileDescriptor socket, const std::stop_token& stop) : socket_(std::move(socket)), stop_(stop) {}

  bool begin_tls(const ServerKey& key) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate_file(context_.get(), key.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_.get(), key.key.c_str(), SSL_FILETYPE_PEM);
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_.get());
    return wait() && SSL_accept(tls_.get()) == 1;
  }
  // Up to the first `end`, which is left in; what came behind it stays for the next. Empty: nobody sends any more.
  std::string until(const std::string& end) {
    for (;;) {
      if (const auto at = buffer_.find(end); at != std::string::npos) return cut(at + end.size());
      if (!more()) return {};
    }
  }
  std::string exactly(std::size_t size) {
    while (buffer_.size() < size) {
      if (!more()) return {};
    }
    return cut(size);
  }
  bool send(const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const auto left = text.substr(sent);
      const auto count = tls_ ? SSL_write(tls_.get(), left.data(), static_cast<int>(left.size()))
                              : ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }

 private:
  [[nodiscard]] bool wait() const {
    while (!stop_.stop_requested()) {
      pollfd entry{socket_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 20) > 0) return true;
    }
    return false;
  }
  bool more() {
    if ((!tls_ || SSL_pending(tls_.get()) == 0) && !wait()) return false;
    char bytes[8192];
    const auto count = tls_ ? SSL_read(tls_.get(), bytes, sizeof bytes) : ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  std::string cut(std::size_t size) {
    auto piece = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return piece;
  }

  struct End {
    void operator()(SSL* tls) const { SSL_free(tls); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  FileDescriptor socket_;
  std::stop_token stop_;
  std::unique_ptr<SSL_CTX, End> context_;
  std::unique_ptr<SSL, End> tls_;
  std::string buffer_;
};

// Serves one connection after another.
class Receiver {
 public:
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 protected:
  // The port of one that is gone, or 0.
  // Whoever is gone while TLS writes to it is no reason to end.
  explicit Receiver(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    const int yes = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), raw, size) != 0 || ::listen(socket_.get(), 64) != 0 ||
        ::getsockname(socket_.get(), raw, &size) != 0)
      throw std::runtime_error("no port of 127.0.0.1 to listen on");
    port_ = ntohs(address.sin_port);
  }
  ~Receiver() = default;  // those below end the thread first
  void begin(std::function<void(Connection&)> serve) {
    thread_ = std::jthread([this, serve = std::move(serve)](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pollfd entry{socket_.get(), POLLIN, 0};
        if (::poll(&entry, 1, 20) <= 0) continue;
        FileDescriptor socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket.valid()) continue;
        Connection connection(std::move(socket), stop);
        serve(connection);
      }
    });
  }
  void end() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  mutable std::mutex mutex_;

 private:
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

struct HttpRequest {
  std::string line;                            // "POST /hook HTTP/1.1"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

inline std::string http_answer(int status, const std::string& more = {}, const std::string& body = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " As-Told\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

class HttpReceiver : public Receiver {
 public:
  using Answer = std::function<std::string(const HttpRequest&)>;
  explicit HttpReceiver(
      Answer answer = [](const HttpRequest&) { return http_answer(204); }, std::uint16_t port = 0, ServerKey key = {})
      : Receiver(port), answer_(std::move(answer)), key_(std::move(key)) {
    begin([this](Connection& connection) { serve(connection); });
  }
  ~HttpReceiver() { end(); }
  [[nodiscard]] std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::string url(const std::string& path = "/hook") const {
    return (key_.key.empty() ? "http://127.0.0.1:" : "https://localhost:") + std::to_string(port()) + path;
  }

 private:
  void serve(Connection& connection) {
    if (!key_.key.empty() && !connection.begin_tls(key_)) return;
    const auto head = connection.until("\r\n\r\n");
    if (head.empty()) return;
    HttpRequest request;
    for (const auto line : split(head, '\n')) {
      const auto text = trimmed(line, "\r");
      const auto colon = text.find(':');
      if (request.line.empty())
        request.line = text;
      else if (colon != std::string_view::npos)
        request.headers[lower_case(text.substr(0, colon))] = trimmed(text.substr(colon + 1));
    }
    if (request.headers.contains("content-length"))
      request.body = connection.exactly(std::stoul(request.headers["content-length"]));
    const auto answer = answer_(request);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
    }
    connection.send(answer);
  }

  Answer answer_;
  ServerKey key_;
  std::vector<HttpRequest> requests_;
};

struct TakenMail {
  std::vector<std::string> commands;  // as they came, without their ends
  std::string text;                   // with CRLF
};

// What an SMTP server says to a command that begins so, in place of what it usually says.
using SmtpAnswers = std::map<std::string, std::string>;

class SmtpReceiver : public Receiver {
 public:
  explicit SmtpReceiver(SmtpAnswers answers = {}, std::uint16_t port = 0, ServerKey key = {})
      : Receiver(port), answers_(std::move(answers)), key_(std::move(key)) {
    begin([this](Connection& connection) { serve(connection); });
  }
  ~SmtpReceiver() { end(); }
  // That were taken, and those that were begun.
  [[nodiscard]] std::vector<TakenMail> mails() const {
    const std::lock_guard lock(mutex_);
    return mails_;
  }
  [[nodiscard]] std::vector<std::string> commands() const {
    const std::lock_guard lock(mutex_);
    return commands_;
  }

 private:
  [[nodiscard]] std::string answer_to(const std::string& line, bool is_tls) const {
    for (const auto& [begin, answer] : answers_) {
      if (line.starts_with(begin)) return answer;
    }
    const bool offers = !key_.key.empty() && !is_tls;
    if (line.starts_with("EHLO"))
      return std::string("250-here\r\n") + (offers ? "250-STARTTLS\r\n" : "250-AUTH PLAIN\r\n") + "250 8BITMIME";
    if (line.starts_with("STARTTLS")) return "220 go on";
    if (line == "AUTH PLAIN") return "334 ";
    if (line.starts_with("DATA")) return "354 go on";
    if (line.starts_with("QUIT")) return "221 bye";
    return "250 fine";
  }
  void serve(Connection& connection) {
    connection.send("220 here\r\n");
    bool is_tls = false;
    TakenMail mail;
    for (auto line = connection.until("\r\n"); !line.empty(); line = connection.until("\r\n")) {
      line.resize(line.size() - 2);
      const auto answer = answer_to(line, is_tls);
      mail.commands.push_back(line);
      {
        const std::lock_guard lock(mutex_);
        commands_.push_back(line);
      }
      if (!connection.send(answer + "\r\n") || line.starts_with("QUIT")) return;
      if (answer == "334 ") {
        mail.commands.push_back(connection.until("\r\n"));
        if (!connection.send("235 well\r\n")) return;
      }
      if (line.starts_with("STARTTLS") && !(is_tls = connection.begin_tls(key_))) return;
      if (!line.starts_with("DATA") || !answer.starts_with("354")) continue;
      mail.text = connection.until("\r\n.\r\n");
      if (mail.text.empty()) return;
      mail.text.resize(mail.text.size() - 3);
      const auto end = answers_.contains(".") ? answers_.at(".") : std::string("250 taken");
      if (end.starts_with("250")) {
        const std::lock_guard lock(mutex_);
        mails_.push_back(mail);
      }
      if (!connection.send(end + "\r\n")) return;
    }
  }

  SmtpAnswers answers_;
  ServerKey key_;
  std::vector<TakenMail> mails_;
  std::vector<std::string> commands_;
};

// The body of a mail, as quoted-printable says it.
inline std::string body_of_mail(const std::string& mail) {
  const auto text = mail.substr(std::min(mail.find("\r\n\r\n"), mail.size()));
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=')
      out += text[i];
    else if (text.compare(i, 3, "=\r\n") == 0)
      i += 2;
    else {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    }
  }
  return out;
}

}  // namespace patchlab::test
