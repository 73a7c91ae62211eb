// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "checks/learn/learn.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr const char* question = "listeners";
constexpr std::string_view listening = "0A";  // TCP_LISTEN, linux/tcp_states.h

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (const auto word : split(line, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// Addresses are written as 32-bit words of the host's order: of 127.0.0.1 the last two digits are 7F. ::1, and
// ::ffff:127.0.0.1.
bool is_loopback(std::string_view address) {
  if (address.size() == 8) return address.ends_with("7F");
  return address == "00000000000000000000000001000000" ||
         (address.size() == 32 && address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"));
}

bool is_one_of(std::uint16_t port, std::initializer_list<int> ports) {
  return std::ranges::find(ports, int{port}) != ports.end();
}

// Whose server waits for the client to speak, and for which there are kinds of checks.
bool waits_for_a_question(std::uint16_t port) { return is_one_of(port, {53, 445, 631, 5432}); }
// Mail, of which checks look at more than the greeting; see mail.cpp.
bool is_of_mail(std::uint16_t port) { return is_one_of(port, {25, 110, 143, 587}); }

// How TLS begins there; nothing where nobody expects it: what is no such server could be upset by a handshake.
std::optional<std::string> starttls_of(std::uint16_t port) {
  if (is_one_of(port, {25, 587})) return "smtp";
  if (port == 143) return "imap";
  if (port == 110) return "pop3";
  if (is_one_of(port, {443, 465, 636, 853, 989, 990, 993, 995, 3269, 5986, 8443})) return "none";
  return std::nullopt;
}

constexpr std::chrono::seconds greeting_patience{20};
constexpr std::size_t most_ports = 50;

void add_drafts(std::uint16_t port, Drafts& drafts) {
  const auto starttls = starttls_of(port);
  if (starttls) {
    Json with{{"port", port}, {"versions", {"1.2", "1.3"}}};
    if (*starttls != "none") with["starttls"] = *starttls;
    drafts.checks.push_back({fmt::format("tls-{}", port),
                             {way("tls.offered", std::move(with), greeting_patience)},
                             fmt::format("port {}: versions of TLS that are offered, all others refused, and the "
                                         "certificate; its digest changes when it is renewed",
                                         port)});
  }
  if (starttls == "none" || waits_for_a_question(port)) return;
  drafts.checks.push_back({fmt::format("banner-{}", port),
                           {way("tcp.banner", {{"port", port}}, greeting_patience)},
                           fmt::format("port {}: what it says to who connects, without versions and times", port)});
  if (is_of_mail(port)) return;
  drafts.not_learnt.push_back(
      fmt::format("TCP port {}: of what is behind its greeting no kind of check knows; a program can look at it (kind "
                  "\"command\")",
                  port));
}

class Listeners final : public Protocol {
 public:
  std::vector<Question> questions(const Answers& /*answers*/) const override {
    return {{question, "cat /proc/net/tcp; cat /proc/net/tcp6 2>/dev/null; exit 0", {}}};
  }

  Drafts drafts(const Machine& /*machine*/, const Answers& answers) const override {
    Drafts drafts;
    if (answer_to(answers, question) == nullptr)
      drafts.not_learnt.emplace_back("open ports: the guest did not say which there are");
    const auto ports = open_tcp_ports(answers);
    std::size_t looked_at = 0;
    for (const auto port : ports) {
      if (looked_at++ < most_ports) add_drafts(port, drafts);
    }
    if (ports.size() > most_ports)
      drafts.not_learnt.push_back(fmt::format("open ports: {} of {} are looked at, no more", most_ports, ports.size()));
    return drafts;
  }
};

}  // namespace

// "  0: 00000000:0035 00000000:0000 0A ..."
std::set<std::uint16_t> open_tcp_ports(const Answers& answers) {
  std::set<std::uint16_t> ports;
  const auto* answer = answer_to(answers, question);
  if (answer == nullptr) return ports;
  for (const auto line : split(answer->output, '\n')) {
    const auto words = words_of(line);
    if (words.size() < 4 || words[3] != listening) continue;
    const auto colon = words[1].find(':');
    if (colon == std::string_view::npos || is_loopback(words[1].substr(0, colon))) continue;
    const auto digits = words[1].substr(colon + 1);
    std::uint16_t port = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
    if (parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size()) ports.insert(port);
  }
  return ports;
}

const Protocol& listeners() {
  static const Listeners instance;
  return instance;
}

}  // namespace patchlab::checks::learn
