// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "checks/socket.hpp"
#include "checks/tftp/packet.hpp"
#include "lab/core/json.hpp"

namespace patchlab::checks::tftp {

struct Wanted {
  Endpoint server;
  std::string source;  // IPv4 that the client speaks from; any when empty
  std::string file;
  Options options;                // asked for: blksize (RFC 2348), tsize (RFC 2349), windowsize (RFC 7440)
  std::uintmax_t most_bytes = 0;  // a longer file is ended by the client
};

// Reads one file, of which nothing is kept but its length and its digest. What is lost is asked for again after a
// second, five times without progress. Never more than one packet for each that comes, and never longer than the
// deadline.
//   {"ended": "whole" | "refused" | "cut-off" | "no-answer" | "malformed" | "too-large" | "network",
//    "granted": {"blksize": 1456, ...} of the options that the server took, "blocks", "bytes", "resent": packets of
//    ours that were sent again, "sha256" of a whole file, "why", "errno" of the network}
// An Error is trouble of this host.
[[nodiscard]] Result<Json> transfer(const Wanted& wanted, const Deadline& deadline);

}  // namespace patchlab::checks::tftp
