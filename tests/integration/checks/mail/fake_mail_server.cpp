// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/checks/mail/fake_mail_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <stdexcept>

#include "checks/mail/smtp_client.hpp"
#include "lab/core/base64.hpp"

namespace patchlab::checks::mail::testing {
namespace {

// The client went away or the test is over.
struct Gone {};

FileDescriptor listen_on_loopback(std::uint16_t& port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, size) != 0 || ::listen(socket.get(), 8) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0) {
    throw std::runtime_error("no loopback listener");
  }
  port = ntohs(address.sin_port);
  return socket;
}

bool starts_with(const std::string& line, const char* word) { return line.rfind(word, 0) == 0; }

}  // namespace

struct FakeMailServer::Tls {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  Tls() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>("fake.corp.example");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Tls() { SSL_CTX_free(context); }
};

// One client's connection. Ends by throwing Gone, inside the fake only.
class FakeMailServer::Peer {
 public:
  Peer(int socket, const std::atomic<bool>& stop) : socket_(socket), stop_(stop) {}
  ~Peer() {
    if (session_ != nullptr) SSL_free(session_);
  }
  std::string line() {
    std::string text;
    for (char c = 0; c != '\n';) {
      c = byte();
      text += c;
    }
    text.erase(text.find_last_not_of("\r\n") + 1);
    return text;
  }
  std::string bytes(std::size_t count) {
    std::string text;
    while (text.size() < count) text += byte();
    return text;
  }
  void say(const std::string& text) {
    if (text.empty()) silence();
    raw(text + "\r\n");
  }
  void raw(const std::string& text) {
    const auto size = static_cast<int>(text.size());
    const auto sent = session_ == nullptr ? ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL)
                                          : SSL_write(session_, text.data(), size);
    if (sent != size) throw Gone();
  }
  void start_tls(SSL_CTX* context) {
    session_ = SSL_new(context);
    SSL_set_fd(session_, socket_.get());
    if (SSL_accept(session_) != 1) throw Gone();
  }
  [[nodiscard]] bool secure() const { return session_ != nullptr; }

 private:
  char byte() {
    while (session_ == nullptr || SSL_pending(session_) == 0) {
      if (stop_) throw Gone();
      pollfd entry{socket_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 50) > 0) break;
    }
    char c = 0;
    const auto count = session_ == nullptr ? ::recv(socket_.get(), &c, 1, 0) : SSL_read(session_, &c, 1);
    if (count != 1) throw Gone();
    return c;
  }
  [[noreturn]] void silence() {
    for (;;) byte();
  }
  FileDescriptor socket_;
  const std::atomic<bool>& stop_;
  SSL* session_ = nullptr;
};

FakeMailServer::FakeMailServer(MailBehaviour behaviour)
    : behaviour_(std::move(behaviour)),
      tls_(std::make_unique<Tls>()),
      smtp_listener_(listen_on_loopback(smtp_port_)),
      imap_listener_(listen_on_loopback(imap_port_)),
      pop3_listener_(listen_on_loopback(pop3_port_)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  threads_.emplace_back([this] { accept_loop(smtp_listener_.get(), &FakeMailServer::serve_smtp); });
  threads_.emplace_back([this] { accept_loop(imap_listener_.get(), &FakeMailServer::serve_imap); });
  threads_.emplace_back([this] { accept_loop(pop3_listener_.get(), &FakeMailServer::serve_pop3); });
}

FakeMailServer::~FakeMailServer() {
  stop_ = true;
  for (auto& thread : threads_) thread.join();
}

std::size_t FakeMailServer::mailbox_size() {
  const std::lock_guard lock(mutex_);
  return mailbox_.size();
}

void FakeMailServer::number_anew() {
  const std::lock_guard lock(mutex_);
  ++uid_validity_;
}

void FakeMailServer::change_all(const std::function<std::string(std::string)>& how) {
  const std::lock_guard lock(mutex_);
  for (auto& mail : mailbox_) mail.text = how(mail.text);
}

void FakeMailServer::deliver(std::string text, std::string flags) {
  mailbox_.push_back({next_uid_++, std::move(text), std::move(flags), false});
}

