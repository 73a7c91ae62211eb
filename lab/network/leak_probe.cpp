// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/leak_probe.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <system_error>

#include "lab/core/files.hpp"
#include "lab/network/control.hpp"
#include "lab/network/frames.hpp"
#include "lab/network/wire.hpp"

namespace patchlab::lab::network {
namespace {
using Steady = std::chrono::steady_clock;

// After that a kernel gives up to look for a neighbour, and drops what was to go there (arp(7): three times a second).
constexpr auto neighbour_limit = std::chrono::seconds(3);

std::string words(int number) { return std::generic_category().message(number); }

sockaddr_in socket_address(Ipv4 address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(address.value());
  return to;
}

template <class Address>
const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // the sockets API's own idiom
}

class ProbeRun {
 public:
  ProbeRun(std::vector<PlannedProbe> probes, const LabIdentity& lab, Milliseconds limit, Milliseconds patience)
      : probes_(std::move(probes)), lab_(lab), limit_(limit), patience_(patience) {
    report_.attempts.reserve(probes_.size());
    for (const auto& probe : probes_) {
      auto target = probe.port == 0 ? probe.target : fmt::format("{}:{}", probe.target, probe.port);
      report_.attempts.push_back({name_of(probe), std::move(target), false, {}, true, probe.control});
    }
  }

  LeakReport finish() {
    prepare();
    const auto start = Steady::now();
    send_routed();
    send_wire();
    listen_until(start + limit_ / 3);
    send_wire();
    listen_until(start + limit_);
    auto ask_again = start + neighbour_limit;
    while (wire_.valid() && waits_for_control() && Steady::now() < start + patience_) {
      send_wire();
      if (Steady::now() >= ask_again) {
        ask_control_again();
        ask_again = Steady::now() + neighbour_limit;
      }
      listen_until(Steady::now() + limit_ / 3);
    }
    const auto took = std::chrono::duration<double>(Steady::now() - start).count();
    const auto silence = fmt::format("no answer within {:.1f} s", took);
    for (auto& attempt : report_.attempts) {
      if (attempt.evidence.empty()) attempt.evidence = silence;
      if (!attempt.control || attempt.answered) continue;
      report_.troubles.push_back(
          fmt::format("{} to {}: the control was not heard ({}), so that the silence of others "
                      "proves nothing",
                      attempt.probe, attempt.target, attempt.evidence));
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool waits_for_control() const {
    return std::ranges::any_of(report_.attempts, [](const LeakAttempt& attempt) {
      return attempt.control && attempt.sent && !attempt.answered;
    });
  }

  // A socket whose fate tells one probe's.
  struct Watched {
    FileDescriptor socket;
    std::size_t probe;
    short events;
  };

  void trouble(std::size_t probe, const std::string& why) {
    auto& attempt = report_.attempts[probe];
    attempt.sent = false;
    attempt.evidence = "not sent: " + why;
    report_.troubles.push_back(fmt::format("{} to {}: {}", attempt.probe, attempt.target, why));
  }

  void answered(std::size_t probe, const std::string& evidence) {
    auto& attempt = report_.attempts[probe];
    if (attempt.answered) return;
    attempt.answered = true;
    attempt.evidence = evidence;
  }

  void prepare() {
    sender_.address = lab_.plan.client;
    sender_.mark = random_mark();
    // Another one, or the answer to a ping by one way would be taken for that to the other.
    routed_mark_ = static_cast<std::uint16_t>(sender_.mark + 10000);
    auto device = find_device(lab_.device);
    auto wire = device ? open_wire(*device) : Result<FileDescriptor>(device.error());
    if (!wire) {
      wire_trouble_ = wire.error().message;
      report_.troubles.push_back(wire_trouble_);
      return;
    }
    sender_.mac = device->mac;
    wire_ = std::move(*wire);
    known_ = who_speaks(lab_);
    if (lab_.control) macs_[control_address().text()] = *lab_.control;
  }

  void send_routed() {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      if (probes_[i].path == ProbePath::route) send_by_route(i);
    }
  }

  // Of pings and questions that our own kernel has dropped nothing is heard, so that they are sent once more beside.
  void ask_control_again() {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      auto& attempt = report_.attempts[i];
      const bool waits = std::ranges::any_of(watched_, [&](const Watched& entry) { return entry.probe == i; });
      if (probes_[i].path != ProbePath::route || !attempt.control || attempt.answered || !attempt.sent) continue;
      if (waits && probes_[i].kind == ProbeKind::tcp) continue;  // the kernel goes on by itself
      attempt.evidence.clear();
      send_by_route(i);
    }
  }

