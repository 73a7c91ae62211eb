// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/authenticode/signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

constexpr std::array states{SignatureState::valid, SignatureState::none, SignatureState::not_checked};

template <class Value, class Visit>
void each_text(Value& signature, const Visit& visit) {
  visit("signer", signature.signer);
  visit("issuer", signature.issuer);
  visit("digest", signature.digest);
  visit("timestamp", signature.timestamp);
  visit("tool", signature.tool);
  visit("ca_bundle_sha256", signature.ca_bundle_sha256);
}

}  // namespace

const char* to_string(SignatureState state) {
  switch (state) {
    case SignatureState::valid: return "valid";
    case SignatureState::none: return "none";
    case SignatureState::not_checked: return "not-checked";
  }
  return "none";
}

std::string describe(const Signature& signature) {
  switch (signature.state) {
    case SignatureState::valid:
      return fmt::format("signed by '{}', {}, {}", signature.signer, signature.digest,
                         signature.timestamp.empty() ? "without a timestamp" : "timestamp " + signature.timestamp);
    case SignatureState::none: return "not signed (allowed)";
    case SignatureState::not_checked: return "signed, not verified (allowed)";
  }
  return {};
}

bool is_of(const Signature& signature, std::string_view organisation) {
  const auto name = trimmed(signature.signer);
  std::size_t organisations = 0;
  bool is_it = false;
  // "/C=US/O=Microsoft Corporation/CN=...", or "C = US, O = Microsoft Corporation, CN = ...".
  for (const auto part : split(name, name.starts_with('/') ? '/' : ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || trimmed(part.substr(0, equals)) != "O") continue;
    ++organisations;
    is_it = trimmed(part.substr(equals + 1)) == organisation;
  }
  return organisations == 1 && is_it;
}

void to_json(Json& json, const Signature& signature) {
  json = Json{{"state", to_string(signature.state)}};
  each_text(signature, [&](const char* key, const std::string& text) { json[key] = to_valid_utf8(text); });
}

Signature signature_from(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Signature signature;
  const auto word = reader.text("state");
  const auto known = std::find_if(states.begin(), states.end(), [&](auto state) { return word == to_string(state); });
  if (known == states.end())
    reader.problem("state", fmt::format("'{}' is unknown; allowed: valid, none, not-checked", word));
  else
    signature.state = *known;
  each_text(signature, [&](const char* key, std::string& text) { text = reader.text_or(key, ""); });
  reader.finish();
  return signature;
}

}  // namespace patchlab::patches
