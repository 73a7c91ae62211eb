// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/imap_client.hpp"

#include <fmt/format.h>

#include <charconv>
#include <sstream>
#include <thread>

#include "checks/mail/stages.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::size_t largest_literal = 16U << 20U;
constexpr std::size_t most_lines = 10000;

// The n of "...{n}" at the end of a line.
std::optional<std::size_t> literal_size(const std::string& line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  const auto open = line.rfind('{');
  if (open == std::string::npos) return std::nullopt;
  std::size_t size = 0;
  const auto* end = line.data() + line.size() - 1;
  const auto parsed = std::from_chars(line.data() + open + 1, end, size);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return size;
}

// Whether an untagged line is of the message with this unique id. A server may tell of others at any time (RFC 3501
// sections 5.2 and 7.4.2); what answers UID FETCH names the unique id (section 6.4.8).
bool is_fetch_of(const std::string& upper_line, const std::string& uid) {
  const auto [number, rest] = split_word(upper_line);
  if (!rest.starts_with("FETCH (")) return false;
  const auto item = "UID " + uid;
  for (auto at = rest.find(item); at != std::string::npos; at = rest.find(item, at + 1)) {
    const char before = rest[at - 1];  // there is one: "FETCH ("
    const auto end = at + item.size();
    if ((before == '(' || before == ' ') && end < rest.size() && (rest[end] == ' ' || rest[end] == ')')) return true;
  }
  return false;
}

}  // namespace

std::string imap_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

Result<std::string> ImapClient::read_response_line(std::vector<std::string>& literals) {
  PATCHLAB_ASSIGN(auto line, connection_->read_line());
  while (const auto size = literal_size(line)) {
    if (*size > largest_literal) return guest_error(fmt::format("a literal of {} bytes", *size));
    PATCHLAB_ASSIGN(auto literal, connection_->read_bytes(*size));
    literals.push_back(std::move(literal));
    PATCHLAB_ASSIGN(const auto rest, connection_->read_line());
    line += rest;
  }
  return line;
}

Result<ImapClient::Response> ImapClient::run(const std::string& command, const std::string& literal) {
  const auto tag = fmt::format("p{}", ++last_tag_);
  PATCHLAB_TRY(connection_->send(fmt::format("{} {}\r\n", tag, command)));
  Response response;
  bool is_sent = false;
  while (response.untagged.size() < most_lines) {
    PATCHLAB_ASSIGN(const auto line, read_response_line(response.literals));
    const auto [first, rest] = split_word(line);
    if (first == "+" && !literal.empty() && !is_sent) {
      PATCHLAB_TRY(connection_->send(literal + "\r\n"));
      is_sent = true;
      continue;
    }
    if (first == tag) {
      std::tie(response.status, response.text) = split_word(rest);
      return response;
    }
    if (first != "*") return guest_error(fmt::format("not an IMAP response: '{}'", line.substr(0, 200)));
    response.untagged.push_back(rest);
  }
  return guest_error(fmt::format("more than {} untagged responses", most_lines));
}

std::optional<ImapClient::Response> ImapClient::logged(const std::string& stage, const std::string& command,
                                                       const std::string& literal) {
  auto response = run(command, literal);
  if (!response) {
    log_.troubled(stage, response.error());
    return std::nullopt;
  }
  log_.answered(stage, response->status, response->text);
  return *std::move(response);
}

bool ImapClient::greeting() {
  const auto line = connection_->read_line();
  if (!line) {
    log_.troubled("greeting", line.error());
    return false;
  }
  const auto [star, rest] = split_word(*line);
  const auto [status, text] = split_word(rest);
  log_.answered("greeting", star == "*" ? status : star, text);
  return star == "*" && status == "OK";
}

bool ImapClient::secure(Certificate certificate) {
  const auto session = tls_stage(*connection_, certificate, log_);
  if (!session) return false;
  tls_ = *session;
  return true;
}

bool ImapClient::connect(const std::string& address, std::uint16_t port, ImapSecurity security,
                         Certificate certificate) {
  connection_ = connect_stage(address, port, deadline_, log_);
  if (!connection_) return false;
  if (security == ImapSecurity::implicit) return secure(certificate) && greeting();
  if (!greeting()) return false;
  if (security == ImapSecurity::none) return true;
  const auto response = logged("starttls", "STARTTLS");
  return response && response->status == "OK" && secure(certificate);
}

