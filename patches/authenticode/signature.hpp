// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab::patches {

// A signature that does not verify is no state: such a file is refused whatever the policy says.
enum class SignatureState {
  valid,        // verified against the CA bundle
  none,         // the file carries no signature; accepted because unsigned files were allowed
  not_checked,  // it carries one, nobody named a CA bundle, and unsigned files were allowed
};
[[nodiscard]] const char* to_string(SignatureState state);

// What was found of an Authenticode signature. Part of a candidate's metadata.
struct Signature {
  SignatureState state = SignatureState::none;
  std::string signer;  // distinguished name of the certificate
  std::string issuer;
  std::string digest;     // "SHA256"
  std::string timestamp;  // when a time-stamping authority saw it; empty without a countersignature
  std::string tool;       // what verified it: "osslsigncode 2.9"
  std::string ca_bundle_sha256;
  bool operator==(const Signature&) const = default;
};

// "signed by '/CN=...', SHA256, Nov 24 23:19:06 2026 GMT", "not signed (allowed)", ...
[[nodiscard]] std::string describe(const Signature& signature);

// Whether its certificate names this organisation, exactly and no other one, however OpenSSL wrote the name.
[[nodiscard]] bool is_of(const Signature& signature, std::string_view organisation);

void to_json(Json& json, const Signature& signature);
[[nodiscard]] Signature signature_from(const Json& json, const std::string& pointer,
                                       std::vector<JsonProblem>& problems);

}  // namespace patchlab::patches