  void send_by_route(std::size_t i) {
    const auto ipv4 = Ipv4::parse(probes_[i].target);
    switch (probes_[i].kind) {
      case ProbeKind::ping: ipv4 ? ping_by_route(i, *ipv4) : ping6_by_route(i); break;
      case ProbeKind::dns: ask_by_route(i, *ipv4); break;
      case ProbeKind::tcp: connect_by_route(i, *ipv4); break;
      case ProbeKind::arp:
      case ProbeKind::neighbour:
      case ProbeKind::all_nodes:
      case ProbeKind::stranger: break;  // wire only
    }
  }

  // Only what our own kernel says at once lands here: without a route nothing left the namespace.
  void note_refusal(std::size_t probe, int number) {
    if (number == ENETUNREACH || number == EHOSTUNREACH || number == EADDRNOTAVAIL) {
      auto text = words(number);
      std::transform(text.begin(), text.begin() + 1, text.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      report_.attempts[probe].evidence = text;
    } else {
      trouble(probe, words(number));
    }
  }

  void watch(std::size_t probe, FileDescriptor socket, short events) {
    watched_.push_back({std::move(socket), probe, events});
  }

  void ping_by_route(std::size_t probe, Ipv4 target) {
    FileDescriptor socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP));
    const auto to = socket_address(target, 0);
    const auto message = icmp_echo(routed_mark_);
    if (!socket.valid()) return trouble(probe, words(errno));
    if (::connect(socket.get(), generic(to), sizeof to) != 0) return note_refusal(probe, errno);
    if (::send(socket.get(), message.data(), message.size(), 0) < 0) return note_refusal(probe, errno);
    watch(probe, std::move(socket), POLLIN);
  }

