// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"
#include "checks/dns/lookup.hpp"

namespace patchlab::checks::dns {

// "dns.records": everything that a zone says, as its export lists it. For each name and type in the list one question;
// the answer must be exactly the records of the list. Parameters:
//   records     ["www.corp.example. 3600 CNAME portal.corp.example.", ...] in presentation form (RFC 1035 section 5.1),
//               with names written out; a TTL is compared as by "dns.query"
//   transports  default ["udp"]: some of "udp", "tcp"; each question goes over each
//   expect_aa   default: not looked at
//   port        default 53
// Observation: {"lookups": [{"name", "type", and that of lookup.hpp}]}, up to the first that nobody answered.
// Reasons of failure: those of "dns.query", of the first answer that differs; "observed" names all that do.
[[nodiscard]] const Check& records();

// One lookup over UDP for each name and type of the parameter "records", which is required; reads "port" besides.
[[nodiscard]] std::vector<Lookup> read_record_lookups(JsonReader& reader);

}  // namespace patchlab::checks::dns
