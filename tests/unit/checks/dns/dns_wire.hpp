// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Writes DNS messages byte by byte, independently of ldns, so that tests can also write wrong ones.
namespace patchlab::checks::dns {

inline std::string u16(unsigned value) { return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)}; }
inline std::string u32(unsigned value) { return u16(value >> 16U) + u16(value & 0xFFFFU); }

inline std::string wire_name(const std::string& name) {
  std::string wire;
  std::size_t start = 0;
  while (start < name.size()) {
    const auto dot = std::min(name.find('.', start), name.size());
    wire += static_cast<char>(dot - start);
    wire += name.substr(start, dot - start);
    start = dot + 1;
  }
  return wire + std::string(1, '\0');
}

struct WireRecord {
  std::string owner;
  unsigned type = 1;
  unsigned ttl = 300;
  std::string data;
};
inline WireRecord wire_a(const std::string& owner, const std::string& four_bytes, unsigned ttl = 300) {
  return {owner, 1, ttl, four_bytes};
}
inline WireRecord wire_cname(const std::string& owner, const std::string& other) {
  return {owner, 5, 300, wire_name(other)};
}
inline WireRecord wire_soa(const std::string& zone) {
  return {zone, 6, 300,
          wire_name("ns." + zone) + wire_name("root." + zone) + u32(1) + u32(2) + u32(3) + u32(4) + u32(5)};
}

struct WireMessage {
  unsigned id = 0x1234;
  unsigned flags = 0x8580;  // QR AA RD RA, NOERROR
  std::string name = "www.corp.example";
  unsigned type = 1;
  std::vector<WireRecord> answer;
  std::vector<WireRecord> authority;

  [[nodiscard]] std::string bytes() const {
    std::string wire = u16(id) + u16(flags) + u16(1) + u16(static_cast<unsigned>(answer.size())) +
                       u16(static_cast<unsigned>(authority.size())) + u16(0) + wire_name(name) + u16(type) + u16(1);
    for (const auto* section : {&answer, &authority}) {
      for (const auto& record : *section) {
        wire += wire_name(record.owner) + u16(record.type) + u16(1) + u32(record.ttl) +
                u16(static_cast<unsigned>(record.data.size())) + record.data;
      }
    }
    return wire;
  }
};

}  // namespace patchlab::checks::dns