bool FakeMailServer::finds(const Mail& mail, const std::string& criteria, const std::string& wanted) const {
  if (criteria.find("SUBJECT") != std::string::npos || criteria.find("BODY") != std::string::npos) {
    // Its last word is the same in any encoding of the subject.
    return behaviour_.finds_in_texts &&
           mail.text.find(wanted.substr(wanted.find_last_of(' ') + 1)) != std::string::npos;
  }
  if (criteria.find("FLAGGED") != std::string::npos && mail.flags.find("Flagged") == std::string::npos) return false;
  return mail.text.find(wanted) != std::string::npos;
}

std::vector<std::string> FakeMailServer::smtp_lines() {
  const std::lock_guard lock(mutex_);
  return smtp_lines_;
}

void FakeMailServer::accept_loop(int listener, void (FakeMailServer::*serve)(Peer&)) {
  while (!stop_) {
    pollfd entry{listener, POLLIN, 0};
    if (::poll(&entry, 1, 50) <= 0) continue;
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    Peer peer(socket, stop_);
    try {
      (this->*serve)(peer);
    } catch (const Gone&) {
    }
  }
}

bool FakeMailServer::authenticated(Peer& peer, const std::string& line) {
  if (behaviour_.smtp_takes_any_password) return true;
  using namespace std::string_literals;
  if (starts_with(line, "AUTH PLAIN ")) {
    return line.substr(11) == base64("\0"s + behaviour_.user + "\0"s + behaviour_.password);
  }
  peer.say("334 VXNlcm5hbWU6");
  const auto user = peer.line();
  peer.say("334 UGFzc3dvcmQ6");
  const auto password = peer.line();
  return user == base64(behaviour_.user) && password == base64(behaviour_.password);
}

bool FakeMailServer::is_too_large(const std::string& mail_line) const {
  const auto at = mail_line.find(" SIZE=");
  return at != std::string::npos && std::stoll(mail_line.substr(at + 6)) > behaviour_.takes_up_to;
}

bool FakeMailServer::hand_on() const {
  StageLog log;
  SmtpClient smtp(Deadline(std::chrono::seconds(5)), log);
  const bool taken = smtp.connect("127.0.0.1", behaviour_.hands_on_to) && smtp.ehlo("ehlo") &&
                     smtp.command("mail", "MAIL FROM:<alice@corp.example>", '2') &&
                     smtp.command("rcpt", fmt::format("RCPT TO:<{}>", recipient_), '2');
  smtp.quit();
  return taken;
}

bool FakeMailServer::accept_message(Peer& peer) {
  std::string text;
  for (auto line = peer.line(); line != "."; line = peer.line()) {
    text += (starts_with(line, ".") ? line.substr(1) : line) + "\r\n";
  }
  if (behaviour_.refuses_large_messages && static_cast<std::int64_t>(text.size()) > behaviour_.takes_up_to)
    return false;
  text = "Received: by the fake\r\n" + text;
  if (behaviour_.hands_on_to != 0 && hand_on()) return true;
  if (behaviour_.bounce) text = behaviour_.bounce(text, recipient_);
  if (behaviour_.on_delivery) text = behaviour_.on_delivery(text);
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < behaviour_.copies; ++i) deliver(text, "");
  return true;
}

void FakeMailServer::serve_smtp(Peer& peer) {
  peer.say(behaviour_.banner);
  for (;;) {
    const auto line = peer.line();
    {
      const std::lock_guard lock(mutex_);
      smtp_lines_.push_back(line);
    }
    if (starts_with(line, "EHLO")) {
      peer.say("250-mail.corp.example");
      for (const auto& capability : behaviour_.capabilities) peer.say("250-" + capability);
      if (behaviour_.offers_starttls && !peer.secure()) peer.say("250-STARTTLS");
      if ((peer.secure() || behaviour_.auth_before_tls) && !behaviour_.mechanisms.empty())
        peer.say("250-AUTH " + behaviour_.mechanisms);
      peer.say("250 HELP");
    } else if (line == "STARTTLS") {
      peer.raw("220 2.0.0 Ready to start TLS\r\n" + behaviour_.before_tls);
      if (!behaviour_.tls_works) {
        peer.raw("this is not a TLS record at all\r\n");
        throw Gone();
      }
      peer.start_tls(tls_->context);
    } else if (starts_with(line, "AUTH")) {
      peer.say(authenticated(peer, line) ? "235 2.7.0 Authentication successful" : behaviour_.auth_refusal);
    } else if (starts_with(line, "MAIL")) {
      peer.say(is_too_large(line) ? "552 5.3.4 Message size exceeds fixed limit" : behaviour_.mail_answer);
    } else if (starts_with(line, "RCPT")) {
      if (const auto open = line.find('<'); open != std::string::npos)
        recipient_ = line.substr(open + 1, line.find('>') - open - 1);
      peer.say(behaviour_.rcpt_answer);
    } else if (line == "DATA") {
      peer.say(behaviour_.data_answer);
      if (!starts_with(behaviour_.data_answer, "354")) continue;
      peer.say(accept_message(peer) ? behaviour_.message_answer : "552 5.3.4 Error: message file too big");
    } else if (line == "RSET") {
      peer.say("250 2.0.0 Ok");
    } else if (line == "QUIT") {
      peer.say("221 2.0.0 Bye");
      return;
    } else {
      peer.say("502 5.5.2 what?");
    }
  }
}

