// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/redaction.hpp"

#include <algorithm>
#include <cctype>
#include <functional>

#include "lab/core/base64.hpp"
#include "lab/core/text.hpp"

namespace patchlab {
namespace {
constexpr std::size_t shortest = 4;
constexpr std::size_t long_enough = 8;

bool is_of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// The characters that depend on the secret alone, when `before` bytes (modulo 3) go before it.
std::string base64_core(const std::string& secret, std::size_t before) {
  const auto text = base64(std::string(before, '\0') + secret);
  const auto first = (8 * before + 5) / 6;
  const auto last = 8 * (before + secret.size()) / 6;
  return text.substr(first, last - first);
}

std::string hex_of(const std::string& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4U];
    text += digits[static_cast<unsigned char>(byte) & 0xFU];
  }
  return text;
}

bool names_a_secret(const std::string& key) {
  const auto plain = lower_case(key);
  return std::ranges::any_of(std::vector<std::string_view>{"password", "passphrase", "secret"},
                             [&](auto word) { return plain.find(word) != std::string::npos; });
}

void strings_in(const Json& json, const std::function<void(const std::string&)>& take) {
  if (json.is_string()) take(json.get_ref<const std::string&>());
  if (!json.is_structured()) return;
  for (const auto& item : json) strings_in(item, take);
}
}  // namespace

Redactor::Redactor(const std::set<std::string>& secrets, const std::vector<std::string>& known) {
  for (const auto& secret : secrets) {
    const Form plain{secret, secret.size() < long_enough, false};
    if (secret.size() < shortest) continue;
    if (std::ranges::any_of(known, [&](const auto& word) { return find(word, plain, 0) != std::string::npos; }))
      continue;
    forms_.push_back(plain);
    if (plain.alone) continue;  // too few characters to be recognised in another form
    for (std::size_t before = 0; before < 3; ++before) forms_.push_back({base64_core(secret, before), false, false});
    forms_.push_back({hex_of(secret), false, true});
  }
  std::ranges::stable_sort(forms_, std::greater{}, [](const Form& form) { return form.bytes.size(); });
}

std::size_t Redactor::find(std::string_view text, const Form& form, std::size_t from) {
  const auto same = [&](char a, char b) {
    return a == b || (form.any_case && std::tolower(static_cast<unsigned char>(a)) == b);
  };
  for (;;) {
    const auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), form.bytes.begin(),
                                   form.bytes.end(), same);
    if (found == text.end()) return std::string::npos;
    const auto at = static_cast<std::size_t>(found - text.begin());
    const auto end = at + form.bytes.size();
    const bool within = (at > 0 && is_of_a_word(text[at - 1])) || (end < text.size() && is_of_a_word(text[end]));
    if (!form.alone || !within) return at;
    from = at + 1;
  }
}

std::string Redactor::text(std::string_view text) const {
  std::string result(text);
  for (const auto& form : forms_) {
    for (auto at = find(result, form, 0); at != std::string::npos;) {
      result.replace(at, form.bytes.size(), redacted);
      at = find(result, form, at + std::string_view(redacted).size());
    }
  }
  return result;
}

void Redactor::apply(Json& json) const {
  if (forms_.empty()) return;
  if (json.is_string()) {
    auto& value = json.get_ref<std::string&>();
    value = text(value);
  } else if (json.is_array()) {
    for (auto& item : json) apply(item);
  } else if (json.is_object()) {
    Json changed = Json::object();
    for (auto& [key, value] : json.items()) {
      apply(value);
      changed[text(key)] = std::move(value);
    }
    json = std::move(changed);
  }
}

std::set<std::string> secrets_in(const Json& json) {
  std::set<std::string> secrets;
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (names_a_secret(key))
        strings_in(value, [&](const auto& text) { secrets.insert(text); });
      else
        secrets.merge(secrets_in(value));
    }
  } else if (json.is_array()) {
    for (const auto& item : json) secrets.merge(secrets_in(item));
  }
  return secrets;
}

void redact_named(Json& json) {
  const std::function<void(Json&)> hide = [&](Json& value) {
    if (value.is_string()) value = redacted;
    if (value.is_structured()) std::ranges::for_each(value, hide);
  };
  if (json.is_array()) std::ranges::for_each(json, redact_named);
  if (!json.is_object()) return;
  for (auto& [key, value] : json.items()) {
    const auto name = lower_case(key);
    if (name == "password" || name == "passphrase" || name == "secret")
      hide(value);
    else
      redact_named(value);
  }
}

std::vector<std::string> words_besides_secrets(const Json& json) {
  std::vector<std::string> words;
  const auto add = [&](const Json& inner) {
    std::ranges::move(words_besides_secrets(inner), std::back_inserter(words));
  };
  if (json.is_string()) words.push_back(json.get<std::string>());
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      words.push_back(key);
      if (!names_a_secret(key)) add(value);
    }
  } else if (json.is_array()) {
    for (const auto& item : json) add(item);
  }
  return words;
}

}  // namespace patchlab
