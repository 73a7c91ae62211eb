// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ntp/query.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <map>
#include <random>

#include "checks/check_with.hpp"
#include "checks/datagrams.hpp"
#include "checks/ntp/message.hpp"
#include "checks/taken_steps.hpp"

namespace patchlab::checks::ntp {
namespace {

struct Parameters {
  std::uint16_t port = 123;
  int version = 4;
  int max_stratum = 15;
  std::optional<std::int64_t> offset_ms;
};

Timestamp now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return timestamp_of(std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count());
}

Timestamp random_cookie() {
  std::random_device source;
  return Timestamp{source()} << 32U | source();
}

// RFC 5905 section 8: T1 and T4 are ours, T2 and T3 the server's.
Json described(const Reply& reply, Timestamp sent, Timestamp arrived) {
  const auto there = milliseconds_between(sent, reply.received);
  const auto back = milliseconds_between(arrived, reply.transmitted);
  const auto away = milliseconds_between(sent, arrived);
  return {{"leap", reply.leap},
          {"version", reply.version},
          {"stratum", reply.stratum},
          {"reference", reply.reference},
          {"root_delay_ms", reply.root_delay_ms},
          {"root_dispersion_ms", reply.root_dispersion_ms},
          {"offset_ms", (there + back) / 2},
          {"delay_ms", away - milliseconds_between(reply.received, reply.transmitted)}};
}

class Query final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "ntp.query"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override {
    Parameters with;
    with.port = static_cast<std::uint16_t>(reader.integer_or("port", 123, 1, 65535));
    with.version = static_cast<int>(reader.integer_or("version", 4, 3, 4));
    with.max_stratum = static_cast<int>(reader.integer_or("max_stratum", 15, 1, 15));
    if (reader.has("offset_ms")) with.offset_ms = reader.integer("offset_ms", 0, 86400000);
    return with;
  }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    std::map<Timestamp, Timestamp> sent;  // by cookie
    Json reply;
    DatagramQuestion question{{target.address, with.port}, target.client_address, {}, {}};
    question.request = [&] {
      const auto cookie = random_cookie();
      sent[cookie] = now();
      return request(with.version, cookie);
    };
    question.takes = [&](std::string_view datagram) {
      const auto arrived = now();
      const auto read = reply_in(datagram);
      if (!read || !sent.contains(read->origin)) return false;  // of nobody, or of who did not see the question
      reply = described(*read, sent.at(read->origin), arrived);
      return true;
    };
    PATCHLAB_ASSIGN(auto seen, ask_by_datagrams(question, Deadline(limit)));
    if (!reply.is_null()) seen["reply"] = reply;
    return seen;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    const std::string expected = "the time, from a clock that is synchronised";
    if (auto bad = judge_datagrams(seen, expected)) return *bad;
    const auto& reply = seen.at("reply");
    const int stratum = reply.at("stratum").get<int>();
    const auto reference = reply.value("reference", "");
    if (stratum == 0) return failed("kiss-o'-death", expected, "the server says '" + reference + "' and no time");
    if (reply.at("leap") == 3 || stratum >= 16)
      return failed("not-synchronised", expected,
                    fmt::format("leap indicator {}, stratum {}", reply.at("leap").dump(), stratum));
    if (stratum > with.max_stratum)
      return failed("stratum-too-high", fmt::format("a stratum of {} or less", with.max_stratum),
                    fmt::format("stratum {}", stratum));
    const auto offset = reply.at("offset_ms").get<double>();
    const auto delay = reply.at("delay_ms").get<double>();
    const auto observed =
        fmt::format("stratum {}, {:.1f} ms from the host's clock, in {:.1f} ms", stratum, offset, delay);
    // Of the time that it took nobody knows how much was spent on which way.
    if (with.offset_ms && std::abs(offset) > static_cast<double>(*with.offset_ms) + std::max(delay, 0.0) / 2)
      return failed("offset-too-large", fmt::format("{} ms or less from the host's clock", *with.offset_ms), observed);
    return {Outcome::pass, "synchronised", expected, observed};
  }
};

}  // namespace

const Check& query() {
  static const Query instance;
  return instance;
}

}  // namespace patchlab::checks::ntp