  void ping6_by_route(std::size_t probe) {
    const auto target = parse_ipv6(probes_[probe].target);
    if (!target) return trouble(probe, "not an address");
    FileDescriptor socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
    if (!socket.valid()) {
      if (errno != EAFNOSUPPORT) return trouble(probe, words(errno));
      report_.attempts[probe].sent = false;  // and no trouble: what has no IPv6 cannot leak by its routes
      report_.attempts[probe].evidence = "not sent: no IPv6 on this host";
      return;
    }
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, target->data(), target->size());
    auto message = icmp_echo(routed_mark_);
    message[0] = 128;  // ICMPv6 echo request; the kernel computes the checksum
    if (::connect(socket.get(), generic(to), sizeof to) != 0) return note_refusal(probe, errno);
    if (::send(socket.get(), message.data(), message.size(), 0) < 0) return note_refusal(probe, errno);
    watch(probe, std::move(socket), POLLIN);
  }

  void ask_by_route(std::size_t probe, Ipv4 target) {
    FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto to = socket_address(target, probes_[probe].port);
    const auto question = dns_question(sender_.mark);
    if (!socket.valid()) return trouble(probe, words(errno));
    if (::connect(socket.get(), generic(to), sizeof to) != 0) return note_refusal(probe, errno);
    if (::send(socket.get(), question.data(), question.size(), 0) < 0) return note_refusal(probe, errno);
    watch(probe, std::move(socket), POLLIN);
  }

  void connect_by_route(std::size_t probe, Ipv4 target) {
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto to = socket_address(target, probes_[probe].port);
    if (!socket.valid()) return trouble(probe, words(errno));
    if (::connect(socket.get(), generic(to), sizeof to) == 0) return answered(probe, "connected");
    if (errno == ECONNREFUSED) return answered(probe, "connection refused");
    if (errno != EINPROGRESS) return note_refusal(probe, errno);
    watch(probe, std::move(socket), POLLOUT);
  }

  void send_wire() {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      if (probes_[i].path != ProbePath::wire || !report_.attempts[i].evidence.empty()) continue;
      if (!wire_.valid()) {
        trouble(i, wire_trouble_);
        continue;
      }
      auto frame = frame_of(probes_[i], sender_);
      if (frame.empty()) continue;  // listening only
      // What is addressed to everybody is no TCP to a kernel, and nothing that it refuses (RFC 1122 3.2.2).
      const auto at = macs_.find(probes_[i].target);
      if (is_refusable(probes_[i].kind) && at != macs_.end()) std::ranges::copy(at->second.bytes(), frame.begin());
      if (::send(wire_.get(), frame.data(), frame.size(), 0) < 0) trouble(i, words(errno));
    }
  }

  static bool is_refusable(ProbeKind kind) { return kind == ProbeKind::tcp || kind == ProbeKind::dns; }

  void listen_until(Steady::time_point deadline) {
    for (;;) {
      const auto left = std::chrono::ceil<Milliseconds>(deadline - Steady::now()).count();
      if (left <= 0) return;
      std::vector<pollfd> files{{wire_.get(), POLLIN, 0}};
      for (const auto& entry : watched_) files.push_back({entry.socket.get(), entry.events, 0});
      if (::poll(files.data(), files.size(), static_cast<int>(left)) <= 0) continue;
      if (files[0].revents != 0) hear_frames();
      for (std::size_t i = 0; i < watched_.size(); ++i) {
        if (files[i + 1].revents != 0) settle(watched_[i]);
      }
      std::erase_if(watched_, [](const Watched& entry) { return !entry.socket.valid(); });
    }
  }

  // Reads what a routed probe's socket has to say, and closes it once that is an answer or a final refusal.
  void settle(Watched& entry) {
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(entry.socket.get(), SOL_SOCKET, SO_ERROR, &number, &size);
    if (number == 0 && entry.events == POLLIN && !read_answer(entry)) return;
    if (number == 0) {
      answered(entry.probe, entry.events == POLLIN ? "answered" : "connected");
    } else if (number == ECONNREFUSED) {
      answered(entry.probe, "connection refused");
    } else if (number == EHOSTUNREACH && is_in_subnet(entry.probe)) {
      note_refusal(entry.probe, number);  // our own kernel: nobody answered its ARP
    } else {
      answered(entry.probe, "somebody reported: " + words(number));
    }
    entry.socket = FileDescriptor();
  }

  [[nodiscard]] bool is_in_subnet(std::size_t probe) const {
    const auto address = Ipv4::parse(probes_[probe].target);
    return address && (lab_.plan.subnet.contains(*address) || control_subnet().contains(*address));
  }

  // Raw ICMP sockets also see what is not for us; a UDP socket is connected and sees its answer only.
  bool read_answer(const Watched& entry) const {
    std::array<std::uint8_t, 2048> data{};
    const auto count = ::recv(entry.socket.get(), data.data(), data.size(), 0);
    if (count <= 0) return false;
    if (probes_[entry.probe].kind == ProbeKind::dns) return true;
    const bool ipv6 = probes_[entry.probe].target.find(':') != std::string::npos;
    const std::size_t header = ipv6 ? 0 : (data[0] & 0xFU) * std::size_t{4};
    const auto id = (static_cast<unsigned>(data[header + 4]) << 8U) | data[header + 5];
    return data[header] == (ipv6 ? 129 : 0) && id == routed_mark_;
  }

  void hear_frames() {
    std::array<std::uint8_t, 2048> data{};
    for (;;) {
      sockaddr_ll from{};
      socklen_t size = sizeof from;
      const auto count =
          ::recvfrom(wire_.get(), data.data(), data.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (count <= 0) return;
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      const auto frame = heard(data.data(), static_cast<std::size_t>(count));
      if (frame && frame->kind == Heard::Kind::arp_reply) macs_[frame->address] = frame->from;
      if (frame && lab_.control == frame->from)
        note_answer(*frame, true);
      else if (frame && known_.count(frame->from) == 0)
        note_stranger(*frame);
    }
  }

  void note_stranger(const Heard& frame) {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      const auto& probe = probes_[i];
      if (probe.kind == ProbeKind::stranger) answered(i, "frame from " + frame.from.text());
    }
    note_answer(frame, false);
  }

  // The control answers to all nodes too, and nobody else's silence may be taken for broken by that.
  void note_answer(const Heard& frame, bool from_control) {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      const auto& probe = probes_[i];
      if (probe.control == from_control && probe.path == ProbePath::wire && is_answer(probe, frame, sender_.mark))
        answered(i, "answer from " + frame.from.text());
    }
  }

  std::vector<PlannedProbe> probes_;
  const LabIdentity& lab_;
  Milliseconds limit_;
  Milliseconds patience_;
  LeakReport report_;
  Sender sender_;
  std::uint16_t routed_mark_ = 0;
  FileDescriptor wire_;
  std::string wire_trouble_;
  std::set<MacAddress> known_;
  std::map<std::string, MacAddress> macs_;  // by address, of who answered ARP
  std::vector<Watched> watched_;
};
}  // namespace

