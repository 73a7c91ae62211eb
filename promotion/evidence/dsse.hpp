// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

// DSSE envelopes (github.com/secure-systems-lab/dsse, protocol 1.0.2 and JSON envelope) for tools that know no SSHSIG.
// Ed25519 by OpenSSL, so that `openssl pkeyutl -verify -rawin` is enough to check one.
namespace patchlab::promotion {

inline constexpr const char* in_toto_payload = "application/vnd.in-toto+json";

// What is signed: "DSSEv1 <length> <type> <length> <payload>", lengths in bytes.
[[nodiscard]] std::string pre_authentication_encoding(std::string_view type, std::string_view payload);

class DsseKey {
 public:
  // A private Ed25519 key in PEM (PKCS#8) without a password. An error (configuration) says what it is instead, and
  // how to make one.
  [[nodiscard]] static Result<DsseKey> read(const std::filesystem::path& file);

  // SHA-256 of the public key in DER, as `openssl pkey -in KEY -pubout -outform DER | sha256sum` has it: a hint for who
  // verifies, and no proof.
  [[nodiscard]] const std::string& id() const { return id_; }
  // The envelope, one line with its newline.
  [[nodiscard]] Result<std::string> envelope(std::string_view type, std::string_view payload) const;

 private:
  struct Key;
  explicit DsseKey(std::shared_ptr<const Key> key, std::string id) : key_(std::move(key)), id_(std::move(id)) {}
  std::shared_ptr<const Key> key_;
  std::string id_;
};

}  // namespace patchlab::promotion
