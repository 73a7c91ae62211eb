// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/lease.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/capability.h>

#include <random>
#include <set>

#include "checks/check_with.hpp"
#include "checks/dhcp/client.hpp"
#include "checks/dhcp/options.hpp"
#include "checks/hex.hpp"
#include "lab/core/net/lab_client.hpp"

namespace patchlab::checks::dhcp {
namespace {

struct ExpectedOption {
  std::string name;
  OptionKind kind;
  std::string bytes;
};

struct Parameters {
  std::string server;  // text; empty means the target
  Ipv4 from;
  Ipv4 to;
  std::vector<ExpectedOption> options;
  bool broadcast = false;
  Milliseconds offer_window{};
  std::optional<MacAddress> mac;  // of a reservation
  std::int64_t neighbours = 0;
  std::vector<Further> further;
  std::optional<std::pair<std::int64_t, std::int64_t>> lease_time;  // least and most, in seconds
  bool kept = false;
  std::string wrong_network;  // "refused", "ignored", or empty
  bool declined = false;
  bool relayed = false;
};

constexpr std::int64_t most_neighbours = 1000;

std::string why_no_address(const std::string& text) {
  return Ipv4::parse(text) ? "" : fmt::format("'{}' is not an IPv4 address such as 10.20.0.11", text);
}

void read_pool(JsonReader& reader, Parameters& parameters) {
  auto pool = reader.object("pool");
  const auto from = Ipv4::parse(pool.text("from", why_no_address));
  const auto to = Ipv4::parse(pool.text("to", why_no_address));
  pool.finish();
  if (from && to && *to < *from) reader.problem("pool", "'to' is below 'from'; name the lower address first");
  parameters.from = from.value_or(Ipv4{});
  parameters.to = to.value_or(Ipv4{});
}

void read_option(const std::string& name, const Json& value, JsonReader& options,
                 std::vector<ExpectedOption>& expected) {
  const auto kind = option_kind(name);
  if (!kind) return options.problem(name, fmt::format("unknown DHCP option; known are {}", known_option_names()));
  auto bytes = option_bytes(*kind, value);
  if (!bytes) return options.problem(name, bytes.error().message);
  expected.push_back({name, *kind, std::move(bytes).value()});
}

constexpr std::int64_t longest_lease = 0xFFFFFFFF;  // for ever (RFC 2131 section 3.3)

std::vector<Further> read_further(JsonReader& reader) {
  const auto words = reader.texts_or_empty("further", [](const std::string& word) {
    return std::ranges::count(further_words(), word) > 0
               ? ""
               : fmt::format("'{}' is none of {}", word, fmt::join(further_words(), ", "));
  });
  std::vector<Further> further;
  for (const auto& word : words) {
    const auto found = std::ranges::find(further_words(), word);
    if (found != further_words().end()) further.push_back(static_cast<Further>(found - further_words().begin()));
  }
  return further;
}

void read_lease_time(JsonReader& reader, Parameters& parameters) {
  if (!reader.has("lease_time")) return;
  auto range = reader.object("lease_time");
  const auto least = range.integer("least", 1, longest_lease);
  const auto most = range.integer("most", 1, longest_lease);
  range.finish();
  if (most < least) reader.problem("lease_time", "'most' is below 'least'; name the shorter time first");
  for (const auto& option : parameters.options) {
    if (option.kind.code == option::lease_time)
      reader.problem("lease_time", "says of 'dhcp-lease-time' what 'options' says exactly; keep one of them");
  }
  parameters.lease_time = {least, most};
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = reader.text_or("server", "", why_no_address);
  read_pool(reader, parameters);
  if (reader.has("options")) {
    const auto& values = reader.raw("options");
    auto options = reader.object("options");
    if (values.is_object()) {
      for (const auto& [name, value] : values.items()) read_option(name, value, options, parameters.options);
    }
  }
  parameters.broadcast = reader.boolean_or("broadcast", false);
  parameters.offer_window = Milliseconds(reader.integer_or("offer_window_ms", 1000, 0, 60000));
  const auto mac = MacAddress::parse(reader.text_or("mac", "", [](const std::string& text) {
    return MacAddress::parse(text) ? "" : fmt::format("'{}' is not a MAC such as 02:00:0a:14:00:20", text);
  }));
  if (mac) parameters.mac = *mac;
  parameters.neighbours = reader.integer_or("neighbours", 0, 0, most_neighbours);
  parameters.further = read_further(reader);
  read_lease_time(reader, parameters);
  parameters.kept = reader.boolean_or("kept", false);
  parameters.wrong_network = reader.text_or("wrong_network", "", [](const std::string& word) {
    return word == "refused" || word == "ignored"
               ? ""
               : fmt::format("must be \"refused\" or \"ignored\", found \"{}\"", word);
  });
  parameters.declined = reader.boolean_or("declined", false);
  parameters.relayed = reader.boolean_or("relayed", false);
  return parameters;
}

std::vector<std::uint8_t> parameter_list(const Parameters& parameters) {
  std::set<std::uint8_t> codes{option::subnet_mask, option::router,       option::dns,           option::domain_name,
                               option::lease_time,  option::renewal_time, option::rebinding_time};
  for (const auto& expected : parameters.options) codes.insert(expected.kind.code);
  return {codes.begin(), codes.end()};
}

struct Answer {
  std::string source;
  std::optional<Message> message;
  std::string text;
};

std::vector<Answer> answers_in(const Observation& observation, const std::string& phase) {
  std::vector<Answer> answers;
  for (const auto& entry : observation.at("messages")) {
    if (entry.at("phase") != phase || entry.at("direction") != "in") continue;
    auto message = decode(from_hex(entry.at("payload").get<std::string>()).value_or(""));
    Answer answer{entry.at("source").get<std::string>(), std::nullopt, entry.value("text", "")};
    if (message)
      answer.message = std::move(message).value();
    else
      answer.text = message.error().message;
    answers.push_back(std::move(answer));
  }
  return answers;
}

// Addresses of nobody (RFC 5737).
Ipv4 address_elsewhere(const Parameters& parameters) {
  const Ipv4 usual{0xC000024D};                                                          // 192.0.2.77
  return parameters.from <= usual && usual <= parameters.to ? Ipv4{0xC633644D} : usual;  // 198.51.100.77
}

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// How long an address that was declined is counted on as such: servers forget it after a day (Kea), or an hour.
constexpr std::int64_t declined_for = 900;

// What the other clients of one check ask, beside the one whose lease lives and ends.
class Others {
 public:
  Others(FrameLink& link, ClientSettings settings, const Json& memory, std::random_device& device,
         const Deadline& deadline)
      : link_(link), settings_(std::move(settings)), memory_(memory), device_(device), deadline_(deadline) {
    settings_.offer_window = Milliseconds(0);
    settings_.further.clear();
    if (!memory_.is_object()) memory_ = Json::object();
  }

