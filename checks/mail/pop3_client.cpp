// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/pop3_client.hpp"

#include <fmt/format.h>

#include <charconv>

#include "checks/mail/message.hpp"
#include "checks/mail/stages.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::size_t largest_text = 32U << 20U;
constexpr std::size_t most_looked_at = 50;  // of the newest messages

// The largest number of a listing, "1 120\r\n2 200\r\n".
std::size_t last_number(const std::string& listing) {
  std::size_t last = 0;
  for (const auto line : split(listing, '\n')) {
    std::size_t number = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number);
    if (parsed.ec == std::errc()) last = std::max(last, number);
  }
  return last;
}

}  // namespace

std::optional<std::string> Pop3Client::asked(const std::string& stage, const std::string& command) {
  const auto sent = connection_->send(command + "\r\n");
  auto line = sent ? connection_->read_line() : Result<std::string>(sent.error());
  if (!line) {
    log_.troubled(stage, line.error());
    return std::nullopt;
  }
  return *std::move(line);
}

bool Pop3Client::went_well(const std::string& stage, const std::string& command) {
  const auto line = asked(stage, command);
  if (!line) return false;
  const auto [status, text] = split_word(*line);
  log_.answered(stage, status, text);
  return status == "+OK";
}

Result<std::string> Pop3Client::read_text() {
  std::string text;
  while (text.size() <= largest_text) {
    PATCHLAB_ASSIGN(auto line, connection_->read_line());
    if (line == ".") return text;
    if (line.starts_with('.')) line.erase(0, 1);
    text += line + "\r\n";
  }
  return guest_error(fmt::format("more than {} bytes of one message", largest_text));
}

bool Pop3Client::greeting() {
  const auto line = connection_->read_line();
  if (!line) {
    log_.troubled("greeting", line.error());
    return false;
  }
  const auto [status, text] = split_word(*line);
  log_.answered("greeting", status, text);
  return status == "+OK";
}

bool Pop3Client::secure(Certificate certificate) {
  const auto session = tls_stage(*connection_, certificate, log_);
  if (!session) return false;
  tls_ = *session;
  return true;
}

bool Pop3Client::connect(const std::string& address, std::uint16_t port, ImapSecurity security,
                         Certificate certificate) {
  connection_ = connect_stage(address, port, deadline_, log_);
  if (!connection_) return false;
  if (security == ImapSecurity::implicit) return secure(certificate) && greeting();
  if (!greeting()) return false;
  return security == ImapSecurity::none || (went_well("stls", "STLS") && secure(certificate));
}

bool Pop3Client::login(const std::string& user, const std::string& password) {
  return went_well("user", "USER " + user) && went_well("pass", "PASS " + password);
}

std::optional<std::vector<std::size_t>> Pop3Client::find(const std::string& message_id) {
  if (!went_well("list", "LIST")) return std::nullopt;
  const auto listing = read_text();
  if (!listing) {
    log_.troubled("top", listing.error());
    return std::nullopt;
  }
  std::vector<std::size_t> found;
  const auto last = last_number(*listing);
  for (auto number = last; number > 0 && last - number < most_looked_at; --number) {
    const auto line = asked("top", fmt::format("TOP {} 0", number));
    if (!line) return std::nullopt;
    const auto [status, why] = split_word(*line);
    if (status != "+OK") {
      log_.answered("top", status, why);
      return std::nullopt;
    }
    const auto header = read_text();
    if (!header) {
      log_.troubled("top", header.error());
      return std::nullopt;
    }
    const auto fields = header_fields(*header);
    const auto id = fields.find("message-id");
    if (id != fields.end() && id->second == message_id) found.push_back(number);
  }
  return found;
}

std::optional<std::string> Pop3Client::fetch(std::size_t number) {
  if (!went_well("retr", fmt::format("RETR {}", number))) return std::nullopt;
  auto text = read_text();
  if (text) return *std::move(text);
  log_.troubled("retr-text", text.error());
  return std::nullopt;
}

bool Pop3Client::remove(std::size_t number) { return went_well("dele", fmt::format("DELE {}", number)); }

bool Pop3Client::quit() {
  const bool is_over = connection_ && went_well("quit", "QUIT");
  connection_.reset();
  return is_over;
}

}  // namespace patchlab::checks::mail
