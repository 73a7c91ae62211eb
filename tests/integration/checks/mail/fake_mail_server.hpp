// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "lab/core/files.hpp"

namespace patchlab::checks::mail::testing {

// How the fake behaves; each answer can be replaced by a bad one. Empty text: says nothing and waits for the client to
// give up.
struct MailBehaviour {
  std::string banner = "220 mail.corp.example ESMTP";
  std::vector<std::string> capabilities{"8BITMIME", "SIZE 10240000"};
  bool offers_starttls = true;
  bool tls_works = true;
  std::string before_tls;  // plain text sent right behind the answer to STARTTLS
  std::string mechanisms = "PLAIN LOGIN";
  bool auth_before_tls = false;
  std::string imap_capabilities = "IMAP4rev1 STARTTLS LOGINDISABLED";  // before TLS
  std::string auth_refusal = "535 5.7.8 authentication failed";
  bool smtp_takes_any_password = false;
  bool imap_takes_any_password = false;
  std::string user = "alice";
  std::string password = "s3cret \"quoted\\";
  std::string mail_answer = "250 2.1.0 Ok";
  std::string rcpt_answer = "250 2.1.5 Ok";
  std::string data_answer = "354 End data with <CR><LF>.<CR><LF>";
  std::string message_answer = "250 2.0.0 Ok: queued";
  int copies = 1;                                       // delivered of each accepted message
  std::function<std::string(std::string)> on_delivery;  // changes the message's text
  std::uint16_t hands_on_to = 0;                        // a server on loopback; what it takes is not delivered here
  // Delivered in place of a message: what is told of it and its recipient.
  std::function<std::string(const std::string& text, const std::string& recipient)> bounce;
  std::string imap_greeting = "* OK fake ready";
  std::string imap_select_answer = "OK selected";
  std::string imap_search_answer = "OK searched";
  std::string imap_fetch_answer = "OK fetched";
  std::string imap_store_answer = "OK stored";
  bool expunges = true;
  int losses_at_expunge = 0;         // so many times it does, and the connection is lost before the answer
  std::string answer_after_expunge;  // in place of that to a search (IMAP) or a listing (POP3)
  std::string tells_meanwhile;       // with the flags that were asked for, of another message
  std::string imap_append_answer = "OK appended";
  bool finds_in_texts = true;  // what is in a subject or in a part with an encoding
  std::set<std::string> flags_kept{"\\Seen", "\\Answered", "\\Flagged"};
  std::int64_t takes_up_to = 10240000;  // of what MAIL says the size is
  bool refuses_large_messages = true;   // that are larger, whatever MAIL said
  std::string pop3_greeting = "+OK fake ready";
  std::string pop3_list_answer = "+OK these";
  std::string pop3_retr_answer = "+OK here it is";
  std::string pop3_dele_answer = "+OK marked";
  int searches_until_visible = 0;
};

// SMTP, IMAP and POP3 of one mailbox on loopback, with STARTTLS and a self-signed certificate made at the start.
class FakeMailServer {
 public:
  explicit FakeMailServer(MailBehaviour behaviour = {});
  ~FakeMailServer();
  FakeMailServer(const FakeMailServer&) = delete;
  FakeMailServer& operator=(const FakeMailServer&) = delete;
  [[nodiscard]] std::uint16_t smtp_port() const { return smtp_port_; }
  [[nodiscard]] std::uint16_t imap_port() const { return imap_port_; }
  [[nodiscard]] std::uint16_t pop3_port() const { return pop3_port_; }
  [[nodiscard]] std::size_t mailbox_size();
  // As a server is after a restart that has lost what it knew of its mailboxes besides the messages.
  void number_anew();
  void change_all(const std::function<std::string(std::string)>& how);
  // Every line a client sent to the SMTP side.
  [[nodiscard]] std::vector<std::string> smtp_lines();

 private:
  class Peer;
  struct Tls;
  void accept_loop(int listener, void (FakeMailServer::*serve)(Peer&));
  void serve_smtp(Peer& peer);
  void serve_imap(Peer& peer);
  void serve_pop3(Peer& peer);
  [[nodiscard]] bool is_too_large(const std::string& mail_line) const;
  // Whether it is taken.
  bool accept_message(Peer& peer);
  // Likewise, by the server behind this one.
  [[nodiscard]] bool hand_on() const;
  static std::string literal_of(Peer& peer, const std::string& command);
  bool imap_command(Peer& peer, const std::string& tag, const std::string& command);
  bool authenticated(Peer& peer, const std::string& line);

  MailBehaviour behaviour_;
  std::unique_ptr<Tls> tls_;
  std::uint16_t smtp_port_ = 0;  // before the listeners, whose making sets them
  std::uint16_t imap_port_ = 0;
  std::uint16_t pop3_port_ = 0;
  FileDescriptor smtp_listener_;
  FileDescriptor imap_listener_;
  FileDescriptor pop3_listener_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  struct Mail {
    std::uint32_t uid = 0;
    std::string text;
    std::string flags;  // as they were given, separated by blanks
    bool deleted = false;
  };
  void deliver(std::string text, std::string flags);
  [[nodiscard]] bool finds(const Mail& mail, const std::string& criteria, const std::string& wanted) const;
  std::vector<Mail> mailbox_;
  std::uint32_t next_uid_ = 1;
  std::uint32_t uid_validity_ = 1000;
  std::vector<std::string> smtp_lines_;
  std::string recipient_;  // the last one; only one client at a time is served
  int searches_ = 0;
  bool has_expunged_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace patchlab::checks::mail::testing
