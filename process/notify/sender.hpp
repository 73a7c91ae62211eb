// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "process/notify/config.hpp"

namespace patchlab::process {

// An address that a mail server did not take.
struct RefusedAddress {
  std::string address;
  std::string answer;        // of the server, printable
  bool is_for_good = false;  // it says that it never will (5xx)
  bool operator==(const RefusedAddress&) const = default;
};

// What came of one delivery.
struct Sent {
  enum class Kind {
    delivered,
    refused,  // this event alone: the next one may be taken
    failed,   // whoever it is for takes none now
  } kind = Kind::failed;
  std::string why;                                  // of what was not delivered, a sentence, printable
  std::optional<std::chrono::seconds> retry_after;  // as the receiver asks
  std::vector<RefusedAddress> refused{};            // of a mail, also when others took it
};

struct HttpPost {
  std::string url;
  std::string ca;     // file; empty: the system's
  std::string proxy;  // empty: none, whatever the environment says
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::seconds patience{20};
};
struct MailPost {
  Mailbox mailbox;       // who still is to have it
  std::string password;  // empty: nobody signs in
  std::string text;      // RFC 5322, with CRLF
  std::chrono::seconds patience{20};
};

// Whoever speaks to the world.
class Sender {
 public:
  virtual ~Sender() = default;
  virtual Sent post(const HttpPost& post) = 0;
  virtual Sent mail(const MailPost& mail) = 0;
};

// By libcurl. Servers are verified, redirects are not followed, nothing is waited for longer than its patience, and no
// answer is kept beyond what an error quotes. `stop` ends what is under way.
[[nodiscard]] std::unique_ptr<Sender> curl_sender(std::stop_token stop);

// What an answer of HTTP means. `said`: the begin of its body.
[[nodiscard]] Sent judge_answer(long status, const std::string& said);

}  // namespace patchlab::process
