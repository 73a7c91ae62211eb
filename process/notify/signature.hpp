// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lab/core/result.hpp"

// How a receiver knows that an event is from here and is not an old one sent again: the headers of Standard Webhooks
// (standardwebhooks.com), for which there are libraries in many languages. Pure.
namespace patchlab::process {

// The bytes of "whsec_" and base64, 24 to 64 of them. The error (configuration) does not show it.
[[nodiscard]] Result<std::string> webhook_key(std::string_view secret);
// "v1," and the HMAC-SHA256 of "ID.TIMESTAMP.BODY" in base64.
[[nodiscard]] std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t timestamp,
                                            std::string_view body);

}  // namespace patchlab::process
