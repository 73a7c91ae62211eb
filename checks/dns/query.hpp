// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::dns {

// "dns.query": one question to the DNS server, once, over one transport, and the exact set of records in its answer
// section. Parameters:
//   name              the name asked for, absolute: "www.corp.example"
//   type              "A", "PTR", "MX", "SRV", "CNAME" ...
//   transport         "udp" (default) or "tcp"
//   expect            the records of the answer section in presentation form, in any order, a CNAME chain included:
//                     "www.corp.example. CNAME web.corp.example." ; with a TTL ("... 300 IN A ...") the answer's may
//                     not be larger, and must be that where the server speaks with authority. Default: none.
//   expect_rcode      default "NOERROR"
//   expect_aa         whether the answer must be authoritative; not looked at when absent
//   expect_negative_ttl  for how many seconds it may be kept that there is nothing (RFC 2308 section 5), exactly; not
//                     looked at when absent
//   expect_truncated  default false; true: over UDP the answer is cut and says so, and the same question over TCP has
//                     the whole one
//   recursion_desired default true, as a stub resolver asks
//   udp_size          EDNS0 payload size, default 1232; 0 asks without EDNS0
//   port              default 53
// Observation: see exchange.hpp, plus "transport", "server", and "reply_text" for the reader.
[[nodiscard]] const Check& query();

}  // namespace patchlab::checks::dns