// The n bytes behind "...{n}", which are asked for; empty: none are announced.
std::string FakeMailServer::literal_of(Peer& peer, const std::string& command) {
  if (!command.ends_with('}')) return {};
  const auto size = std::stoul(command.substr(command.rfind('{') + 1));
  peer.raw("+ go on\r\n");
  auto text = peer.bytes(size);
  (void)peer.line();
  return text;
}

bool FakeMailServer::imap_command(Peer& peer, const std::string& tag, const std::string& command) {
  const std::lock_guard lock(mutex_);
  const auto answer = [&](const std::string& text) { peer.say(text.empty() ? "" : tag + " " + text); };
  if (starts_with(command, "LOGIN")) {
    std::string quoted;
    for (const char c : behaviour_.password)
      quoted += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
    const auto right = fmt::format("LOGIN \"{}\" \"{}\"", behaviour_.user, quoted);
    answer(command == right || behaviour_.imap_takes_any_password ? "OK logged in"
                                                                  : "NO [AUTHENTICATIONFAILED] refused");
  } else if (command == "CAPABILITY") {
    peer.say("* CAPABILITY " + (peer.secure() ? std::string("IMAP4rev1 AUTH=PLAIN") : behaviour_.imap_capabilities));
    answer("OK that is all");
  } else if (starts_with(command, "SELECT")) {
    peer.say(fmt::format("* OK [UIDVALIDITY {}] valid", uid_validity_));
    answer(behaviour_.imap_select_answer);
  } else if (starts_with(command, "APPEND")) {
    if (!starts_with(behaviour_.imap_append_answer, "OK")) {
      answer(behaviour_.imap_append_answer);
      return true;
    }
    auto text = literal_of(peer, command);
    if (behaviour_.on_delivery) text = behaviour_.on_delivery(text);
    std::string flags;
    for (const auto& flag : behaviour_.flags_kept) {
      if (command.find(flag) != std::string::npos) flags += (flags.empty() ? "" : " ") + flag;
    }
    for (int i = 0; i < behaviour_.copies; ++i) deliver(text, flags);
    answer(behaviour_.imap_append_answer);
  } else if (starts_with(command, "UID SEARCH")) {
    auto wanted = literal_of(peer, command);
    if (const auto quote = command.find('"'); wanted.empty() && quote != std::string::npos)
      wanted = command.substr(quote + 1, command.rfind('"') - quote - 1);
    std::string found = "* SEARCH";
    const bool visible = searches_++ >= behaviour_.searches_until_visible;
    for (const auto& mail : mailbox_) {
      if (visible && finds(mail, command, wanted)) found += fmt::format(" {}", mail.uid);
    }
    peer.say(found);
    const bool is_changed = has_expunged_ && !behaviour_.answer_after_expunge.empty();
    answer(is_changed ? behaviour_.answer_after_expunge : behaviour_.imap_search_answer);
  } else if (starts_with(command, "UID FETCH")) {
    const auto uid = std::stoul(command.substr(10));
    const auto mail = std::find_if(mailbox_.begin(), mailbox_.end(), [&](const Mail& one) { return one.uid == uid; });
    if (mail != mailbox_.end() && command.ends_with(" FLAGS")) {
      peer.say(fmt::format("* 1 FETCH (UID {} FLAGS ({} \\Recent))", uid, mail->flags));
      if (!behaviour_.tells_meanwhile.empty()) peer.say(behaviour_.tells_meanwhile);
    } else if (mail != mailbox_.end() && starts_with(behaviour_.imap_fetch_answer, "OK")) {
      peer.raw(fmt::format("* 1 FETCH (UID {} BODY[] {{{}}}\r\n{})\r\n", uid, mail->text.size(), mail->text));
    }
    answer(behaviour_.imap_fetch_answer);
  } else if (starts_with(command, "UID STORE")) {
    for (auto& mail : mailbox_) {
      if (mail.uid == std::stoul(command.substr(10))) mail.deleted = true;
    }
    answer(behaviour_.imap_store_answer);
  } else if (command == "EXPUNGE") {
    if (behaviour_.expunges) std::erase_if(mailbox_, [](const Mail& mail) { return mail.deleted; });
    has_expunged_ = true;
    if (behaviour_.losses_at_expunge > 0) {
      --behaviour_.losses_at_expunge;
      throw Gone();
    }
    peer.say("* 1 EXPUNGE");
    answer("OK expunged");
  } else {
    answer(command == "NOOP" || command == "LOGOUT" ? "OK done" : "BAD unknown");
  }
  return command != "LOGOUT";
}

