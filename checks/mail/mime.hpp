// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchlab::checks::mail {

// The value of a parameter (RFC 2045 section 5.1), with or without quotes; empty: it has none of that name.
[[nodiscard]] std::string mime_parameter(std::string_view value, const std::string& name);
// RFC 2046 section 5.1.1: what is between lines "--boundary", up to "--boundary--"; twenty at most.
[[nodiscard]] std::vector<std::string> mime_parts(const std::string& body, const std::string& boundary);

// What a reader sees of a message: its text, or that of each of its parts, with the encoding for the way undone (RFC
// 2045 section 6). What has none that is known stands as it travelled.
[[nodiscard]] std::string readable_text(const std::string& message);

}  // namespace patchlab::checks::mail
