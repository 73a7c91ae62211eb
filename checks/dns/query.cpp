// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/query.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/dns/lookup.hpp"
#include "checks/dns/message.hpp"

namespace patchlab::checks::dns {
namespace {

Lookup read_parameters(JsonReader& reader) {
  Lookup lookup;
  lookup.name = reader.text("name");
  if (!lookup.name.empty() && !canonical_question(lookup.name, "A")) {
    reader.problem("name", fmt::format("'{}' is not a domain name", lookup.name));
  }
  lookup.type = reader.text("type");
  if (!lookup.type.empty() && !is_known_type(lookup.type)) {
    reader.problem("type", fmt::format("'{}' is not a DNS record type", lookup.type));
  }
  lookup.transport = reader.text_or("transport", "udp");
  if (!is_transport(lookup.transport)) {
    reader.problem("transport", fmt::format("must be \"udp\" or \"tcp\", found \"{}\"", lookup.transport));
  }
  lookup.expect = reader.texts_or_empty("expect");
  for (std::size_t i = 0; i < lookup.expect.size(); ++i) {
    if (const auto record = parse_record(lookup.expect[i]); !record) {
      reader.problem("expect", i, record.error().message);
    }
  }
  lookup.expect_rcode = reader.text_or("expect_rcode", "NOERROR");
  if (!is_known_rcode(lookup.expect_rcode)) {
    reader.problem("expect_rcode",
                   fmt::format("'{}' is not a DNS response code such as NOERROR, NXDOMAIN", lookup.expect_rcode));
  }
  if (reader.has("expect_aa")) lookup.expect_aa = reader.boolean_or("expect_aa", false);
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
};

}  // namespace

const Check& query() {
  static const Query instance;
  return instance;
}

}  // namespace patchlab::checks::dns
