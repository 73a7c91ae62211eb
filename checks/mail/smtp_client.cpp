// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/smtp_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

#include "checks/mail/stages.hpp"
#include "lab/core/base64.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

// The name in EHLO: an address literal would be more correct (RFC 5321 section 4.1.4), but some policies refuse it.
constexpr const char* helo_name = "probe.invalid";
constexpr std::size_t most_reply_lines = 200;

bool has_code(const std::string& line) {
  return line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
}

// "AUTH PLAIN LOGIN" becomes "AUTH PLAIN" and "AUTH LOGIN", "SIZE 1000" stays; of all others only the keyword counts.
void add_capability(const std::string& line, std::set<std::string>& capabilities) {
  std::istringstream words(upper_case(line));
  std::string keyword;
  words >> keyword;
  capabilities.insert(keyword);
  if (keyword != "AUTH" && keyword != "SIZE") return;
  for (std::string word; words >> word;) capabilities.insert(keyword + " " + word);
}

}  // namespace

Result<SmtpClient::Reply> SmtpClient::read_reply() {
  Reply reply;
  // RFC 5321 section 4.2.1: "250-text" lines, ended by "250 text" or "250".
  while (reply.lines.size() < most_reply_lines) {
    PATCHLAB_ASSIGN(const auto line, connection_->read_line());
    if (!has_code(line)) return guest_error(fmt::format("not an SMTP reply: '{}'", line.substr(0, 200)));
    reply.code = line.substr(0, 3);
    reply.lines.push_back(line.size() > 4 ? line.substr(4) : "");
    if (line.size() == 3 || line[3] != '-') return reply;
  }
  return guest_error(fmt::format("a reply of more than {} lines", most_reply_lines));
}

std::optional<SmtpClient::Reply> SmtpClient::exchange(const std::string& stage, std::string_view line) {
  if (!line.empty()) {
    if (const auto sent = connection_->send(line); !sent) {
      log_.troubled(stage, sent.error());
      return std::nullopt;
    }
  }
  auto reply = read_reply();
  if (!reply) {
    log_.troubled(stage, reply.error());
    return std::nullopt;
  }
  log_.answered(stage, reply->code, fmt::format("{}", fmt::join(reply->lines, "\n")));
  return *std::move(reply);
}

bool SmtpClient::connect(const std::string& address, std::uint16_t port) {
  connection_ = connect_stage(address, port, deadline_, log_);
  if (!connection_) return false;
  const auto banner = exchange("banner", "");
  return banner && banner->code == "220";
}

bool SmtpClient::ehlo(const std::string& stage) {
  capabilities_.clear();
  const auto reply = exchange(stage, fmt::format("EHLO {}\r\n", helo_name));
  if (!reply || reply->code != "250") return false;
  // The first line is a greeting, not a capability.
  for (std::size_t i = 1; i < reply->lines.size(); ++i) add_capability(reply->lines[i], capabilities_);
  return true;
}

bool SmtpClient::secure(Certificate certificate) {
  if (!offers("STARTTLS")) {
    log_.missing("starttls", "STARTTLS");
    return false;
  }
  const auto reply = exchange("starttls", "STARTTLS\r\n");
  if (!reply || reply->code != "220") return false;
  const auto session = tls_stage(*connection_, certificate, log_);
  if (!session) return false;
  tls_ = *session;
  return ehlo("ehlo-tls");
}

bool SmtpClient::authenticate(const std::string& user, const std::string& password) {
  if (offers("AUTH PLAIN")) {
    using namespace std::string_literals;
    const auto secret = "\0"s + user + "\0"s + password;
    const auto reply = exchange("auth", fmt::format("AUTH PLAIN {}\r\n", base64(secret)));
    return reply && reply->code == "235";
  }
  if (offers("AUTH LOGIN")) return login_by_steps(user, password);
  log_.missing("auth", "AUTH PLAIN or AUTH LOGIN");
  return false;
}

bool SmtpClient::login_by_steps(const std::string& user, const std::string& password) {
  const auto hello = exchange("auth-login", "AUTH LOGIN\r\n");
  if (!hello) return false;
  const auto named = hello->code == "334" ? exchange("auth-user", base64(user) + "\r\n") : hello;
  if (!named) return false;
  if (named->code != "334") {
    log_.answered("auth", named->code, "refused before the password");
    return false;
  }
  const auto reply = exchange("auth", base64(password) + "\r\n");
  return reply && reply->code == "235";
}

bool SmtpClient::command(const std::string& stage, const std::string& line, char good) {
  const auto reply = exchange(stage, line + "\r\n");
  return reply && reply->code.front() == good;
}

bool SmtpClient::send_data(const std::string& data) {
  const auto reply = exchange("message", data);
  return reply && reply->code.front() == '2';
}

void SmtpClient::quit() {
  if (connection_) exchange("quit", "QUIT\r\n");
  connection_.reset();
}

}  // namespace patchlab::checks::mail
