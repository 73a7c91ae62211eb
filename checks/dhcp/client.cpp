// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/client.hpp"

#include <fmt/format.h>

#include <list>

#include "checks/dhcp/options.hpp"
#include "checks/hex.hpp"
#include "lab/core/net/numbers.hpp"

namespace patchlab::checks::dhcp {
namespace {

using net::ArpFrame;
using net::big_endian32;
using net::broadcast_mac;
using net::Frame;
using net::read32;
using net::UdpFrame;

constexpr std::uint16_t server_port = 67;
constexpr std::uint16_t client_port = 68;
constexpr Ipv4 nobody{0};
constexpr Ipv4 everybody{0xFFFFFFFF};
constexpr std::size_t most_messages = 64;

struct Destination {
  MacAddress mac;
  Ipv4 from;
  Ipv4 to;
};
const Destination to_everybody{broadcast_mac, nobody, everybody};

class Client {
 public:
  Client(FrameLink& link, const ClientSettings& settings, const Deadline& deadline)
      : link_(link), settings_(settings), deadline_(deadline), xid_(settings.xid) {
    seen_["client"] = {{"mac", settings.mac.text()}, {"xid", to_hex(big_endian32(settings.xid))}};
    seen_["messages"] = Json::array();
  }

  // As far as a lease, which is held; its address, or nothing.
  Result<std::optional<Ipv4>> hold() {
    PATCHLAB_ASSIGN(const auto lease, acquire());
    if (!lease) return std::optional<Ipv4>();
    address_ = lease->yours;
    held_from_ = {answered_by_, address_, lease->server_id().value_or(settings_.server)};
    return std::optional(address_);
  }
  Result<void> give_back() { return release(held_from_); }

  Result<Json> have(std::optional<Ipv4> had) {
    PATCHLAB_ASSIGN(const auto lease, had ? reboot(*had) : acquire());
    if (lease && lease->type() == MessageType::ack) seen_["address"] = lease->yours.text();
    return seen_;
  }

  Result<Json> decline() {
    PATCHLAB_ASSIGN(const auto lease, acquire());
    if (!lease) return seen_;
    seen_["address"] = lease->yours.text();
    phase_ = "decline";
    ++xid_;
    auto message = message_of(MessageType::decline);
    message.broadcast = false;
    message.options.erase(option::parameter_list);
    message.options[option::requested_address] = bytes_of(lease->yours);
    message.options[option::server_id] = bytes_of(lease->server_id().value_or(settings_.server));
    PATCHLAB_TRY(send(message, to_everybody));
    return seen_;
  }

  Result<Json> want(Ipv4 wanted) {
    phase_ = "discover";
    auto message = message_of(MessageType::discover);
    message.options[option::requested_address] = bytes_of(wanted);
    PATCHLAB_TRY(ask(message, to_everybody, MessageType::offer, MessageType::offer));
    return seen_;
  }

  // A relay agent speaks from the port of servers, and is answered there.
  Result<Json> discover_from(Ipv4 relay, const MacAddress& server) {
    phase_ = "discover";
    port_ = server_port;
    auto message = message_of(MessageType::discover);
    message.hops = 1;
    message.relay = relay;
    message.options[option::relay_information] = relay_information();
    PATCHLAB_TRY(ask(message, {server, relay, settings_.server}, MessageType::offer, MessageType::offer));
    return seen_;
  }

  Result<Json> run() {
    PATCHLAB_ASSIGN(const auto lease, acquire());
    if (!lease) return seen_;
    PATCHLAB_ASSIGN(const bool conflict, probe(lease->yours));
    if (conflict) return seen_;  // RFC 2131 section 3.1: such an address is not used
    address_ = lease->yours;
    PATCHLAB_ASSIGN(const auto server_mac, resolve(lease->server_id().value_or(settings_.server)));
    if (!server_mac) return seen_;
    const Destination server{*server_mac, address_, lease->server_id().value_or(settings_.server)};
    PATCHLAB_TRY(renew(server));
    for (const auto further : settings_.further) PATCHLAB_TRY(ask_further(further));
    PATCHLAB_TRY(release(server));
    return seen_;
  }

