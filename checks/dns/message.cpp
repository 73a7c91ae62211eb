// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/message.hpp"

#include <fmt/format.h>
#include <ldns/ldns.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>

namespace patchlab::checks::dns {
namespace {

template <auto free_function>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};
using Packet = std::unique_ptr<ldns_pkt, Freer<ldns_pkt_free>>;
using ResourceRecord = std::unique_ptr<ldns_rr, Freer<ldns_rr_free>>;
using Text = std::unique_ptr<char, Freer<std::free>>;

Error ldns_error(const std::string& action, ldns_status status) {
  return Error{ErrorClass::check, fmt::format("{}: {}", action, ldns_get_errorstr_by_id(status)), {}};
}

std::optional<ldns_rr_type> type_from(const std::string& type) {
  const auto number = ldns_get_rr_type_by_name(type.c_str());
  if (number == 0) return std::nullopt;
  return number;
}

// ldns separates the fields with tabs and ends with a newline.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\t', ' ');
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

// "owner 0 IN A 10.20.0.80" -> "owner IN A 10.20.0.80"
std::string without_zero_ttl(const std::string& line) {
  const auto at = line.find(" 0 ");
  return at == std::string::npos ? line : line.substr(0, at) + line.substr(at + 2);
}

std::string canonical_text(const ldns_rr* original, bool question) {
  const ResourceRecord copy(ldns_rr_clone(original));
  if (!copy) return {};
  if (question) {
    ldns_dname2canonical(ldns_rr_owner(copy.get()));
  } else {
    ldns_rr2canonical(copy.get());
    ldns_rr_set_ttl(copy.get(), 0);
  }
  const Text text(ldns_rr2str(copy.get()));
  return text ? without_zero_ttl(one_line(text.get())) : std::string();
}

std::vector<Record> records_in(const ldns_rr_list* list) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const auto* record = ldns_rr_list_rr(list, i);
    records.push_back({canonical_text(record, false), ldns_rr_ttl(record)});
  }
  return records;
}

std::string questions_in(const ldns_rr_list* list) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    if (!text.empty()) text += '\n';
    text += canonical_text(ldns_rr_list_rr(list, i), true);
  }
  return text;
}

std::string rcode_name(ldns_pkt_rcode rcode) {
  const auto* entry = ldns_lookup_by_id(ldns_rcodes, static_cast<int>(rcode));
  return entry == nullptr ? fmt::format("RCODE{}", static_cast<int>(rcode)) : entry->name;
}

Result<Packet> query_packet(const std::string& name, const std::string& type, std::uint16_t flags) {
  const auto number = type_from(type);
  if (!number) return configuration_error(fmt::format("'{}' is not a DNS record type", type));
  ldns_pkt* packet = nullptr;
  const auto status = ldns_pkt_query_new_frm_str(&packet, name.c_str(), *number, LDNS_RR_CLASS_IN, flags);
  if (status != LDNS_STATUS_OK) return ldns_error(fmt::format("asking for '{}'", name), status);
  return Packet(packet);
}

Result<ResourceRecord> record_from(const std::string& presentation, std::uint32_t default_ttl) {
  ldns_rr* record = nullptr;
  const auto status = ldns_rr_new_frm_str(&record, presentation.c_str(), default_ttl, nullptr, nullptr);
  if (status != LDNS_STATUS_OK) return ldns_error(fmt::format("'{}' is not a DNS record", presentation), status);
  return ResourceRecord(record);
}

Error internal_trouble(const std::string& action) { return Error{ErrorClass::check, action, {}}; }

Result<std::string> wire_of(const ldns_pkt* packet) {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  const auto status = ldns_pkt2wire(&bytes, packet, &size);
  if (status != LDNS_STATUS_OK) return ldns_error("encoding the message", status);
  std::string wire(bytes, bytes + size);
  std::free(bytes);  // NOLINT: allocated by ldns
  return wire;
}

}  // namespace

Result<std::string> encode(const Question& question) {
  const auto flags = static_cast<std::uint16_t>(question.recursion_desired ? LDNS_RD : 0);
  PATCHLAB_ASSIGN(const auto packet, query_packet(question.name, question.type, flags));
  ldns_pkt_set_id(packet.get(), question.id);
  ldns_pkt_set_edns_udp_size(packet.get(), question.udp_size);
  return wire_of(packet.get());
}

