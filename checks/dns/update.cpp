// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/update.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/dns/exchange.hpp"
#include "checks/dns/lookup.hpp"
#include "checks/dns/message.hpp"
#include "checks/hex.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::dns {
namespace {

struct Parameters {
  std::string zone;  // with the final dot
  bool allowed = false;
  std::uint16_t port = 53;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.zone = reader.text("zone", [](const std::string& zone) {
    const bool is_name = !zone.empty() && canonical_question(zone, "SOA").has_value();
    return is_name ? "" : fmt::format("'{}' is not the name of a zone such as 'corp.example.'", zone);
  });
  if (!with.zone.ends_with('.')) with.zone += '.';
  with.allowed = reader.boolean_or("allowed", false);
  with.port = static_cast<std::uint16_t>(reader.integer_or("port", 53, 1, 65535));
  return with;
}

// As exchange_udp() says, with "rcode" when an answer could be read, and the number of records in it.
class Updater {
 public:
  Updater(const Target& target, const Parameters& with, Deadline deadline)
      : target_(target),
        with_(with),
        deadline_(deadline),
        name_(fmt::format("patchlab-{}.{}", unique_text(), with.zone == "." ? "" : with.zone)),
        record_(fmt::format("{} 60 IN TXT \"patchlab\"", name_)) {}

  Result<Json> change(Update what) {
    PATCHLAB_ASSIGN(const auto wire, encode_update(with_.zone, what, record_, random_id()));
    return exchange(wire);
  }
  Result<Json> ask() {
    PATCHLAB_ASSIGN(const auto wire, encode({name_, "TXT", random_id(), false, 1232}));
    return exchange(wire);
  }

 private:
  Result<Json> exchange(const std::string& wire) {
    PATCHLAB_ASSIGN(auto seen, exchange_udp({target_.address, with_.port}, target_.client_address, wire, deadline_));
    if (!seen.contains("reply")) return seen;
    const auto message = decode(from_hex(seen.at("reply").get<std::string>()).value_or(""));
    if (message && message->is_response) {
      seen["rcode"] = message->rcode;
      seen["records"] = message->answer.size();
    } else {
      seen["malformed"] = message ? "it is no response" : to_valid_utf8(message.error().message);
    }
    return seen;
  }

  const Target& target_;
  const Parameters& with_;
  Deadline deadline_;
  std::string name_;
  std::string record_;
};

bool is_done(const Json& answer) { return answer.value("rcode", "") == "NOERROR"; }
bool is_refusal(const std::string& rcode) { return rcode == "REFUSED" || rcode == "NOTAUTH" || rcode == "NOTIMPL"; }

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

// No answer to that at all.
std::optional<Judgement> judge_exchange(const Json& answer, const std::string& expected) {
  if (answer.contains("malformed"))
    return failed("malformed-reply", expected, answer.at("malformed").get<std::string>());
  if (answer.contains("reply")) return std::nullopt;
  if (!answer.at("strays").empty()) return failed("wrong-id", expected, "replies with other ids");
  const auto trouble = answer.value("trouble", "nothing");
  if (!answer.contains("errno")) return failed("connection-closed", expected, trouble);
  return failed(reason_for_errno(answer.at("errno").get<int>()), expected, trouble);
}

class DynamicUpdate final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "dns.update"; }
  [[nodiscard]] bool wants_a_refusal() const override { return true; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    Updater updater(target, with, Deadline(limit));
    Json observation;
    PATCHLAB_ASSIGN(observation["add"], updater.change(Update::add));
    if (!is_done(observation["add"])) return observation;
    PATCHLAB_ASSIGN(observation["seen"], updater.ask());
    // Whether it was allowed or not: nothing stays behind.
    PATCHLAB_ASSIGN(observation["remove"], updater.change(Update::remove));
    PATCHLAB_ASSIGN(observation["gone"], updater.ask());
    return observation;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto expected = fmt::format("an update of {} is {}", with.zone, with.allowed ? "done" : "refused");
    const auto& add = observation.at("add");
    if (auto bad = judge_exchange(add, expected)) return *bad;
    const auto rcode = add.at("rcode").get<std::string>();
    if (rcode != "NOERROR" && !is_refusal(rcode)) return failed("update-answer-unexpected", expected, rcode);
    if (is_refusal(rcode)) {
      if (with.allowed) return failed("update-refused", expected, rcode);
      return {Outcome::pass, "as-expected", expected, rcode};
    }
    if (!with.allowed) return failed("update-accepted", expected, rcode);
    if (auto bad = judge_exchange(observation.at("seen"), expected)) return *bad;
    if (observation.at("seen").value("records", 0) != 1)
      return failed("update-not-seen", expected, "NOERROR, and the record cannot be asked for");
    for (const char* step : {"remove", "gone"}) {
      if (auto bad = judge_exchange(observation.at(step), expected)) return *bad;
    }
    if (!is_done(observation.at("remove")) || observation.at("gone").value("records", 1) != 0)
      return failed("update-not-removed", expected, "the record stays: " + observation.at("remove").value("rcode", ""));
    return {Outcome::pass, "as-expected", expected, "done, seen and taken back"};
  }

  // Only a refusal is learnt: each update that is done changes the zone's serial number, which other checks look at.
  [[nodiscard]] Result<void> expect(const Parameters& /*with*/, Observation& /*observation*/,
                                    Json& json) const override {
    json["allowed"] = false;
    return {};
  }
};

}  // namespace

const Check& update() {
  static const DynamicUpdate instance;
  return instance;
}

}  // namespace patchlab::checks::dns
