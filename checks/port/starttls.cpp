// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/starttls.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "checks/port/greeting.hpp"
#include "checks/socket.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::port {
namespace {

constexpr std::size_t most_bytes = 64U << 10U;  // before TLS, altogether
constexpr std::size_t most_shown = 200;

// The client's end in clear. What a call cannot do stays in `trouble`, and ends the talk.
class Speaker {
 public:
  Speaker(int socket, const Deadline& deadline) : socket_(socket), deadline_(deadline) {}

  bool smtp() {
    if (!smtp_reply("220") || !say("EHLO probe.invalid")) return false;
    const auto offered = smtp_reply("250");
    if (!offered) return false;
    // The first line is a greeting.
    const bool has_tls = std::any_of(offered->begin() + 1, offered->end(),
                                     [](const std::string& text) { return upper_case(trimmed(text)) == "STARTTLS"; });
    if (!has_tls) return fail("starttls-not-offered", "the answer to EHLO has no STARTTLS");
    return say("STARTTLS") && smtp_reply("220");
  }
  bool imap() {
    auto text = line();
    if (!text || !is_good(*text, "* ", "* OK") || !say("t1 STARTTLS")) return false;
    do text = line();
    while (text && text->starts_with("* "));
    return text && is_good(*text, "t1 ", "t1 OK");
  }
  bool pop3() { return pop3_reply() && say("STLS") && pop3_reply(); }
  bool hears_nothing_more() {
    return buffer_.empty() || fail("text-before-tls", greeting_text(buffer_.substr(0, most_shown)));
  }

  std::optional<StarttlsTrouble> trouble;

 private:
  bool fail(std::string reason, std::string text) {
    trouble = {std::move(reason), std::move(text)};
    return false;
  }
  bool fail(int number) { return fail(reason_for_errno(number), describe_errno(number)); }
  bool is_good(const std::string& text, std::string_view shape, std::string_view good) {
    if (text.starts_with(good)) return true;
    return fail(text.starts_with(shape) ? "starttls-refused" : "malformed-reply",
                greeting_text(text.substr(0, most_shown)));
  }

  bool say(std::string_view words) {
    const int number = send_all(socket_, fmt::format("{}\r\n", words), deadline_);
    return number == 0 || fail(number);
  }
  std::optional<std::string> line() {
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        auto text = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (text.ends_with('\r')) text.pop_back();
        return text;
      }
      if (!fill()) return std::nullopt;
    }
  }
  // Lines "250-text", ended by "250 text" (RFC 5321 section 4.2.1); each without the code.
  std::optional<std::vector<std::string>> smtp_reply(std::string_view code) {
    std::vector<std::string> lines;
    for (;;) {
      const auto text = line();
      if (!text) return std::nullopt;
      const bool has_code = text->size() >= 3 &&
                            std::all_of(text->begin(), text->begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
      const bool is_reply = has_code && (text->size() == 3 || (*text)[3] == ' ' || (*text)[3] == '-');
      if (!is_good(*text, is_reply ? std::string_view(*text) : "\n", is_reply ? code : "\n")) return std::nullopt;
      lines.push_back(text->size() > 4 ? text->substr(4) : "");
      if (text->size() == 3 || (*text)[3] == ' ') return lines;
    }
  }
  bool pop3_reply() {
    const auto text = line();
    return text && is_good(*text, "-ERR", "+OK");
  }
  bool fill() {
    if (received_ > most_bytes) return fail("malformed-reply", "no end of the answer");
    if (!wait_readable(socket_, deadline_) || deadline_.passed()) return fail(ETIMEDOUT);
    std::array<char, 4096> block{};
    const auto count = ::recv(socket_, block.data(), block.size(), 0);
    if (count == 0) return fail("connection-broken", "the server closed the connection");
    if (count < 0) return errno == EAGAIN || errno == EINTR || fail(errno);
    received_ += static_cast<std::size_t>(count);
    buffer_.append(block.data(), static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  const Deadline& deadline_;
  std::string buffer_;
  std::size_t received_ = 0;
};

}  // namespace

const std::vector<std::string>& starttls_words() {
  static const std::vector<std::string> words{"none", "smtp", "imap", "pop3"};
  return words;
}

std::optional<Starttls> starttls_from(const std::string& word) {
  const auto found = std::ranges::find(starttls_words(), word);
  if (found == starttls_words().end()) return std::nullopt;
  return static_cast<Starttls>(found - starttls_words().begin());
}

std::optional<StarttlsTrouble> ask_for_tls(int socket, Starttls how, const Deadline& deadline) {
  Speaker speaker(socket, deadline);
  bool is_ready = true;
  switch (how) {
    case Starttls::none: break;
    case Starttls::smtp: is_ready = speaker.smtp(); break;
    case Starttls::imap: is_ready = speaker.imap(); break;
    case Starttls::pop3: is_ready = speaker.pop3(); break;
  }
  if (is_ready) (void)speaker.hears_nothing_more();
  return speaker.trouble;
}

}  // namespace patchlab::checks::port
