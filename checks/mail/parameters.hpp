// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::mail {

// Text that goes into a command line of a protocol: a line end in it would be a command of its own.
[[nodiscard]] inline std::string read_plain_text(JsonReader& reader, const std::string& key) {
  auto text = reader.text(key);
  if (reader.has(key) && text.empty()) reader.problem(key, "must not be empty");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; })) {
    reader.problem(key, "must be one line");
  }
  return text;
}

[[nodiscard]] inline std::string read_mail_address(JsonReader& reader, const std::string& key) {
  auto address = read_plain_text(reader, key);
  const auto at = address.find('@');
  const bool plausible = at != 0 && at != std::string::npos && at + 1 < address.size() &&
                         address.find_first_of(" <>\t") == std::string::npos;
  if (!address.empty() && !plausible) {
    reader.problem(key, "must be a plain mail address such as \"alice@corp.example\", found \"" + address + "\"");
  }
  return address;
}

}  // namespace patchlab::checks::mail
