// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/query.hpp"

#include <fmt/format.h>

#include "checks/dns/lookup.hpp"
#include "checks/dns/message.hpp"

namespace patchlab::checks::dns {
namespace {

Lookup read(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Lookup lookup;
  lookup.name = reader.text("name");
  lookup.type = reader.text("type");
  lookup.transport = reader.text_or("transport", "udp");
  lookup.expect = reader.texts_or_empty("expect");
  lookup.expect_rcode = reader.text_or("expect_rcode", "NOERROR");
  if (reader.has("expect_aa")) lookup.expect_aa = reader.boolean_or("expect_aa", false);
  lookup.recursion_desired = reader.boolean_or("recursion_desired", true);
  lookup.udp_size = static_cast<std::uint16_t>(reader.integer_or("udp_size", 1232, 0, 65535));
  lookup.port = static_cast<std::uint16_t>(reader.integer_or("port", 53, 1, 65535));
  reader.finish();
  return lookup;
}

Lookup read_valid(const Json& json) {
  std::vector<JsonProblem> ignored;  // validate() has reported them
  return read(json, "", ignored);
}

class Query final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "dns.query"; }

  void validate(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) const override {
    const auto lookup = read(json, pointer, problems);
    const auto complain = [&](const std::string& key, std::string message) {
      problems.push_back({pointer + "/" + key, std::move(message)});
    };
    const bool known_type = is_known_type(lookup.type);
    if (!lookup.type.empty() && !known_type)
      complain("type", fmt::format("'{}' is not a DNS record type", lookup.type));
    if (!lookup.name.empty() && !canonical_question(lookup.name, "A")) {
      complain("name", fmt::format("'{}' is not a domain name", lookup.name));
    }
    if (lookup.transport != "udp" && lookup.transport != "tcp") {
      complain("transport", fmt::format("must be \"udp\" or \"tcp\", found \"{}\"", lookup.transport));
    }
    if (!is_known_rcode(lookup.expect_rcode)) {
      complain("expect_rcode",
               fmt::format("'{}' is not a DNS response code such as NOERROR, NXDOMAIN", lookup.expect_rcode));
    }
    for (std::size_t i = 0; i < lookup.expect.size(); ++i) {
      if (const auto record = parse_record(lookup.expect[i]); !record)
        complain(fmt::format("expect/{}", i), record.error().message);
    }
  }

  [[nodiscard]] Result<Observation> observe(const Target& target, const Json& json, Milliseconds limit) const override {
    const auto lookup = read_valid(json);
    return ask(target, lookup, Deadline(limit));
  }

  [[nodiscard]] Judgement judge(const Json& json, const Observation& observation) const override {
    const auto lookup = read_valid(json);
    return judge_answer(lookup, observation);
  }
};

}  // namespace

const Check& query() {
  static const Query instance;
  return instance;
}

}  // namespace patchlab::checks::dns
