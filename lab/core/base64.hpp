// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace patchlab {

// RFC 4648 section 4, with padding: how bytes are carried in JSON.
[[nodiscard]] std::string base64(std::string_view bytes);
// Nothing for anything that `base64` could not have written (a cut or garbled reply must not pass for data, and a key
// has one spelling).
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace patchlab
