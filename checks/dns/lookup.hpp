// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "checks/deadline.hpp"

namespace patchlab::checks::dns {

// One question and the answer that is right; the meaning of the members is that of the parameters of "dns.query".
struct Lookup {
  std::string name;
  std::string type;
  std::string transport;
  std::vector<std::string> expect;
  std::string expect_rcode;
  std::optional<bool> expect_aa;
  std::optional<std::uint32_t> expect_negative_ttl{};
  bool expect_truncated = false;
  bool recursion_desired = true;
  std::uint16_t udp_size = 0;
  std::uint16_t port = 0;
};

// Rules for texts of a scenario (TextRule).
[[nodiscard]] std::string why_no_transport(const std::string& word);  // "udp", "tcp"
[[nodiscard]] std::string why_no_record(const std::string& presentation);

[[nodiscard]] std::uint16_t random_id();

// Asks once. The observation is that of exchange.hpp with "transport", "server" and, when there is a reply,
// "reply_text". With `expect_truncated` it is asked by UDP and then by TCP: the observation is that of the latter, and
// has the former as "over_udp".
[[nodiscard]] Result<Observation> ask(const Target& target, const Lookup& lookup, const Deadline& deadline);

// What an observation of `ask` was an answer to: what is expected from now on.
struct Answered {
  std::string rcode;
  bool is_authoritative = false;
  std::vector<std::string> records;  // of the answer section, as a scenario writes them; with the TTL, which is the
                                     // zone's, in an authoritative answer only
  std::optional<std::uint32_t> negative_ttl;  // of an authoritative answer that there is nothing
};
// An Error when nobody answered, or what came is no whole answer to the question.
[[nodiscard]] Result<Answered> answered(const Lookup& lookup, const Observation& observation);

// The same of one message that answers the lookup, whatever its id.
[[nodiscard]] Judgement judge_reply(const Lookup& lookup, std::string_view wire);
// The first trouble in an observation of `ask`, or a pass; the reasons are those of "dns.query".
[[nodiscard]] Judgement judge_answer(const Lookup& lookup, const Observation& observation);

}  // namespace patchlab::checks::dns
