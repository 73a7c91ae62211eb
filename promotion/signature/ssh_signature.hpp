// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "promotion/signature/public_key.hpp"

// Signatures of ssh-keygen -Y (OpenSSH PROTOCOL.sshsig), taken apart. Whether one is good only ssh-keygen says
// (ssh_keygen.hpp); this says whose key, for what, and what a security key saw, which ssh-keygen does not ask about.
namespace patchlab::promotion {

// What a security key put under its signature (OpenSSH PROTOCOL.u2f; WebAuthn level 2 section 6.1).
struct SecurityKeyUse {
  std::uint8_t flags = 0;
  std::uint32_t counter = 0;
  std::string origin;  // of a signature made in a browser: the page; else empty
  // Somebody touched it (UP, bit 0).
  [[nodiscard]] bool touched() const { return (flags & 0x01U) != 0; }
  // It made sure who (UV, bit 2): by PIN or fingerprint.
  [[nodiscard]] bool verified() const { return (flags & 0x04U) != 0; }
  bool operator==(const SecurityKeyUse&) const = default;
};

struct SshSignature {
  PublicKey key;
  std::string name_space;                      // "patchlab.approve.v1"
  std::string hash;                            // sha256 or sha512
  std::string algorithm;                       // "ssh-ed25519", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
  std::optional<SecurityKeyUse> security_key;  // exactly when the key is one
};

inline constexpr std::size_t longest_signature = 32U << 10U;  // bytes of the armoured text

// An armoured signature, as in a .sig file: nothing before or behind it, no unknown version, key, hash or algorithm,
// no algorithm that does not fit the key, nothing left over. An error (configuration) names `file_name`. Takes time in
// proportion to the bytes, which may be anybody's.
[[nodiscard]] Result<SshSignature> read_ssh_signature(std::string_view armoured, const std::string& file_name);

}  // namespace patchlab::promotion