  Result<void> ask(const Parameters& parameters, const Target& target, Json& seen) {
    const auto server = MacAddress::parse(seen.value("server_mac", ""));
    if (!server) return {};  // the lease did not come so far; that is judged
    if (parameters.kept) PATCHLAB_TRY(keep(seen));
    if (!parameters.wrong_network.empty()) PATCHLAB_TRY(be_a_stranger(parameters, seen));
    if (parameters.declined) PATCHLAB_TRY(decline(seen));
    if (parameters.relayed) {
      const auto relay = Ipv4::parse(target.client_address).value_or(Ipv4{});
      PATCHLAB_ASSIGN(seen["relayed"], discover_by_relay(link_, fresh(), relay, *server, deadline_));
    }
    if (!memory_.empty()) seen["memory"] = memory_;
    return {};
  }

 private:
  const ClientSettings& fresh() {
    settings_.mac = net::lab_client_mac(device_());
    settings_.xid = device_();
    return settings_;
  }

  struct Remembered {
    MacAddress mac;
    Ipv4 address;
  };
  [[nodiscard]] std::optional<Remembered> remembered(const char* what) const {
    const auto found = memory_.find(what);
    if (found == memory_.end() || found->value("until", std::int64_t{0}) <= now_s()) return std::nullopt;
    const auto mac = MacAddress::parse(found->value("mac", ""));
    const auto address = Ipv4::parse(found->value("address", ""));
    return mac && address ? std::optional(Remembered{*mac, *address}) : std::nullopt;
  }
  void remember(const char* what, const std::string& address, std::int64_t seconds) {
    memory_[what] = {{"mac", settings_.mac.text()}, {"address", address}, {"until", now_s() + seconds}};
  }