 private:
  using Received = Result<std::optional<Message>>;

  [[nodiscard]] Message message_of(MessageType type) const {
    Message message;
    message.xid = xid_;
    message.broadcast = settings_.broadcast;
    message.hardware = settings_.mac;
    message.options[option::message_type] = std::string(1, static_cast<char>(type));
    message.options[option::client_id] =
        std::string("\x01") + bytes_of(settings_.mac);  // RFC 2132 section 9.14: hardware type, address
    if (type != MessageType::release) {
      message.options[option::parameter_list] =
          std::string(settings_.parameter_list.begin(), settings_.parameter_list.end());
    }
    return message;
  }

  void log(const char* direction, Ipv4 source, const MacAddress& source_mac, const std::string& payload,
           const std::string& text) {
    if (seen_["messages"].size() >= most_messages) return;  // a storm is not stored whole
    seen_["messages"].push_back({{"phase", phase_},
                                 {"direction", direction},
                                 {"at_ms", deadline_.elapsed().count()},
                                 {"source", source.text()},
                                 {"source_mac", source_mac.text()},
                                 {"payload", to_hex(payload)},
                                 {"text", text}});
  }

  Result<void> send(const Message& message, const Destination& to) {
    const auto payload = encode(message);
    log("out", to.from, settings_.mac, payload, readable(message));
    return link_.send(encode(UdpFrame{settings_.mac, to.mac, to.from, to.to, port_, server_port, payload}));
  }

  Result<void> send_arp(const MacAddress& destination, ArpFrame::Operation operation, Ipv4 sender,
                        const MacAddress& target_mac, Ipv4 target) {
    return link_.send(encode(ArpFrame{destination, operation, settings_.mac, sender, target_mac, target}));
  }

  // We are the only ones who can answer for the leased address: the host's own stack does not know it.
  Result<void> answer_arp(const ArpFrame& frame) {
    if (frame.operation != ArpFrame::Operation::request || address_ == nobody || frame.target != address_) return {};
    return send_arp(frame.sender_mac, ArpFrame::Operation::reply, address_, frame.sender_mac, frame.sender);
  }

  // The next frame of interest until `until`; ARP requests for our address are answered on the way.
  Result<Frame> next_frame(const Deadline& until) {
    while (!until.passed()) {
      PATCHLAB_ASSIGN(const auto received, link_.receive(until));
      if (!received) break;
      auto frame = decode_frame(received->bytes, received->checksums);
      if (const auto* arp = std::get_if<ArpFrame>(&frame)) PATCHLAB_TRY(answer_arp(*arp));
      if (!std::holds_alternative<std::monostate>(frame)) return frame;
    }
    return Frame();
  }

  // Ours by port and transaction; what is malformed is kept for the judge, and skipped.
  std::optional<Message> message_in(const UdpFrame& frame) {
    if (frame.destination_port != port_ || frame.payload.size() < 8 || read32(frame.payload, 4) != xid_)
      return std::nullopt;
    auto message = decode(frame.payload);
    log("in", frame.source, frame.source_mac, frame.payload, message ? readable(*message) : message.error().message);
    const bool to_us = message && message->direction == Direction::reply && message->hardware == settings_.mac;
    if (!to_us) return std::nullopt;
    answered_by_ = frame.source_mac;
    return std::move(message).value();
  }

  Received next_message(const Deadline& until) {
    while (!until.passed()) {
      PATCHLAB_ASSIGN(const auto frame, next_frame(until));
      if (const auto* udp = std::get_if<UdpFrame>(&frame)) {
        if (auto message = message_in(*udp)) return message;
      }
    }
    return std::optional<Message>();
  }

  // Sends and waits for one of two types, sending again at growing intervals as every client does.
  Received ask(const Message& message, const Destination& to, MessageType wanted, MessageType also_wanted) {
    auto interval = settings_.resend_after;
    while (!deadline_.passed()) {
      PATCHLAB_TRY(send(message, to));
      const auto until = deadline_.within(interval);
      interval *= 2;
      while (!until.passed()) {
        PATCHLAB_ASSIGN(const auto answer, next_message(until));
        if (answer && (answer->type() == wanted || answer->type() == also_wanted)) return answer;
      }
    }
    return std::optional<Message>();
  }

