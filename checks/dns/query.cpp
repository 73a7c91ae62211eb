// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/query.hpp"

#include <fmt/ranges.h>

#include "checks/check_with.hpp"
#include "checks/dns/lookup.hpp"
#include "checks/dns/message.hpp"

namespace patchlab::checks::dns {
namespace {

Lookup read_parameters(JsonReader& reader) {
  Lookup lookup;
  lookup.name = reader.text("name", [](const std::string& name) {
    const bool is_name = !name.empty() && canonical_question(name, "A").has_value();
    return is_name ? "" : fmt::format("'{}' is not a domain name such as 'mail1.corp.example.'", name);
  });
  lookup.type = reader.text("type", [](const std::string& type) {
    return is_question_type(type) ? ""
                                  : fmt::format(
                                        "'{}' is not a DNS record type; there are: {}, and TYPE1 to "
                                        "TYPE65535",
                                        type, fmt::join(question_types(), ", "));
  });
  lookup.transport = reader.text_or("transport", "udp", why_no_transport);
  lookup.expect = reader.texts_or_empty("expect", why_no_record);
  lookup.expect_rcode = reader.text_or("expect_rcode", "NOERROR", [](const std::string& rcode) {
    return is_known_rcode(rcode)
               ? ""
               : fmt::format("'{}' is not a DNS response code; there are: {}", rcode, fmt::join(known_rcodes(), ", "));
  });
  if (reader.has("expect_aa")) lookup.expect_aa = reader.boolean_or("expect_aa", false);
  if (reader.has("expect_negative_ttl"))
    lookup.expect_negative_ttl = static_cast<std::uint32_t>(reader.integer("expect_negative_ttl", 0, 0x7FFFFFFF));
  lookup.expect_truncated = reader.boolean_or("expect_truncated", false);
  if (lookup.expect_truncated && lookup.transport == "tcp")
    reader.problem("expect_truncated", "is of UDP: over TCP every answer is whole");
  lookup.recursion_desired = reader.boolean_or("recursion_desired", true);
  lookup.udp_size = static_cast<std::uint16_t>(reader.integer_or("udp_size", 1232, 0, 65535));
  lookup.port = static_cast<std::uint16_t>(reader.integer_or("port", 53, 1, 65535));
  return lookup;
}

class Query final : public CheckWith<Lookup> {
 public:
  [[nodiscard]] std::string kind() const override { return "dns.query"; }

 protected:
  [[nodiscard]] Lookup read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Lookup& lookup,
                                                 Milliseconds limit) const override {
    return ask(target, lookup, Deadline(limit));
  }

  [[nodiscard]] Judgement judge_with(const Lookup& lookup, const Observation& observation) const override {
    return judge_answer(lookup, observation);
  }

  [[nodiscard]] Result<void> expect(const Lookup& lookup, Observation& observation, Json& json) const override {
    PATCHLAB_ASSIGN(const auto seen, answered(lookup, observation));
    // A zone comes in as many messages as it needs.
    if (lookup.type == "AXFR" && seen.rcode == "NOERROR")
      return Error{
          ErrorClass::check, "the server hands out the zone, of which only the first message is looked at", {}};
    json.erase("expect");
    if (!seen.records.empty()) json["expect"] = seen.records;
    json["expect_rcode"] = seen.rcode;
    json["expect_aa"] = seen.is_authoritative;
    json.erase("expect_negative_ttl");
    if (seen.negative_ttl) json["expect_negative_ttl"] = *seen.negative_ttl;
    return {};
  }
};

}  // namespace

const Check& query() {
  static const Query instance;
  return instance;
}

}  // namespace patchlab::checks::dns
