// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// DNS messages as values. ldns does the wire format (RFC 1035 section 4) and the presentation form; it stays in
// message.cpp.
namespace patchlab::checks::dns {

struct Question {
  std::string name;  // "www.corp.example", absolute with or without the final dot
  std::string type;  // "A", "MX" ...
  std::uint16_t id = 0;
  bool recursion_desired = true;
  std::uint16_t udp_size = 1232;  // EDNS0 (RFC 6891) payload size; 0 sends no OPT record
};
[[nodiscard]] Result<std::string> encode(const Question& question);

// A dynamic update (RFC 2136) of a zone by one record, given in presentation form.
enum class Update { add, remove };
[[nodiscard]] Result<std::string> encode_update(const std::string& zone, Update update, const std::string& record,
                                                std::uint16_t id);

// One resource record. `text` is its canonical presentation form (RFC 4034 section 6.2: names in lower case) without
// the TTL, so that equal records have equal text.
struct Record {
  std::string text;  // "www.corp.example. IN A 10.20.0.80"
  std::uint32_t ttl = 0;
};

struct Message {
  std::uint16_t id = 0;
  bool is_response = false;
  bool is_authoritative = false;
  bool is_truncated = false;
  std::string rcode;      // "NOERROR", "NXDOMAIN" ...
  std::string questions;  // "www.corp.example. IN A", one per line
  std::vector<Record> answer;
  std::vector<Record> authority;
};
// A malformed message is an Error that says how.
[[nodiscard]] Result<Message> decode(std::string_view wire);

// A record as a scenario writes it: "www.corp.example. [ttl] [IN] A 10.20.0.80".
struct ExpectedRecord {
  std::string text;                  // as Record::text
  std::optional<std::uint32_t> ttl;  // the zone's TTL when the scenario gives it
};
[[nodiscard]] Result<ExpectedRecord> parse_record(const std::string& presentation);

// "www.corp.example. IN A" for a question; comparable with Message::questions.
[[nodiscard]] Result<std::string> canonical_question(const std::string& name, const std::string& type);
// What can be asked for, as "MX"; others by number, as "TYPE65280".
[[nodiscard]] const std::vector<std::string>& question_types();
[[nodiscard]] bool is_question_type(const std::string& type);
[[nodiscard]] std::vector<std::string> known_rcodes();
[[nodiscard]] bool is_known_rcode(const std::string& rcode);

}  // namespace patchlab::checks::dns
