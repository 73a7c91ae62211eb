// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::ldap {

// Kind "ldap.locator": the question by UDP with which clients find out whether a machine is a controller of their
// domain, and which one ([MS-ADTS] 6.3.3), and what the controller says of itself. Parameters:
//   domain          "office.example"
//   port            389
//   host            "dc1.office.example"; this and the following: default not looked at, in any case of letters
//   forest          "office.example"
//   netbios_domain  "OFFICE"
//   netbios_name    "DC1", up to 15 bytes
//   site            "Default-First-Site-Name"
//   flags           ["kdc", "writable"]: each must be set, by the names of netlogon.cpp; more may be
// Observation: {"server", "requests", "errno", "strays", "netlogon": hexadecimal digits, or null when the server has
// nothing to do with the domain}. Reasons of failure: connection-refused, no-answer, unreachable, malformed-reply,
// not-of-the-domain, domain-differs, host-differs, forest-differs, netbios-domain-differs, netbios-name-differs,
// site-differs, flag-missing.
[[nodiscard]] const Check& locator();

}  // namespace patchlab::checks::ldap
