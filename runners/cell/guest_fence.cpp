// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/guest_fence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "lab/core/net/lab_client.hpp"

namespace patchlab::runners::cell {
namespace {
using lab::guest::Outreach;
using lab::guest::OutreachSeen;
using lab::network::PlannedProbe;
using lab::network::ProbeKind;
using lab::network::ProbePath;
using reports::FenceAttempt;

// The second and third only when they are needed: on a busy host all answers are late.
constexpr Milliseconds listening[] = {Milliseconds(600), Milliseconds(1500), Milliseconds(2500)};

std::string text_of(const lab::network::Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

Outreach::Try try_of(const PlannedProbe& probe, std::uint16_t mark) {
  switch (probe.kind) {
    case ProbeKind::ping: return {Outreach::Kind::ping, probe.target, 0, text_of(lab::network::icmp_echo(mark))};
    case ProbeKind::dns:
      return {Outreach::Kind::dns, probe.target, probe.port, text_of(lab::network::dns_question(mark))};
    case ProbeKind::tcp: return {Outreach::Kind::tcp, probe.target, probe.port, {}};
    case ProbeKind::arp:
    case ProbeKind::neighbour:
    case ProbeKind::all_nodes:
    case ProbeKind::stranger: break;
  }
  throw std::logic_error("a probe that no guest can send by its routes");
}

class Proof {
 public:
  Proof(const GuestProber& prober, const std::vector<PlannedProbe>& probes) : prober_(prober), probes_(probes) {
    for (const auto& probe : probes_) {
      const auto target = probe.port == 0 ? probe.target : fmt::format("{}:{}", probe.target, probe.port);
      result_.attempts.push_back({.phase = {},
                                  .probe = fmt::format("guest-{}", lab::network::name_of(probe)),
                                  .target = target,
                                  .answered = false,
                                  .evidence = {},
                                  .sent = true,
                                  .control = probe.control,
                                  .trial = {},
                                  .device = prober.machine});
    }
  }

  GuestFence make(const ReachOut& reach_out) {
    std::optional<Error> trouble;
    bool tried = false;
    for (const auto limit : listening) {
      auto seen = reach_out(wanted(limit));
      trouble = seen ? std::nullopt : std::optional(seen.error());
      if (seen) take(*seen, limit);
      tried = tried || seen.has_value();
      if (tried && !waits_for_control()) break;
    }
    if (!tried) return not_asked(*trouble);
    conclude();
    const auto& first = result_.attempts.front();
    const auto like_first = [&](const auto& attempt) { return !attempt.sent && attempt.evidence == first.evidence; };
    if (std::ranges::all_of(result_.attempts, like_first)) result_.attempts = {not_tried_inside(prober_.machine, why_)};
    return std::move(result_);
  }

 private:
  Outreach wanted(Milliseconds limit) {
    auto sender = prober_.address;
    sender.mark = mark_ = lab::network::random_mark();
    since_ = std::chrono::steady_clock::now();
    Outreach wanted;
    wanted.address = sender.address.text();
    wanted.mac = sender.mac.text();
    wanted.listen = limit;
    for (const auto& mac : prober_.known) wanted.known.push_back(mac.text());
    for (const auto& probe : probes_) {
      if (probe.path == ProbePath::route) {
        wanted.tries.push_back(try_of(probe, sender.mark));
      } else if (const auto frame = lab::network::frame_of(probe, sender); !frame.empty()) {
        wanted.frames.push_back(text_of(frame));
      }
    }
    return wanted;
  }

  void take(const OutreachSeen& seen, Milliseconds limit) {
    const auto silence = fmt::format("no answer within {:.1f} s", std::chrono::duration<double>(limit).count());
    std::size_t next = 0;
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      auto& attempt = result_.attempts[i];
      const bool by_route = probes_[i].path == ProbePath::route;
      const auto end =
          by_route ? seen.tries.at(next++) : OutreachSeen::End{.sent = seen.no_frames.empty(), .words = seen.no_frames};
      if (attempt.answered) continue;  // what was heard once was heard
      attempt.sent = end.sent;
      attempt.answered = end.sent && end.answered;
      attempt.evidence = !end.sent ? "not sent from inside: " + end.words : end.words.empty() ? silence : end.words;
    }
    why_ = seen.no_frames;
    for (const auto& frame : seen.heard) hear(frame);
    tell_left_out(seen);
    if (seen.neighbours) meet(*seen.neighbours);
  }

  // Of a guest that writes frames.
  void tell_left_out(const OutreachSeen& seen) {
    if (!seen.no_frames.empty()) return;
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      auto& attempt = result_.attempts[i];
      if (probes_[i].kind != ProbeKind::stranger || attempt.answered || seen.of_clients == 0) continue;
      attempt.evidence += fmt::format("; {} frames of clients that checks play left out", seen.of_clients);
    }
    if (seen.more > 0)
      result_.troubles.push_back(fmt::format("'{}' heard {} frames more than it told: whose they were is not known",
                                             prober_.machine, seen.more));
  }

  [[nodiscard]] bool is_known(const lab::network::MacAddress& mac) const {
    return prober_.known.contains(mac) || net::is_lab_client(mac);
  }

