// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

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

// Those that a kind of check is for.
bool is_covered(std::uint16_t port) {
  for (const int known : {25, 53, 143, 445, 587, 631, 993, 5432}) {
    if (port == known) return true;
  }
  return false;
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
    for (const auto port : open_tcp_ports(answers)) {
      if (is_covered(port)) continue;
      drafts.not_learnt.push_back(fmt::format(
          "TCP port {}: no kind of check is for what it says; that it is open is compared anyway, without a check; a "
          "program can look at more (kind \"command\")",
          port));
    }
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
