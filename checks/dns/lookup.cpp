// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/lookup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "checks/dns/exchange.hpp"
#include "checks/dns/message.hpp"
#include "checks/hex.hpp"

namespace patchlab::checks::dns {
namespace {

std::vector<std::string> texts_of(const std::vector<Record>& records) {
  std::vector<std::string> texts;
  for (const auto& record : records) texts.push_back(record.text);
  std::sort(texts.begin(), texts.end());
  return texts;
}

// For the reader of the evidence only.
std::string readable(const Message& message) {
  std::string text = fmt::format("{}{}{}; {}\n", message.rcode, message.is_authoritative ? " aa" : "",
                                 message.is_truncated ? " tc" : "", message.questions);
  for (const auto& record : message.answer) text += fmt::format("answer {} (ttl {})\n", record.text, record.ttl);
  for (const auto& record : message.authority) text += fmt::format("authority {} (ttl {})\n", record.text, record.ttl);
  return text;
}

std::string lines(const std::vector<std::string>& texts) {
  return texts.empty() ? "no records" : fmt::format("{}", fmt::join(texts, "\n"));
}

// For how long it may be kept that there is nothing: the TTL of the SOA record in the authority section, or its last
// field, the lesser of the two (RFC 2308 section 5).
std::optional<std::uint32_t> negative_ttl_of(const Message& message) {
  for (const auto& record : message.authority) {
    if (record.text.find(" IN SOA ") == std::string::npos) continue;
    const auto last = record.text.substr(record.text.rfind(' ') + 1);
    std::uint32_t minimum = 0;
    const auto parsed = std::from_chars(last.data(), last.data() + last.size(), minimum);
    if (parsed.ec == std::errc()) return std::min(minimum, record.ttl);
  }
  return std::nullopt;
}

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

Judgement judge_silence(const Observation& observation) {
  if (!observation.at("strays").empty()) {
    return failed("wrong-id", "a reply with the id of the query",
                  fmt::format("{} with other ids", observation.at("strays").size()));
  }
  const auto trouble = observation.value("trouble", "nothing");
  if (!observation.contains("errno")) return failed("connection-closed", "a reply", trouble);
  return failed(reason_for_errno(observation.at("errno").get<int>()), "a reply",
                fmt::format("{} after {} ms", trouble, observation.value("elapsed_ms", 0)));
}

bool same_id_as_query(const Observation& observation, std::string_view wire) {
  const auto query_wire = from_hex(observation.at("query").get<std::string>()).value_or("");
  return query_wire.size() >= 2 && wire.substr(0, 2) == std::string_view(query_wire).substr(0, 2);
}

// What a resolver does with an answer that did not fit: it asks by TCP (RFC 7766 section 5).
std::optional<Judgement> judge_truncation(const Observation& observation) {
  const auto& over_udp = observation.at("over_udp");
  const auto expected = "an answer over UDP that is cut, and says so";
  if (!over_udp.contains("reply")) return judge_silence(over_udp);
  const auto wire = from_hex(over_udp.at("reply").get<std::string>()).value_or("");
  const auto message = decode(wire);
  if (!message) return failed("malformed-reply", expected, message.error().message);
  if (!same_id_as_query(over_udp, wire)) return failed("wrong-id", "a reply with the id of the query", "another id");
  if (message->is_truncated) return std::nullopt;
  return failed("not-truncated", expected, fmt::format("{} bytes without TC: {}", wire.size(), message->rcode));
}

// The steps of judging in the order in which they make sense; the first trouble is the verdict.
class Judge {
 public:
  Judge(const Lookup& lookup, const Message& message) : lookup_(lookup), message_(message) {}

  [[nodiscard]] Judgement verdict() const {
    for (const auto step : {&Judge::header, &Judge::records, &Judge::ttls, &Judge::negative}) {
      if (auto trouble = (this->*step)()) return *trouble;
    }
    return {Outcome::pass, "as-expected", expectation(),
            fmt::format("{}; {}", message_.rcode, lines(texts_of(message_.answer)))};
  }

 private:
  using Trouble = std::optional<Judgement>;