  // Half of the lease: nobody waits for a client that is late.
  Result<void> keep(Json& seen) {
    fresh();
    const auto before = remembered("kept");
    if (before) {
      settings_.mac = before->mac;
      seen["kept_before"] = before->address.text();
    }
    PATCHLAB_ASSIGN(auto kept,
                    have_a_lease(link_, settings_, before ? std::optional(before->address) : std::nullopt, deadline_));
    if (kept.contains("address") && (!before || kept["address"] == before->address.text()))
      remember("kept", kept["address"].get<std::string>(), lease_time_in(kept) / 2);
    seen["kept"] = std::move(kept);
    return {};
  }

  static std::int64_t lease_time_in(const Json& seen) {
    for (const char* phase : {"init-reboot", "request"}) {
      for (const auto& answer : answers_in(seen, phase)) {
        if (answer.message) return answer.message->number(option::lease_time).value_or(0);
      }
    }
    return 0;
  }

  Result<void> be_a_stranger(const Parameters& parameters, Json& seen) {
    const auto patience = parameters.wrong_network == "ignored" ? parameters.offer_window : deadline_.remaining();
    PATCHLAB_ASSIGN(seen["stranger"],
                    have_a_lease(link_, fresh(), address_elsewhere(parameters), deadline_.within(patience)));
    return {};
  }

  // Declined once in a trial: each time costs an address.
  Result<void> decline(Json& seen) {
    auto before = remembered("declined");
    if (!before) {
      PATCHLAB_ASSIGN(auto declined, decline_a_lease(link_, fresh(), deadline_));
      const auto address = Ipv4::parse(declined.value("address", ""));
      seen["declining"] = std::move(declined);
      if (!address) return {};
      remember("declined", address->text(), declined_for);
      before = Remembered{settings_.mac, *address};
    }
    PATCHLAB_ASSIGN(seen["declined"], want_an_address(link_, fresh(), before->address, deadline_));
    seen["declined"]["address"] = before->address.text();
    return {};
  }

  FrameLink& link_;
  ClientSettings settings_;
  Json memory_;
  std::random_device& device_;
  const Deadline& deadline_;
};

// When a client that hears nothing of its server asks every server (T2); RFC 2131 section 4.4.5: seven eighths of the
// lease, when the server does not say.
std::optional<std::int64_t> rebinding_time_in(const Observation& observation) {
  for (const auto& answer : answers_in(observation, "request")) {
    if (!answer.message || answer.message->type() != MessageType::ack) continue;
    const auto whole = answer.message->number(option::lease_time);
    if (const auto said = answer.message->number(option::rebinding_time)) return *said;
    if (whole) return std::int64_t{*whole} * 7 / 8;
  }
  return std::nullopt;
}

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

// Judges phase after phase; the first trouble is the verdict.
class Judge {
 public:
  Judge(const Parameters& parameters, const Observation& observation)
      : parameters_(parameters),
        observation_(observation),
        server_(Ipv4::parse(parameters.server.empty() ? observation.at("server").get<std::string>() : parameters.server)
                    .value_or(Ipv4{})) {}

  [[nodiscard]] Judgement verdict() {
    for (const auto step :
         {&Judge::malformed, &Judge::neighbours, &Judge::offers, &Judge::acknowledgement, &Judge::use_of_address,
          &Judge::renewal, &Judge::further, &Judge::kept, &Judge::stranger, &Judge::declined, &Judge::relayed}) {
      if (auto trouble = (this->*step)()) return *trouble;
    }
    return {Outcome::pass, "as-expected", expectation(),
            fmt::format("leased and renewed {} from {}{}", address_.text(), server_.text(), also_)};
  }

 private:
  using Trouble = std::optional<Judgement>;

  [[nodiscard]] std::string expectation() const {
    return fmt::format("a lease of {} to {} from {} only", parameters_.from.text(), parameters_.to.text(),
                       server_.text());
  }
  [[nodiscard]] bool in_pool(Ipv4 address) const { return parameters_.from <= address && address <= parameters_.to; }

