// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/check_with.hpp"
#include "checks/dns/lookup.hpp"
#include "checks/dns/message.hpp"
#include "checks/socket.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::dns {
namespace {

constexpr std::size_t most_bytes = 256U << 20U;
constexpr std::size_t most_sampled = 20;

struct Parameters {
  std::string zone;
  std::size_t records = 0;
  std::string sha256;
  std::uint16_t port = 53;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.zone = reader.text("zone", [](const std::string& zone) {
    const bool is_name = !zone.empty() && canonical_question(zone, "AXFR").has_value();
    return is_name ? "" : fmt::format("'{}' is not the name of a zone such as 'corp.example.'", zone);
  });
  with.records = static_cast<std::size_t>(reader.integer("records", 1, 100'000'000));
  with.sha256 = reader.text("sha256", [](const std::string& text) {
    return is_sha256(text) ? "" : "must be a SHA-256 of 64 lower-case hex digits";
  });
  with.port = static_cast<std::uint16_t>(reader.integer_or("port", 53, 1, 65535));
  return with;
}

std::string type_of(const std::string& text) {
  const auto start = text.find(" IN ");
  return start == std::string::npos ? "" : text.substr(start + 4, text.find(' ', start + 4) - start - 4);
}

bool changes_by_itself(const std::string& type) { return type == "RRSIG" || type == "NSEC" || type == "NSEC3"; }

// Messages until the SOA record comes for the second time.
class Taker {
 public:
  Taker(int socket, const Deadline& deadline) : socket_(socket), deadline_(deadline) {}

  Json take() {
    while (soas_ < 2 && next()) {
    }
    if (soas_ >= 2) seen_["is_whole"] = true;
    std::ranges::sort(lines_);
    std::string text;
    for (const auto& line : lines_) text += line + "\n";
    seen_["records"] = lines_.size();
    seen_["sha256"] = sha256(text);
    lines_.resize(std::min(lines_.size(), most_sampled));
    seen_["sample"] = lines_;
    seen_["bytes"] = bytes_;
    return seen_;
  }

 private:
  bool end(const char* key, Json value) {
    seen_[key] = std::move(value);
    return false;
  }
  std::optional<std::string> exactly(std::size_t size) {
    auto received = receive_exactly(socket_, size, deadline_);
    if (received.bytes.size() == size) return std::move(received.bytes);
    if (received.saved_errno != 0)
      seen_.update({{"errno", received.saved_errno}, {"trouble", describe_errno(received.saved_errno)}});
    else
      seen_["closed"] = true;
    return std::nullopt;
  }
  bool next() {
    if (deadline_.passed()) return end("errno", ETIMEDOUT);
    const auto prefix = exactly(2);
    if (!prefix) return false;
    const auto size =
        std::size_t{static_cast<unsigned char>((*prefix)[0])} * 256 + static_cast<unsigned char>((*prefix)[1]);
    const auto wire = exactly(size);
    if (!wire) return false;
    bytes_ += size;
    if (bytes_ > most_bytes) return end("malformed", fmt::format("more than {} bytes", most_bytes));
    const auto message = decode(*wire);
    if (!message) return end("malformed", to_valid_utf8(message.error().message));
    if (!message->is_response) return end("malformed", "it is no response");
    seen_["rcode"] = message->rcode;
    if (message->rcode != "NOERROR" || message->answer.empty()) return false;
    for (const auto& record : message->answer) add(record);
    return true;
  }
  void add(const Record& record) {
    const auto type = type_of(record.text);
    if (type == "SOA" && ++soas_ > 1) return;
    if (soas_ > 1 || changes_by_itself(type)) return;
    const auto end = record.text.find(" IN ");
    lines_.push_back(fmt::format("{} {}{}", record.text.substr(0, end), record.ttl,
                                 end == std::string::npos ? "" : record.text.substr(end)));
  }

  int socket_;
  const Deadline& deadline_;
  Json seen_;
  std::vector<std::string> lines_;
  std::size_t bytes_ = 0;
  int soas_ = 0;
};

class Transfer final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "dns.transfer"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    PATCHLAB_ASSIGN(const auto wire, encode({with.zone, "AXFR", random_id(), false, 0}));
    PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, with.port}, target.client_address, deadline));
    int trouble = connection.saved_errno;
    const std::string prefix{static_cast<char>(wire.size() >> 8U), static_cast<char>(wire.size() & 0xFFU)};
    if (trouble == 0) trouble = send_all(connection.socket.get(), prefix + wire, deadline);
    if (trouble != 0) return Json{{"errno", trouble}, {"trouble", describe_errno(trouble)}};
    return Taker(connection.socket.get(), deadline).take();
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto expected = fmt::format("{} records of {}", with.records, with.zone);
    const auto failed = [&](std::string reason, std::string observed) {
      return Judgement{Outcome::fail, std::move(reason), expected, std::move(observed)};
    };
    if (observation.contains("malformed")) return failed("malformed-reply", observation.value("malformed", ""));
    if (observation.contains("errno"))
      return failed(reason_for_errno(observation.at("errno").get<int>()), observation.value("trouble", ""));
    const auto rcode = observation.value("rcode", "");
    if (rcode.empty()) return failed("connection-closed", "the server closed the connection");
    if (rcode != "NOERROR") return failed("transfer-refused", rcode);
    const auto records = observation.at("records").get<std::size_t>();
    if (!observation.contains("is_whole"))
      return failed("transfer-incomplete", fmt::format("{} records, and no SOA at the end", records));
    if (records != with.records) return failed("record-count-differs", fmt::format("{} records", records));
    if (observation.at("sha256") != with.sha256)
      return failed("zone-differs", "SHA-256 " + observation.value("sha256", ""));
    return {Outcome::pass, "as-expected", expected, "these, with the expected digest"};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*with*/, Observation& observation, Json& json) const override {
    if (!observation.contains("is_whole")) return {};  // judged as what it is
    json["records"] = observation.at("records");
    json["sha256"] = observation.at("sha256");
    return {};
  }
};

}  // namespace

const Check& transfer() {
  static const Transfer instance;
  return instance;
}

}  // namespace patchlab::checks::dns