  [[nodiscard]] std::vector<std::string> expected_texts() const {
    std::vector<std::string> texts;
    for (const auto& record : lookup_.expect) {
      const auto parsed = parse_record(record);
      texts.push_back(parsed ? parsed->text : record);
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }
  [[nodiscard]] std::string expectation() const {
    return fmt::format("{}; {}", lookup_.expect_rcode, lines(expected_texts()));
  }

  [[nodiscard]] Trouble header() const {
    const auto asked = canonical_question(lookup_.name, lookup_.type).value_or(lookup_.name);
    if (!message_.is_response) return failed("not-a-response", "a response", "a query");
    if (message_.questions != asked) return failed("question-differs", asked, message_.questions);
    if (message_.is_truncated)
      return failed("truncated", "a whole answer",
                    fmt::format("TC is set over {}", lookup_.expect_truncated ? "tcp" : lookup_.transport));
    if (message_.rcode != lookup_.expect_rcode) return failed("rcode-differs", expectation(), message_.rcode);
    if (lookup_.expect_aa && message_.is_authoritative != *lookup_.expect_aa) {
      return failed("aa-differs", *lookup_.expect_aa ? "an authoritative answer" : "a non-authoritative answer",
                    message_.is_authoritative ? "AA is set" : "AA is not set");
    }
    return std::nullopt;
  }

  [[nodiscard]] Trouble records() const {
    const auto observed = texts_of(message_.answer);
    const auto expected = expected_texts();
    if (observed == expected) return std::nullopt;
    return failed("rrset-differs", lines(expected), lines(observed));
  }

  // AA speaks of the name that was asked for (RFC 1035 section 4.1.1): its TTL is the zone's. A cache's, as that of a
  // name to which an alias leads may be, has been counted down (section 3.2.1), never up.
  [[nodiscard]] bool is_of_the_zone(const Record& record) const {
    const auto name = message_.questions.substr(0, message_.questions.find(' ') + 1);
    return message_.is_authoritative && record.text.starts_with(name);
  }
  [[nodiscard]] Trouble ttls() const {
    for (const auto& expectation : lookup_.expect) {
      const auto expected = parse_record(expectation);
      if (!expected || !expected->ttl) continue;
      for (const auto& record : message_.answer) {
        if (record.text != expected->text || record.ttl == *expected->ttl) continue;
        if (is_of_the_zone(record)) {
          return failed("ttl-differs", fmt::format("{} with a TTL of {}", record.text, *expected->ttl),
                        fmt::format("a TTL of {}", record.ttl));
        }
        if (record.ttl > *expected->ttl) {
          return failed("ttl-too-large", fmt::format("{} with a TTL up to {}", record.text, *expected->ttl),
                        fmt::format("a TTL of {}", record.ttl));
        }
      }
    }
    return std::nullopt;
  }

  // RFC 2308 section 3: an authoritative negative answer carries the zone's SOA, or nobody can cache it.
  [[nodiscard]] Trouble negative() const {
    const bool is_negative = message_.answer.empty() && (message_.rcode == "NXDOMAIN" || message_.rcode == "NOERROR");
    if (!is_negative || !message_.is_authoritative) return std::nullopt;
    const bool has_soa = std::any_of(message_.authority.begin(), message_.authority.end(), [](const Record& record) {
      return record.text.find(" IN SOA ") != std::string::npos;
    });
    if (has_soa) return negative_ttl();
    return failed("negative-without-soa", "a SOA record in the authority section", lines(texts_of(message_.authority)));
  }

  [[nodiscard]] Trouble negative_ttl() const {
    const auto seen = negative_ttl_of(message_);
    if (!lookup_.expect_negative_ttl || seen == lookup_.expect_negative_ttl) return std::nullopt;
    return failed("negative-ttl-differs",
                  fmt::format("that there is nothing is kept for {} s", *lookup_.expect_negative_ttl),
                  seen ? fmt::format("for {} s", *seen) : lines(texts_of(message_.authority)));
  }

  const Lookup& lookup_;
  const Message& message_;
};

Result<Observation> ask_once(const Target& target, const Lookup& lookup, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto wire,
                  encode({lookup.name, lookup.type, random_id(), lookup.recursion_desired, lookup.udp_size}));
  const Endpoint server{target.address, lookup.port};
  PATCHLAB_ASSIGN(auto seen, lookup.transport == "tcp" ? exchange_tcp(server, target.client_address, wire, deadline)
                                                       : exchange_udp(server, target.client_address, wire, deadline));
  seen["transport"] = lookup.transport;
  seen["server"] = fmt::format("{}:{}", server.address, server.port);
  if (seen.contains("reply")) {
    const auto message = decode(from_hex(seen["reply"].get<std::string>()).value_or(""));
    seen["reply_text"] = to_valid_utf8(message ? readable(*message) : message.error().message);
  }
  return seen;
}

}  // namespace

std::uint16_t random_id() {
  std::random_device device;
  return static_cast<std::uint16_t>(device());
}

std::string why_no_transport(const std::string& word) {
  return word == "udp" || word == "tcp" ? "" : fmt::format("must be \"udp\" or \"tcp\", found \"{}\"", word);
}

std::string why_no_record(const std::string& presentation) {
  const auto record = parse_record(presentation);
  return record ? "" : fmt::format("{}; write it as \"www.corp.example. 3600 A 10.20.0.80\"", record.error().message);
}

Result<Observation> ask(const Target& target, const Lookup& lookup, const Deadline& deadline) {
  if (!lookup.expect_truncated) return ask_once(target, lookup, deadline);
  PATCHLAB_ASSIGN(auto over_udp, ask_once(target, lookup, deadline));
  auto again = lookup;
  again.transport = "tcp";
  PATCHLAB_ASSIGN(auto seen, ask_once(target, again, deadline));
  seen["over_udp"] = std::move(over_udp);
  return seen;
}

Result<Answered> answered(const Lookup& lookup, const Observation& observation) {
  const auto nothing = [](const Judgement& judgement) {
    return Error{ErrorClass::check, fmt::format("{}: {}", judgement.reason, judgement.observed), {}};
  };
  if (!observation.contains("reply")) return nothing(judge_silence(observation));
  PATCHLAB_ASSIGN(const auto message, decode(from_hex(observation.at("reply").get<std::string>()).value_or("")));
  Answered seen{message.rcode, message.is_authoritative, {}, std::nullopt};
  if (message.is_authoritative && message.answer.empty()) seen.negative_ttl = negative_ttl_of(message);
  for (const auto& record : message.answer) {
    // "www.corp.example. IN A 10.20.0.80"
    const auto end = record.text.find(" IN ");
    if (end == std::string::npos)
      return Error{ErrorClass::check, fmt::format("'{}' is not of the class IN", record.text), {}};
    const auto ttl = message.is_authoritative ? fmt::format(" {}", record.ttl) : std::string();
    seen.records.push_back(record.text.substr(0, end) + ttl + record.text.substr(end + 3));
  }
  auto expected = lookup;
  expected.expect = seen.records;
  expected.expect_rcode = seen.rcode;
  expected.expect_aa = seen.is_authoritative;
  expected.expect_negative_ttl = seen.negative_ttl;
  if (const auto judgement = judge_answer(expected, observation); judgement.outcome != Outcome::pass)
    return nothing(judgement);
  return seen;
}

Judgement judge_reply(const Lookup& lookup, std::string_view wire) {
  const auto message = decode(wire);
  if (!message) return failed("malformed-reply", "a DNS message", message.error().message);
  return Judge(lookup, *message).verdict();
}

Judgement judge_answer(const Lookup& lookup, const Observation& observation) {
  if (lookup.expect_truncated) {
    if (auto bad = judge_truncation(observation)) return *bad;
  }
  if (!observation.contains("reply")) return judge_silence(observation);
  const auto wire = from_hex(observation.at("reply").get<std::string>()).value_or("");
  if (!decode(wire)) return judge_reply(lookup, wire);
  if (!same_id_as_query(observation, wire)) return failed("wrong-id", "a reply with the id of the query", "another id");
  return judge_reply(lookup, wire);
}

}  // namespace patchlab::checks::dns
