// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::dhcp {

// One option as a scenario names it: by its IANA name ("routers", "domain-name-servers") or its number ("43").
struct OptionKind {
  enum class Form { address, addresses, text, seconds, number16, bytes };
  std::uint8_t code = 0;
  Form form = Form::bytes;  // options given by number are hex digits
};
[[nodiscard]] std::optional<OptionKind> option_kind(const std::string& name);
// All names, for messages to the reader.
[[nodiscard]] std::string known_option_names();

// The bytes which the option must have to equal `value` of the scenario; the error says what form is needed.
[[nodiscard]] Result<std::string> option_bytes(const OptionKind& kind, const Json& value);

// As a scenario writes it: the name, or the number with hex digits, and the value.
struct WrittenOption {
  std::string name;
  Json value;
};
[[nodiscard]] WrittenOption written_option(std::uint8_t code, const std::string& bytes);

// For the reader: "routers 10.20.0.1".
[[nodiscard]] std::string option_text(std::uint8_t code, const std::string& bytes);
[[nodiscard]] std::string option_value_text(const OptionKind& kind, const std::string& bytes);

}  // namespace patchlab::checks::dhcp