  // The ACK of an address; nothing when it did not come so far.
  Received acquire() {
    PATCHLAB_ASSIGN(const auto offer, discover());
    if (!offer) return std::optional<Message>();
    PATCHLAB_ASSIGN(auto answer, request(*offer));
    if (answer && answer->type() != MessageType::ack) answer.reset();
    return answer;
  }

  Received discover() {
    phase_ = "discover";
    PATCHLAB_ASSIGN(auto chosen,
                    ask(message_of(MessageType::discover), to_everybody, MessageType::offer, MessageType::offer));
    if (!chosen) return chosen;
    const auto window = deadline_.within(settings_.offer_window);
    while (!window.passed()) {
      PATCHLAB_ASSIGN(const auto other, next_message(window));
      const bool better = other && other->type() == MessageType::offer && other->server_id() == settings_.server;
      if (better && chosen->server_id() != settings_.server) chosen = other;
    }
    return chosen;
  }

  // SELECTING (RFC 2131 section 4.3.2): broadcast, with server id and requested address.
  Received request(const Message& offer) {
    phase_ = "request";
    auto message = message_of(MessageType::request);
    message.options[option::requested_address] = bytes_of(offer.yours);
    message.options[option::server_id] = bytes_of(offer.server_id().value_or(nobody));
    return ask(message, to_everybody, MessageType::ack, MessageType::nak);
  }

  // RFC 5227 section 2.1.1: asked with a zero sender address.
  Result<bool> probe(Ipv4 address) {
    phase_ = "probe";
    PATCHLAB_TRY(send_arp(broadcast_mac, ArpFrame::Operation::request, nobody, MacAddress(), address));
    const auto until = deadline_.within(settings_.probe_wait);
    while (!until.passed()) {
      PATCHLAB_ASSIGN(const auto frame, next_frame(until));
      const auto* arp = std::get_if<ArpFrame>(&frame);
      if (arp != nullptr && arp->sender == address) {
        seen_["conflict"] = arp->sender_mac.text();
        return true;
      }
    }
    return false;
  }

  Result<std::optional<MacAddress>> resolve(Ipv4 server) {
    phase_ = "resolve";
    while (!deadline_.passed()) {
      PATCHLAB_TRY(send_arp(broadcast_mac, ArpFrame::Operation::request, address_, MacAddress(), server));
      const auto until = deadline_.within(std::chrono::seconds(1));
      while (!until.passed()) {
        PATCHLAB_ASSIGN(const auto frame, next_frame(until));
        const auto* arp = std::get_if<ArpFrame>(&frame);
        const bool answered = arp != nullptr && arp->operation == ArpFrame::Operation::reply && arp->sender == server;
        if (!answered) continue;
        seen_["server_mac"] = arp->sender_mac.text();
        return std::optional(arp->sender_mac);
      }
    }
    return std::optional<MacAddress>();
  }

  // RENEWING (RFC 2131 section 4.3.2): unicast from the leased address, which stands in ciaddr; no server id, no
  // requested address.
  Result<void> renew(const Destination& server) {
    phase_ = "renew";
    ++xid_;
    auto message = message_of(MessageType::request);
    message.broadcast = false;
    message.client = address_;
    PATCHLAB_ASSIGN([[maybe_unused]] const auto answer, ask(message, server, MessageType::ack, MessageType::nak));
    return {};
  }

  // None of these names a server (RFC 2131 section 4.3.6): whoever has the lease, or the options, answers.
  Result<void> ask_further(Further further) {
    phase_ = to_string(further);
    ++xid_;
    auto message = message_of(further == Further::inform ? MessageType::inform : MessageType::request);
    if (further == Further::init_reboot)
      message.options[option::requested_address] = bytes_of(address_);
    else
      message.client = address_;
    const auto from = further == Further::init_reboot ? nobody : address_;
    PATCHLAB_ASSIGN([[maybe_unused]] const auto answer,
                    ask(message, {broadcast_mac, from, everybody}, MessageType::ack, MessageType::nak));
    return {};
  }

