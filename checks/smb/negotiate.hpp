// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchlab::checks::smb {

// The first exchange of an SMB connection, with one dialect offered: [MS-SMB2] 2.2.3 and 2.2.4 for 2.0.2 to 3.1.1,
// [MS-CIFS] 2.2.4.52 for SMB 1 ("NT LM 0.12"). Messages are without the four bytes of length before each.

struct Dialect {
  std::string name;       // "1", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"
  unsigned revision = 0;  // [MS-SMB2] 2.2.3; 0 for SMB 1
};
// All that are known, oldest first.
[[nodiscard]] const std::vector<Dialect>& dialects();

// Offers encryption with the ciphers of [MS-SMB2] 2.2.3.1.2. `random` gives the client's GUID and the salt of 3.1.1's
// pre-authentication integrity: 48 bytes.
[[nodiscard]] std::string negotiate_request(const Dialect& dialect, std::string_view random);

struct NegotiateReply {
  bool accepted = false;  // the server speaks this dialect
  bool signing_required = false;
  bool encrypts = false;  // SMB 3 alone
  std::string text;       // for the reader: "3.1.1, signing required", "STATUS_NOT_SUPPORTED (0xc00000bb)"
};
// Nothing when the bytes are no answer to such a request.
[[nodiscard]] std::optional<NegotiateReply> read_negotiate_reply(const Dialect& dialect, std::string_view message);

}  // namespace patchlab::checks::smb
