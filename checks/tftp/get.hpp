// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::tftp {

// Kind "tftp.get": a machine that starts by the network reads a file (RFC 1350), with the options that its firmware
// asks for (RFC 2347). Parameters:
//   file        "boot\\x64\\wdsnbp.com", as the server names it
//   port        (69)
//   blksize     8 to 65464: bytes of a block (RFC 2348); default: not asked for, and blocks are of 512
//   windowsize  1 to 64: blocks that come before the next word of the client (RFC 7440); default: not asked for
//   tsize       whether the length is asked for, and must be that of the file (RFC 2349; default true)
//   sha256      of the file; default: not looked at
// An option that is asked for must be granted with this very value: what a server makes of it is written by `learn`.
// Observation: {"server", "file"}, and what transfer.hpp says. Files of up to 256 MiB. Reasons of failure:
// connection-refused, no-answer, unreachable, file-refused, transfer-cut-off, malformed-packet, too-large,
// option-refused, option-differs, size-differs, content-differs.
[[nodiscard]] const Check& get();

}  // namespace patchlab::checks::tftp
