// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab {

inline constexpr const char* redacted = "[redacted]";

// Takes secrets out of what is written down. Values; safe to use from several threads.
class Redactor {
 public:
  Redactor() = default;
  // A secret of less than four characters is none, nor is one that is also a word of `known`: what is written without
  // it would not be what was seen, and it can be read elsewhere anyway. One of less than eight characters is found
  // where it stands alone, not within a longer word or number.
  explicit Redactor(const std::set<std::string>& secrets, const std::vector<std::string>& known = {});

  // As it is written, in base64 at any alignment (as SMTP and HTTP send it) and in hexadecimal digits.
  [[nodiscard]] std::string text(std::string_view text) const;
  // All strings in it, keys too.
  void apply(Json& json) const;

 private:
  struct Form {
    std::string bytes;
    bool alone = false;
    bool any_case = false;
  };
  [[nodiscard]] static std::size_t find(std::string_view text, const Form& form, std::size_t from);
  std::vector<Form> forms_;  // longest first
};

// Values of keys that name a secret ("password", "passphrase", "secret", in any case and as a part of a longer key), in
// all of `json`.
[[nodiscard]] std::set<std::string> secrets_in(const Json& json);
// Every text below a key that is "password", "passphrase" or "secret", in any case, becomes `redacted`: for what is
// printed, where a name may have one of these words in it (a package, a check) and is none.
void redact_named(Json& json);
// All other strings in it, and all keys.
[[nodiscard]] std::vector<std::string> words_besides_secrets(const Json& json);

}  // namespace patchlab
