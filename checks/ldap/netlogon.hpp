// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// What clients ask by UDP to find a controller ([MS-ADTS] 6.3.3, RFC 1798), as values.
namespace patchlab::checks::ldap {

// The search for the attribute "Netlogon" of the server itself, one message of LDAP. `id` is 1 to 2^31-1.
[[nodiscard]] Result<std::string> locator_request(int id, const std::string& domain);

// What a datagram says to that search: no entry when the server has nothing to do with the domain.
struct LocatorReply {
  int id = 0;
  std::optional<std::string> netlogon;  // the attribute's bytes
};
// Nothing when it is no reply.
[[nodiscard]] std::optional<LocatorReply> locator_reply_in(std::string_view datagram);

// NETLOGON_SAM_LOGON_RESPONSE_EX ([MS-ADTS] 6.3.1.9).
struct Located {
  std::uint16_t operation = 0;     // 23: the user, if one was named, is there; 25: not
  std::vector<std::string> flags;  // by name ([MS-ADTS] 6.3.1.2): "pdc", "gc", "ldap", "ds", "kdc" ...; sorted
  std::string domain_guid;         // 32 hexadecimal digits, as they came
  std::string forest;              // "office.example"
  std::string domain;
  std::string host;            // "dc1.office.example"
  std::string netbios_domain;  // "OFFICE"
  std::string netbios_name;    // "DC1"
  std::string user;
  std::string site;         // of the controller
  std::string client_site;  // of who asked
};
// All of it, to the last byte: nothing when something is missing, left over, or not as it should be. Names may point
// back to earlier ones (RFC 1035 section 4.1.4), never on. Cost is in proportion to the bytes, of which there may be
// 4096.
[[nodiscard]] std::optional<Located> located_in(std::string_view bytes);

// Whether it is the name of a flag.
[[nodiscard]] bool is_controller_flag(const std::string& name);

}  // namespace patchlab::checks::ldap