void FakeMailServer::serve_imap(Peer& peer) {
  peer.say(behaviour_.imap_greeting);
  for (;;) {
    const auto line = peer.line();
    const auto blank = line.find(' ');
    const auto tag = line.substr(0, blank);
    const auto command = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (command == "STARTTLS") {
      peer.say(tag + " OK begin TLS");
      peer.start_tls(tls_->context);
    } else if (!imap_command(peer, tag, command)) {
      return;
    }
  }
}

void FakeMailServer::serve_pop3(Peer& peer) {
  peer.say(behaviour_.pop3_greeting);
  std::set<std::size_t> deleted;
  for (;;) {
    const auto line = peer.line();
    const auto blank = line.find(' ');
    const auto word = line.substr(0, blank);
    const auto rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    const std::lock_guard lock(mutex_);
    if (word == "STLS") {
      peer.say("+OK begin TLS");
      peer.start_tls(tls_->context);
    } else if (word == "USER") {
      peer.say("+OK");
    } else if (word == "PASS") {
      peer.say(rest == behaviour_.password ? "+OK logged in" : "-ERR [AUTH] refused");
    } else if (word == "LIST") {
      const bool is_changed = has_expunged_ && !behaviour_.answer_after_expunge.empty();
      const auto& listing = is_changed ? behaviour_.answer_after_expunge : behaviour_.pop3_list_answer;
      peer.say(listing);
      if (!starts_with(listing, "+OK")) continue;
      for (std::size_t i = 0; i < mailbox_.size(); ++i) peer.say(fmt::format("{} {}", i + 1, mailbox_[i].text.size()));
      peer.say(".");
    } else if (word == "TOP" || word == "RETR") {
      const auto& text = mailbox_.at(std::stoul(rest) - 1).text;
      if (word == "RETR")
        peer.say(behaviour_.pop3_retr_answer);
      else
        peer.say("+OK");
      if (word == "RETR" && !starts_with(behaviour_.pop3_retr_answer, "+OK")) continue;
      std::string stuffed = "\r\n" + (word == "TOP" ? text.substr(0, text.find("\r\n\r\n") + 2) : text);
      for (auto at = stuffed.find("\r\n."); at != std::string::npos; at = stuffed.find("\r\n.", at + 3))
        stuffed.insert(at + 2, ".");
      peer.raw(stuffed.substr(2) + ".\r\n");
    } else if (word == "DELE") {
      if (starts_with(behaviour_.pop3_dele_answer, "+OK")) deleted.insert(std::stoul(rest) - 1);
      peer.say(behaviour_.pop3_dele_answer);
    } else {
      has_expunged_ = has_expunged_ || !deleted.empty();
      if (behaviour_.expunges) {
        for (auto number = deleted.rbegin(); number != deleted.rend(); ++number)
          mailbox_.erase(mailbox_.begin() + static_cast<std::ptrdiff_t>(*number));
      }
      peer.say("+OK bye");
      return;
    }
  }
}

}  // namespace patchlab::checks::mail::testing