std::optional<std::set<std::string>> ImapClient::capabilities() {
  const auto response = logged("capability", "CAPABILITY");
  if (!response || response->status != "OK") return std::nullopt;
  std::set<std::string> offered;
  for (const auto& line : response->untagged) {
    std::istringstream words(upper_case(line));
    std::string word;
    words >> word;
    if (word != "CAPABILITY") continue;
    while (words >> word) offered.insert(word);
  }
  return offered;
}

bool ImapClient::login(const std::string& user, const std::string& password) {
  const auto response = logged("login", fmt::format("LOGIN {} {}", imap_quoted(user), imap_quoted(password)));
  return response && response->status == "OK";
}

bool ImapClient::select(const std::string& mailbox) {
  const auto response = logged("select", fmt::format("SELECT {}", imap_quoted(mailbox)));
  uid_validity_.clear();
  if (!response || response->status != "OK") return false;
  constexpr std::string_view begin = "OK [UIDVALIDITY ";
  for (const auto& line : response->untagged) {
    if (upper_case(line).starts_with(begin)) uid_validity_ = line.substr(begin.size(), line.find(']') - begin.size());
  }
  return true;
}

bool ImapClient::append(const std::string& mailbox, const std::string& flags, const std::string& message) {
  const auto response =
      logged("append", fmt::format("APPEND {} ({}) {{{}}}", imap_quoted(mailbox), flags, message.size()), message);
  return response && response->status == "OK";
}

std::optional<std::vector<std::string>> ImapClient::search(const std::string& message_id) {
  return search_by("HEADER Message-ID " + imap_quoted(message_id));
}

std::optional<std::vector<std::string>> ImapClient::search_text(const std::string& text) {
  return search_by("TEXT " + imap_quoted(text));
}

std::optional<std::vector<std::string>> ImapClient::search_for(const std::string& criteria, const std::string& text) {
  return search_by(fmt::format("CHARSET UTF-8 {} {{{}}}", criteria, text.size()), text);
}

std::optional<std::vector<std::string>> ImapClient::search_by(const std::string& criteria, const std::string& literal) {
  // NOOP lets a server tell of new messages at once (RFC 3501 section 6.1.2).
  auto response = run("NOOP");
  if (response) response = run("UID SEARCH " + criteria, literal);
  if (!response) {
    log_.troubled("search", response.error());
    return std::nullopt;
  }
  if (response->status != "OK") {
    log_.answered("search", response->status, response->text);
    return std::nullopt;
  }
  std::vector<std::string> uids;
  for (const auto& line : response->untagged) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word != "SEARCH") continue;
    while (words >> word && word.find_first_not_of("0123456789") == std::string::npos) uids.push_back(word);
  }
  return uids;
}

std::optional<std::string> ImapClient::fetch(const std::string& uid) {
  const auto response = logged("fetch", fmt::format("UID FETCH {} BODY.PEEK[]", uid));
  if (!response || response->status != "OK") return std::nullopt;
  return response->literals.empty() ? std::string() : response->literals.front();
}

std::optional<std::set<std::string>> ImapClient::flags(const std::string& uid) {
  const auto response = logged("flags", fmt::format("UID FETCH {} FLAGS", uid));
  if (!response || response->status != "OK") return std::nullopt;
  std::set<std::string> found;
  for (const auto& line : response->untagged) {
    const auto all = upper_case(line);
    const auto begin = all.find("FLAGS (");
    if (begin == std::string::npos || !is_fetch_of(all, uid)) continue;
    found.clear();  // the last one is how it is now
    std::istringstream words(all.substr(begin + 7, all.find(')', begin) - begin - 7));
    for (std::string word; words >> word;) {
      if (word != "\\RECENT") found.insert(word);
    }
  }
  return found;
}

bool ImapClient::remove(const std::string& uid) {
  const auto flagged = logged("delete", fmt::format("UID STORE {} +FLAGS.SILENT (\\Deleted)", uid));
  if (!flagged || flagged->status != "OK") return false;
  const auto expunged = logged("expunge", "EXPUNGE");
  return expunged && expunged->status == "OK";
}

void ImapClient::logout() {
  if (connection_) logged("logout", "LOGOUT");
  connection_.reset();
}

std::optional<std::vector<std::string>> await_message(
    const std::function<std::optional<std::vector<std::string>>()>& search, const Deadline& deadline, int& searches) {
  const auto give_up = deadline.within(deadline.remaining() * 4 / 5);
  for (;;) {
    ++searches;
    auto found = search();
    if (!found || !found->empty() || give_up.passed()) return found;
    std::this_thread::sleep_for(std::min(Milliseconds(200), give_up.remaining()));
  }
}

}  // namespace patchlab::checks::mail
