// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::mail {

// Text that goes into a command line of a protocol: a line end in it would be a command of its own (TextRule).
[[nodiscard]] inline std::string why_not_one_line(const std::string& text) {
  if (text.empty()) return "must not be empty";
  const bool is_line = std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return is_line ? "" : "must be one line";
}

[[nodiscard]] inline std::string read_plain_text(JsonReader& reader, const std::string& key) {
  return reader.text(key, why_not_one_line);
}

[[nodiscard]] inline std::string read_mail_address(JsonReader& reader, const std::string& key) {
  return reader.text(key, [](const std::string& address) {
    const auto at = address.find('@');
    const bool plausible = at != 0 && at != std::string::npos && at + 1 < address.size() &&
                           address.find_first_of(" <>\t\r\n") == std::string::npos;
    return plausible ? "" : "must be a plain mail address such as \"alice@corp.example\", found \"" + address + "\"";
  });
}

}  // namespace patchlab::checks::mail
