// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

// Public keys as OpenSSH writes them: read, compared and shown, never computed with.
namespace patchlab::promotion {

enum class KeyKind { ed25519, rsa, ecdsa, security_key_ed25519, security_key_ecdsa };
[[nodiscard]] bool is_security_key(KeyKind kind);

struct PublicKey {
  KeyKind kind = KeyKind::ed25519;
  std::string type;         // "ssh-ed25519", as in the file
  std::string blob;         // RFC 4253 section 6.6: what the base64 holds. The identity of the key
  unsigned bits = 0;        // of an RSA modulus; 0 of others
  std::string application;  // of a security key: "ssh:", or the host name that a browser enrolled it for
  bool operator==(const PublicKey& other) const { return blob == other.blob; }
};

enum class KeyProblem {
  unreadable,  // no base64, or not what its type says
  kind,        // a certificate, DSA or anything that is not known
  weak,        // an RSA key below 3072 bits
};
struct NoKey {
  KeyProblem problem = KeyProblem::unreadable;
  std::string text;  // for the reader: "an RSA key of 2048 bits; 3072 are needed"
};
inline constexpr unsigned least_rsa_bits = 3072;
inline constexpr std::size_t longest_key = 4096;  // bytes of the blob: an RSA key of 16384 bits has about 2100

// Of the blob alone, which may be anybody's bytes.
[[nodiscard]] std::variant<PublicKey, NoKey> read_key_blob(std::string_view blob);
// Of type and base64, as they stand in a line of a .pub file or of allowed_signers.
[[nodiscard]] std::variant<PublicKey, NoKey> read_key_text(std::string_view type, std::string_view encoded);
// A .pub file: one line, the comment is thrown away. An error (configuration) names `file_name`.
[[nodiscard]] Result<PublicKey> read_public_key_file(std::string_view text, const std::string& file_name);

// "ssh-ed25519 AAAA...", without a comment.
[[nodiscard]] std::string to_string(const PublicKey& key);
// "SHA256:...", as ssh-keygen -l prints it.
[[nodiscard]] std::string fingerprint(const PublicKey& key);

}  // namespace patchlab::promotion