const char* name_of(const PlannedProbe& probe) {
  const bool wire = probe.path == ProbePath::wire;
  const bool ipv6 = probe.target.find(':') != std::string::npos;
  switch (probe.kind) {
    case ProbeKind::arp: return "arp";
    case ProbeKind::ping: return ipv6 ? "ipv6-ping" : wire ? "ping-wire" : "ping";
    case ProbeKind::dns: return wire ? "dns-wire" : "dns";
    case ProbeKind::tcp: return wire ? "tcp-wire" : "tcp";
    case ProbeKind::neighbour: return "ipv6-nd";
    case ProbeKind::all_nodes: return "ipv6-all-nodes";
    case ProbeKind::stranger: return "stranger";
  }
  return "probe";
}

std::uint16_t random_mark() {
  std::uint16_t value = 0;
  static_cast<void>(!::getrandom(&value, sizeof value, 0));
  return static_cast<std::uint16_t>(20000 + value % 10000);  // below the ports the kernel gives out by itself
}

std::set<MacAddress> who_speaks(const LabIdentity& lab) {
  auto known = macs_of_own_devices();
  known.insert(lab.machines.begin(), lab.machines.end());
  return known;
}

Bytes frame_of(const PlannedProbe& probe, const Sender& sender) {
  const auto ipv4 = Ipv4::parse(probe.target).value_or(Ipv4());
  switch (probe.kind) {
    case ProbeKind::arp: return arp_request(sender, ipv4);
    case ProbeKind::ping: return ping_frame(sender, ipv4);
    case ProbeKind::dns: return dns_frame(sender, ipv4);
    case ProbeKind::tcp: return tcp_syn_frame(sender, ipv4, probe.port);
    case ProbeKind::neighbour: return neighbour_solicitation(sender, parse_ipv6(probe.target).value_or(Ipv6{}));
    case ProbeKind::all_nodes: return all_nodes_ping(sender);
    case ProbeKind::stranger: return {};
  }
  return {};
}

bool is_answer(const PlannedProbe& probe, const Heard& frame, std::uint16_t mark) {
  using Kind = Heard::Kind;
  const bool of_target = frame.address == probe.target;
  const bool ours = frame.mark == mark;
  // One kind's refusal says nothing of another: a control must be heard by each.
  const auto refuses = [&](std::uint8_t protocol) {
    return frame.kind == Kind::icmp_error && frame.quoted == protocol && ours;
  };
  switch (probe.kind) {
    case ProbeKind::arp: return frame.kind == Kind::arp_reply && of_target;
    case ProbeKind::ping: return of_target && ((frame.kind == Kind::echo_reply && ours) || refuses(IPPROTO_ICMP));
    case ProbeKind::dns:
      return of_target && ((frame.kind == Kind::udp && ours && frame.source_port == 53) || refuses(IPPROTO_UDP));
    case ProbeKind::tcp:
      return of_target &&
             ((frame.kind == Kind::tcp && ours && frame.source_port == probe.port) || refuses(IPPROTO_TCP));
    case ProbeKind::neighbour: return frame.kind == Kind::neighbour_advertisement && of_target;
    case ProbeKind::all_nodes: return frame.kind == Kind::echo_reply6 && ours;
    case ProbeKind::stranger: return false;
  }
  return false;
}

LeakReport run_leak_probe(const std::vector<PlannedProbe>& probes, const LabIdentity& lab, Milliseconds limit,
                          Milliseconds patience) {
  auto all = probes;
  if (lab.control) {
    for (const auto& probe : control_probes()) all.push_back(probe);
  }
  return ProbeRun(std::move(all), lab, limit, patience).finish();
}

}  // namespace patchlab::lab::network
