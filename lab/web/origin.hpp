// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab::lab::web {

// Where the pages are for browsers (RFC 6454): signatures of security keys are bound to it, so its host name must last.
struct Origin {
  std::string text;  // "https://desk.xavier.example", "http://localhost:8443"
  std::string host;  // as in the Host header: "localhost:8443"
  std::string name;  // of the host alone: what WebAuthn calls the RP ID, and the key's application
  bool operator==(const Origin&) const = default;
};

// https, or http of localhost: browsers offer security keys to nobody else. A name, no address, in lower case, with its
// port when that is not the scheme's own, and nothing behind. An error (configuration) says which of these it is not.
[[nodiscard]] Result<Origin> read_origin(std::string_view text);

}  // namespace patchlab::lab::web