  // INIT-REBOOT of a client that comes back.
  Received reboot(Ipv4 had) {
    phase_ = to_string(Further::init_reboot);
    auto message = message_of(MessageType::request);
    message.options[option::requested_address] = bytes_of(had);
    return ask(message, to_everybody, MessageType::ack, MessageType::nak);
  }

  // RFC 2131 section 4.4.6; nobody answers it.
  Result<void> release(const Destination& server) {
    phase_ = "release";
    ++xid_;
    auto message = message_of(MessageType::release);
    message.broadcast = false;
    message.client = address_;
    message.options[option::server_id] = bytes_of(server.to);
    return send(message, server);
  }

  FrameLink& link_;
  const ClientSettings& settings_;
  const Deadline& deadline_;
  std::uint32_t xid_;
  Ipv4 address_ = nobody;  // once leased
  MacAddress answered_by_;
  Destination held_from_;
  std::uint16_t port_ = client_port;  // ours
  std::string phase_;
  Json seen_;
};

}  // namespace

const std::vector<std::string>& further_words() {
  static const std::vector<std::string> words{"rebind", "init-reboot", "inform"};
  return words;
}

const std::string& to_string(Further further) { return further_words().at(static_cast<std::size_t>(further)); }

std::string readable(const Message& message) {
  const auto type = message.type();
  auto text = std::string(type ? to_string(*type) : "message without a type");
  if (message.yours != nobody) text += " of " + message.yours.text();
  if (message.client != nobody) text += " from " + message.client.text();
  for (const auto& [code, bytes] : message.options) {
    if (code != option::message_type) text += "; " + option_text(code, bytes);
  }
  return text;
}

Result<Json> live_one_lease(FrameLink& link, const ClientSettings& settings, const std::vector<MacAddress>& neighbours,
                            const Deadline& deadline) {
  auto held = Json::array();
  std::list<ClientSettings> their_settings;  // clients refer to them
  std::vector<Client> holders;
  for (const auto& mac : neighbours) {
    auto& theirs = their_settings.emplace_back(settings);
    theirs.mac = mac;
    theirs.xid = settings.xid + 16U * static_cast<std::uint32_t>(their_settings.size());
    theirs.offer_window = Milliseconds(0);
    Client client(link, theirs, deadline);
    PATCHLAB_ASSIGN(const auto address, client.hold());
    held.push_back({{"mac", mac.text()}, {"address", address ? Json(address->text()) : Json()}});
    if (!address) break;
    holders.push_back(std::move(client));
  }
  PATCHLAB_ASSIGN(auto seen, Client(link, settings, deadline).run());
  for (auto& holder : holders) PATCHLAB_TRY(holder.give_back());
  if (!neighbours.empty()) seen["neighbours"] = std::move(held);
  return seen;
}

Result<Json> have_a_lease(FrameLink& link, const ClientSettings& settings, std::optional<Ipv4> had,
                          const Deadline& deadline) {
  return Client(link, settings, deadline).have(had);
}
Result<Json> decline_a_lease(FrameLink& link, const ClientSettings& settings, const Deadline& deadline) {
  return Client(link, settings, deadline).decline();
}
Result<Json> want_an_address(FrameLink& link, const ClientSettings& settings, Ipv4 wanted, const Deadline& deadline) {
  return Client(link, settings, deadline).want(wanted);
}
Result<Json> discover_by_relay(FrameLink& link, const ClientSettings& settings, Ipv4 relay, const MacAddress& server,
                               const Deadline& deadline) {
  return Client(link, settings, deadline).discover_from(relay, server);
}

// Sub-option 1, "circuit": where the client is plugged in.
std::string relay_information() {
  const std::string circuit = "patchlab";
  return std::string("\x01") + static_cast<char>(circuit.size()) + circuit;
}

}  // namespace patchlab::checks::dhcp