  [[nodiscard]] Trouble malformed() {
    for (const char* phase : {"discover", "request", "renew", "rebind", "init-reboot", "inform"}) {
      for (const auto& answer : answers_in(observation_, phase)) {
        if (!answer.message)
          return failed("malformed-message", "well-formed DHCP messages",
                        fmt::format("{} from {}", answer.text, answer.source));
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] Trouble offers() {
    std::set<std::string> servers;
    for (const auto& answer : answers_in(observation_, "discover")) {
      if (answer.message->type() != MessageType::offer) continue;
      const auto id = answer.message->server_id();
      servers.insert(id ? id->text() : "no server id");
      if (id == server_) address_ = answer.message->yours;
    }
    if (servers.empty()) return failed("no-offer", expectation(), "nobody answered DISCOVER");
    if (servers != std::set{server_.text()}) {
      return failed(servers.size() > 1 ? "several-servers" : "wrong-server",
                    fmt::format("OFFERs from {} only", server_.text()),
                    fmt::format("OFFERs from {}", fmt::join(servers, ", ")));
    }
    if (!in_pool(address_))
      return failed("address-outside-pool", expectation(), fmt::format("OFFER of {}", address_.text()));
    if (taken_.contains(address_.text())) {
      return failed("address-given-twice", "an address that no other client has",
                    fmt::format("OFFER of {}, which is taken", address_.text()));
    }
    return std::nullopt;
  }

  // Each with an address of its own from the pool.
  [[nodiscard]] Trouble neighbours() {
    if (parameters_.neighbours == 0) return std::nullopt;
    std::set<std::string> addresses;
    for (const auto& neighbour : observation_.at("neighbours")) {
      const auto number = addresses.size() + 1;
      const auto expected = fmt::format("{} clients with an address each of {} to {}", parameters_.neighbours + 1,
                                        parameters_.from.text(), parameters_.to.text());
      if (neighbour.at("address").is_null()) {
        return failed("neighbour-without-lease", expected, fmt::format("client {} got none", number));
      }
      const auto text = neighbour.at("address").get<std::string>();
      if (!in_pool(Ipv4::parse(text).value_or(Ipv4{}))) {
        return failed("address-outside-pool", expected, fmt::format("client {} got {}", number, text));
      }
      if (!addresses.insert(text).second) {
        return failed("address-given-twice", expected, fmt::format("client {} got {}, which is taken", number, text));
      }
    }
    taken_ = addresses;
    return std::nullopt;
  }

  [[nodiscard]] Trouble acknowledgement() { return acknowledged("request", "", "REQUEST"); }
  [[nodiscard]] Trouble renewal() { return acknowledged("renew", "renew-", "the unicast REQUEST that renews"); }

  [[nodiscard]] Trouble further() {
    for (const auto further : parameters_.further) {
      const auto& word = to_string(further);
      if (auto trouble = acknowledged(word, word + "-", fmt::format("{} by broadcast", word))) return trouble;
    }
    return std::nullopt;
  }

  // The first answers of some types to one of the others.
  [[nodiscard]] std::optional<Answer> answer_to(const char* who, const std::string& phase) const {
    if (!observation_.contains(who)) return std::nullopt;
    for (auto& answer : answers_in(observation_.at(who), phase)) {
      if (!answer.message || answer.message->type()) return std::move(answer);
    }
    return std::nullopt;
  }
  [[nodiscard]] static std::string told(const std::optional<Answer>& answer) {
    return answer ? answer->text : "no answer";
  }
  [[nodiscard]] static bool is(const std::optional<Answer>& answer, MessageType type) {
    return answer && answer->message && answer->message->type() == type;
  }

  // What was not looked at after a restart is said, and becomes what the next phase looks at.
  [[nodiscard]] Trouble kept() {
    if (!parameters_.kept) return std::nullopt;
    const auto before = observation_.value("kept_before", "");
    const auto answer = answer_to("kept", before.empty() ? "request" : "init-reboot");
    if (before.empty()) {
      if (!is(answer, MessageType::ack))
        return failed("kept-no-lease", "a lease for the client that keeps it", told(answer));
      also_ = "; another client has a lease, to be asked for after a restart";
      return std::nullopt;
    }
    const auto expected = fmt::format("an ACK of {}, which a client has a lease of since an earlier phase", before);
    if (!is(answer, MessageType::ack)) return failed("lease-forgotten", expected, told(answer));
    if (answer->message->yours.text() != before) return failed("lease-forgotten", expected, answer->text);
    also_ = fmt::format("; {} is still leased to the client that has it since an earlier phase", before);
    return std::nullopt;
  }

  [[nodiscard]] Trouble stranger() {
    if (parameters_.wrong_network.empty()) return std::nullopt;
    const bool refused = parameters_.wrong_network == "refused";
    const auto answer = answer_to("stranger", "init-reboot");
    const auto expected = fmt::format("{} who asks for {}", refused ? "a NAK for" : "no answer to",
                                      address_elsewhere(parameters_).text());
    if (is(answer, MessageType::ack)) return failed("wrong-network-accepted", expected, told(answer));
    if (refused && !is(answer, MessageType::nak)) return failed("wrong-network-ignored", expected, told(answer));
    if (!refused && answer) return failed("wrong-network-refused", expected, told(answer));
    return std::nullopt;
  }

  [[nodiscard]] Trouble declined() {
    if (!parameters_.declined) return std::nullopt;
    if (!observation_.contains("declined"))
      return failed("declined-no-lease", "a lease for the client that declines it",
                    told(answer_to("declining", "request")));
    const auto address = observation_.at("declined").at("address").get<std::string>();
    const auto answer = answer_to("declined", "discover");
    const auto expected = fmt::format("an OFFER of another address than {}, which was declined", address);
    if (!is(answer, MessageType::offer)) return failed("declined-no-offer", expected, told(answer));
    if (answer->message->yours.text() == address) return failed("declined-address-offered", expected, answer->text);
    return std::nullopt;
  }

  [[nodiscard]] Trouble relayed() {
    if (!parameters_.relayed) return std::nullopt;
    const auto answer = answer_to("relayed", "discover");
    const auto expected = fmt::format("an OFFER of {} to {} by way of the relay agent, with what it said (option 82)",
                                      parameters_.from.text(), parameters_.to.text());
    if (!is(answer, MessageType::offer)) return failed("relay-no-offer", expected, told(answer));
    const auto& offer = *answer->message;
    if (offer.server_id() != server_) return failed("relay-wrong-server", expected, answer->text);
    // A reserved address is of another client than the one behind the relay agent.
    if (!parameters_.mac && !in_pool(offer.yours)) return failed("relay-address-outside-pool", expected, answer->text);
    const auto information = offer.options.find(option::relay_information);
    if (information == offer.options.end() || information->second != relay_information())
      return failed("relay-information-lost", expected, answer->text);
    return std::nullopt;
  }

  // The answer to a REQUEST: an ACK of the same address with the options as expected.
  [[nodiscard]] Trouble acknowledged(const std::string& phase, const std::string& prefix, const std::string& request) {
    const Message* ack = nullptr;
    const auto answers = answers_in(observation_, phase);
    for (const auto& answer : answers) {
      const auto type = answer.message->type();
      if (type == MessageType::nak)
        return failed(prefix + "nak", fmt::format("an ACK of {}", address_.text()), answer.text);
      if (type == MessageType::ack && ack == nullptr) ack = &*answer.message;
    }
    if (ack == nullptr)
      return failed(prefix + "no-ack", fmt::format("an ACK of {}", address_.text()), "no answer to " + request);
    if (ack->server_id() != server_) {
      return failed(prefix + "wrong-server", fmt::format("an ACK from {}", server_.text()), readable(*ack));
    }
    // Who only asks for options is given no address, and no times (RFC 2131 section 4.3.5).
    const bool is_inform = phase == to_string(Further::inform);
    const auto yours = is_inform ? Ipv4{} : address_;
    if (ack->yours != yours) {
      return failed(prefix + "address-changed", yours.text(), ack->yours.text());
    }
    if (auto trouble = options(*ack, prefix, is_inform)) return trouble;
    return is_inform ? std::nullopt : timers(*ack, prefix);
  }

  // What a server need not tell whom it gives no address.
  [[nodiscard]] static bool goes_with_an_address(std::uint8_t code) {
    return code == option::subnet_mask || code == option::lease_time || code == option::renewal_time ||
           code == option::rebinding_time;
  }

  [[nodiscard]] Trouble options(const Message& ack, const std::string& prefix, bool is_inform) const {
    std::vector<std::string> expected;
    std::vector<std::string> observed;
    for (const auto& option : parameters_.options) {
      if (is_inform && goes_with_an_address(option.kind.code)) continue;
      const auto found = ack.options.find(option.kind.code);
      if (found != ack.options.end() && found->second == option.bytes) continue;
      expected.push_back(fmt::format("{} {}", option.name, option_value_text(option.kind, option.bytes)));
      observed.push_back(fmt::format(
          "{} {}", option.name, found == ack.options.end() ? "absent" : option_value_text(option.kind, found->second)));
    }
    if (expected.empty()) return std::nullopt;
    return failed(prefix + "options-differ", fmt::format("{}", fmt::join(expected, "\n")),
                  fmt::format("{}", fmt::join(observed, "\n")));
  }

  // RFC 2131 section 4.4.5: T1 < T2 < lease time.
  [[nodiscard]] Trouble timers(const Message& ack, const std::string& prefix) const {
    const auto whole = ack.number(option::lease_time);
    if (!whole) return failed(prefix + "no-lease-time", "a lease time in the ACK", readable(ack));
    if (const auto& range = parameters_.lease_time; range && (*whole < range->first || *whole > range->second)) {
      return failed(prefix + "lease-time-differs", fmt::format("a lease for {} to {} s", range->first, range->second),
                    fmt::format("{} s", *whole));
    }
    const auto second = ack.number(option::rebinding_time).value_or(*whole);
    const auto first = ack.number(option::renewal_time).value_or(second);
    if (first <= second && second <= *whole) return std::nullopt;
    return failed(prefix + "timers-inconsistent", "renewal time <= rebinding time <= lease time",
                  fmt::format("{} s, {} s, {} s", first, second, *whole));
  }

  [[nodiscard]] Trouble use_of_address() {
    if (observation_.contains("conflict")) {
      return failed("address-in-use", "a free address",
                    fmt::format("{} answers for {}", observation_.at("conflict").get<std::string>(), address_.text()));
    }
    if (!observation_.contains("server_mac")) {
      return failed("server-unreachable", fmt::format("an ARP answer of {}", server_.text()),
                    "no answer to ARP from the leased address");
    }
    return std::nullopt;
  }

  const Parameters& parameters_;
  const Observation& observation_;
  Ipv4 server_;
  Ipv4 address_;
  std::set<std::string> taken_;
  std::string also_;
};

bool is_of_the_exchange(std::uint8_t code) {
  constexpr std::uint8_t client_name = 81;  // RFC 4702
  for (const auto own :
       {option::host_name, option::requested_address, option::overload, option::message_type, option::server_id,
        option::parameter_list, option::client_id, client_name, option::relay_information}) {
    if (code == own) return true;
  }
  return false;
}

class Lease final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "dhcp.lease"; }
  [[nodiscard]] std::vector<int> capabilities(const Json& /*parameters*/) const override { return {CAP_NET_RAW}; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds limit) const override {
    PATCHLAB_ASSIGN(const auto link, open_link(target.interface));
    std::random_device device;
    ClientSettings settings;
    const std::uint32_t first = device();
    settings.mac = parameters.mac.value_or(net::lab_client_mac(first));
    settings.xid = device();
    settings.server = Ipv4::parse(parameters.server.empty() ? target.address : parameters.server).value_or(Ipv4{});
    settings.parameter_list = parameter_list(parameters);
    settings.broadcast = parameters.broadcast;
    settings.offer_window = parameters.offer_window;
    settings.further = parameters.further;
    const Deadline deadline(limit);
    std::vector<MacAddress> neighbours;
    for (std::uint32_t i = 1; i <= parameters.neighbours; ++i) neighbours.push_back(net::lab_client_mac(first + i));
    PATCHLAB_ASSIGN(auto seen, live_one_lease(*link, settings, neighbours, deadline));
    seen["server"] = settings.server.text();
    if (const auto rebinding = rebinding_time_in(seen)) seen["rebinding_s"] = *rebinding;
    PATCHLAB_TRY(Others(*link, settings, target.memory, device, deadline).ask(parameters, target, seen));
    return seen;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
    return Judge(parameters, observation).verdict();
  }

  // All that the ACK tells a client, but for what belongs to this exchange alone.
  [[nodiscard]] Result<void> expect(const Parameters& /*parameters*/, Observation& observation,
                                    Json& json) const override {
    for (const auto& answer : answers_in(observation, "request")) {
      if (!answer.message || answer.message->type() != MessageType::ack) continue;
      json["options"] = Json::object();
      for (const auto& [code, bytes] : answer.message->options) {
        if (is_of_the_exchange(code)) continue;
        auto written = written_option(code, bytes);
        json["options"][written.name] = std::move(written.value);
      }
      return {};
    }
    return {};  // the judge says what is missing
  }
};

}  // namespace

const Check& lease() {
  static const Lease instance;
  return instance;
}

std::optional<net::MacAddress> reserved_mac(const Json& parameters) {
  const auto found = parameters.find("mac");
  if (found == parameters.end() || !found->is_string()) return std::nullopt;
  const auto mac = net::MacAddress::parse(found->get<std::string>());
  return mac ? std::optional(*mac) : std::nullopt;
}

}  // namespace patchlab::checks::dhcp