Result<std::string> encode_update(const std::string& zone, Update update, const std::string& record, std::uint16_t id) {
  PATCHLAB_ASSIGN(auto changed, record_from(record, 60));
  // RFC 2136 section 2.5.4: one record is deleted by its value, with the class NONE and without a TTL.
  if (update == Update::remove) {
    ldns_rr_set_class(changed.get(), LDNS_RR_CLASS_NONE);
    ldns_rr_set_ttl(changed.get(), 0);
  }
  const std::unique_ptr<ldns_rr_list, Freer<ldns_rr_list_deep_free>> changes(ldns_rr_list_new());
  if (!changes || !ldns_rr_list_push_rr(changes.get(), changed.get())) return internal_trouble("making an update");
  (void)changed.release();
  auto* name = ldns_dname_new_frm_str(zone.c_str());
  if (name == nullptr) return configuration_error(fmt::format("'{}' is not the name of a zone", zone));
  const Packet packet(ldns_update_pkt_new(name, LDNS_RR_CLASS_IN, nullptr, changes.get(), nullptr));
  if (!packet) {
    ldns_rdf_deep_free(name);
    return internal_trouble("making an update");
  }
  ldns_pkt_set_id(packet.get(), id);
  return wire_of(packet.get());
}

Result<Message> decode(std::string_view wire) {
  ldns_pkt* raw = nullptr;
  const auto status = ldns_wire2pkt(&raw, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size());  // NOLINT
  if (status != LDNS_STATUS_OK) return ldns_error(fmt::format("malformed message of {} bytes", wire.size()), status);
  const Packet packet(raw);
  Message message;
  message.id = ldns_pkt_id(raw);
  message.is_response = ldns_pkt_qr(raw);
  message.is_authoritative = ldns_pkt_aa(raw);
  message.is_truncated = ldns_pkt_tc(raw);
  message.rcode = rcode_name(ldns_pkt_get_rcode(raw));
  message.questions = questions_in(ldns_pkt_question(raw));
  message.answer = records_in(ldns_pkt_answer(raw));
  message.authority = records_in(ldns_pkt_authority(raw));
  return message;
}

Result<ExpectedRecord> parse_record(const std::string& presentation) {
  // The TTL was written when the default does not show.
  PATCHLAB_ASSIGN(const auto record, record_from(presentation, 1));
  PATCHLAB_ASSIGN(const auto other, record_from(presentation, 2));
  ExpectedRecord expected{canonical_text(record.get(), false), std::nullopt};
  if (ldns_rr_ttl(record.get()) == ldns_rr_ttl(other.get())) expected.ttl = ldns_rr_ttl(record.get());
  return expected;
}

Result<std::string> canonical_question(const std::string& name, const std::string& type) {
  PATCHLAB_ASSIGN(const auto packet, query_packet(name, type, 0));
  return questions_in(ldns_pkt_question(packet.get()));
}

// What a zone can hold, and ANY and AXFR, which servers should refuse. Not what is no question (OPT, TSIG).
const std::vector<std::string>& question_types() {
  static const std::vector<std::string> types{
      "A",  "AAAA",  "AFSDB",  "ANY", "AXFR", "CAA",   "CDNSKEY", "CDS",  "CERT",  "CNAME",      "DNAME",      "DNSKEY",
      "DS", "HINFO", "HTTPS",  "LOC", "MX",   "NAPTR", "NS",      "NSEC", "NSEC3", "NSEC3PARAM", "OPENPGPKEY", "PTR",
      "RP", "RRSIG", "SMIMEA", "SOA", "SPF",  "SRV",   "SSHFP",   "SVCB", "TLSA",  "TXT",        "URI"};
  return types;
}

bool is_question_type(const std::string& type) {
  if (std::ranges::count(question_types(), type) > 0) return type_from(type).has_value();
  constexpr std::string_view unknown = "TYPE";  // RFC 3597
  const auto digits = std::string_view(type).substr(std::min(unknown.size(), type.size()));
  if (!type.starts_with(unknown) || digits.empty() || digits.size() > 5 || digits.front() == '0') return false;
  unsigned number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() && number <= 65535;
}

std::vector<std::string> known_rcodes() {
  std::vector<std::string> names;
  for (const auto* entry = ldns_rcodes; entry->name != nullptr; ++entry) names.emplace_back(entry->name);
  return names;
}

bool is_known_rcode(const std::string& rcode) {
  const auto* entry = ldns_lookup_by_name(ldns_rcodes, rcode.c_str());
  return entry != nullptr && rcode == entry->name;
}

}  // namespace patchlab::checks::dns
