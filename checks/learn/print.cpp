// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "checks/learn/learn.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr std::size_t most_queues = 20;
constexpr int large_document = 1'000'000;
constexpr std::chrono::seconds print_patience{40};

struct Queue {
  std::string name;
  std::string device;
};

// printers.conf(5): "<DefaultPrinter office>", "DeviceURI socket://10.20.0.250:9100".
std::vector<Queue> queues_in(const Answer& answer) {
  std::vector<Queue> queues;
  for (const auto line : split(answer.output, '\n')) {
    const auto text = trimmed(line);
    for (const std::string_view begin : {"<Printer ", "<DefaultPrinter "}) {
      if (text.starts_with(begin) && text.ends_with('>'))
        queues.push_back({std::string(text.substr(begin.size(), text.size() - begin.size() - 1)), {}});
    }
    constexpr std::string_view device = "DeviceURI ";
    if (text.starts_with(device) && !queues.empty()) queues.back().device = trimmed(text.substr(device.size()));
  }
  return queues;
}

// Of a queue that prints to this address: the port. "socket://10.20.0.250:9100/?snmp=false"
std::optional<std::uint16_t> port_at(const Queue& queue, const std::string& address) {
  const auto begin = "socket://" + address;
  if (!queue.device.starts_with(begin)) return std::nullopt;
  const auto rest = std::string_view(queue.device).substr(begin.size());
  if (rest.empty() || rest.front() == '/') return 9100;  // as CUPS' backend does without one
  if (rest.front() != ':') return std::nullopt;
  std::uint16_t port = 0;
  const auto digits = rest.substr(1, rest.find('/') - 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

class Print final : public Protocol {
 public:
  std::vector<Question> questions(const Answers& /*answers*/) const override {
    return {{"cups", "exec cat /etc/cups/printers.conf", {}}};
  }

  Drafts drafts(const Machine& machine, const Answers& answers) const override {
    Drafts drafts;
    if (!open_tcp_ports(answers).contains(631)) return drafts;
    const auto* answer = answer_to(answers, "cups");
    if (answer == nullptr) {
      drafts.not_learnt.emplace_back("printing: port 631 is open, and there is no /etc/cups/printers.conf");
      return drafts;
    }
    const auto queues = queues_in(*answer);
    for (std::size_t i = 0; i < std::min(queues.size(), most_queues); ++i) {
      const auto& queue = queues[i];
      drafts.checks.push_back(
          {"offers-" + queue.name,
           {way("print.queue", Json{{"queue", queue.name}}, print_patience)},
           fmt::format("queue {}: formats, operations, media, quotas that it says it has", queue.name)});
      const auto port = port_at(queue, machine.client);
      if (!port) {
        drafts.not_learnt.push_back(
            fmt::format("queue {}: it prints to {}; the check is the printer, which must be socket://{}", queue.name,
                        queue.device.substr(0, queue.device.find('?')), machine.client));
        continue;
      }
      const Json with{{"queue", queue.name}, {"sink", {{"listen_port", *port}}}};
      auto converted = with;
      converted["exact"] = false;
      auto held = with;
      held.update({{"held", true}, {"bytes", large_document}});
      auto closed = held;
      closed["strangers_refused"] = true;
      drafts.checks.push_back(
          {"queue-" + queue.name,
           {way("print.job", closed, print_patience), way("print.job", held, print_patience),
            way("print.job", with, print_patience), way("print.job", converted, print_patience)},
           fmt::format(
               "queue {}: a document is printed, and arrives (\"exact\": byte by byte); others are held, one over "
               "restarts (\"held\"), and nobody else cancels them or changes the queue",
               queue.name)});
    }
    if (queues.size() > most_queues)
      drafts.not_learnt.push_back(fmt::format("{} of {} queues are tried, no more", most_queues, queues.size()));
    return drafts;
  }
};

}  // namespace

const Protocol& print() {
  static const Print instance;
  return instance;
}

}  // namespace patchlab::checks::learn