  // Of a guest that writes no frames. That its kernel knows somebody of the laboratory shows that it would know others.
  void meet(const std::vector<OutreachSeen::Neighbour>& neighbours) {
    const auto is_of_lab = [&](const std::string& text) {
      const auto mac = lab::network::MacAddress::parse(text);
      const bool was_played = mac && prober_.was_played && prober_.was_played(*mac);
      return mac && (is_known(*mac) || was_played || *mac == prober_.control);
    };
    const bool knows_lab = std::ranges::any_of(neighbours, is_of_lab, &OutreachSeen::Neighbour::mac);
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      auto& attempt = result_.attempts[i];
      if (probes_[i].kind != ProbeKind::stranger || attempt.answered) continue;
      attempt.sent = knows_lab;
      attempt.evidence = knows_lab ? "its neighbours are those of the laboratory"
                                   : "proves nothing: the guest knows no neighbour, not even one of the laboratory";
    }
    for (const auto& neighbour : neighbours) {
      if (is_of_lab(neighbour.mac)) continue;
      for (std::size_t i = 0; i < probes_.size(); ++i) {
        const bool stranger = probes_[i].kind == ProbeKind::stranger;
        const bool resolved = (probes_[i].kind == ProbeKind::arp || probes_[i].kind == ProbeKind::neighbour) &&
                              !probes_[i].control && probes_[i].target == neighbour.address;
        auto& attempt = result_.attempts[i];
        if ((!stranger && !resolved) || attempt.answered) continue;
        attempt.sent = attempt.answered = true;
        attempt.evidence = fmt::format("'{}' is a neighbour at '{}': {}", printable_name(neighbour.address),
                                       printable_name(neighbour.device), printable_name(neighbour.mac));
      }
    }
  }

  void hear(const OutreachSeen::Frame& frame) {
    const std::vector<std::uint8_t> bytes(frame.bytes.begin(), frame.bytes.end());
    const auto heard = lab::network::heard(bytes.data(), bytes.size());
    if (!heard || is_known(heard->from)) return;
    const bool from_control = heard->from == prober_.control;
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      const auto& probe = probes_[i];
      if (probe.path != ProbePath::wire || probe.control != from_control) continue;
      const bool stranger = probe.kind == ProbeKind::stranger;
      auto& attempt = result_.attempts[i];
      if (attempt.answered) continue;
      // What a check says is no answer to a guest.
      if (stranger ? prober_.has_left && prober_.has_left(frame.bytes, since_)
                   : !lab::network::is_answer(probe, *heard, mark_))
        continue;
      attempt.sent = attempt.answered = true;
      attempt.evidence = fmt::format("{} {} at '{}'", stranger ? "frame from" : "answer from", heard->from.text(),
                                     printable_name(frame.device));
    }
  }
  static std::string printable_name(std::string name) {
    std::ranges::replace_if(
        name, [](unsigned char c) { return c <= ' ' || c > '~'; }, '?');
    return name;
  }

  [[nodiscard]] bool waits_for_control() const {
    return std::ranges::any_of(result_.attempts, [](const FenceAttempt& attempt) {
      return attempt.control && attempt.sent && !attempt.answered;
    });
  }

  GuestFence not_asked(const Error& error) {
    result_.attempts = {not_tried_inside(prober_.machine, error.message)};
    result_.troubles = {fmt::format("'{}' could not be asked to try to get out: {}", prober_.machine, error.message)};
    return std::move(result_);
  }

  // The silence of a way by which nobody was heard proves nothing.
  void conclude() {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      auto& control = result_.attempts[i];
      if (!control.control || control.answered || !control.sent) continue;
      if (probes_[i].path == ProbePath::wire) {
        result_.troubles.push_back(fmt::format(
            "{} to {} from inside '{}': the control was not heard ({}), so that the silence of others proves nothing",
            control.probe, control.target, prober_.machine, control.evidence));
        continue;
      }
      for (auto& attempt : result_.attempts) {
        if (attempt.probe != control.probe || attempt.answered || !attempt.sent) continue;
        attempt.sent = false;
        attempt.evidence = fmt::format(
            "proves nothing: not even {} is heard this way, which the guest's own rules may forbid", control.target);
      }
    }
  }

  const GuestProber& prober_;
  const std::vector<PlannedProbe>& probes_;
  GuestFence result_;
  std::string why_;  // no frame was sent
  std::uint16_t mark_ = 0;
  std::chrono::steady_clock::time_point since_;  // the guest listens
};
}  // namespace

GuestFence probe_from_guest(const GuestProber& prober, const std::vector<PlannedProbe>& probes,
                            const ReachOut& reach_out) {
  return Proof(prober, probes).make(reach_out);
}

FenceAttempt not_tried_inside(const std::string& machine, const std::string& why) {
  return {.phase = {},
          .probe = "guest",
          .target = "any",
          .answered = false,
          .evidence = "not sent from inside: " + why,
          .sent = false,
          .control = false,
          .trial = {},
          .device = machine};
}

}  // namespace patchlab::runners::cell
