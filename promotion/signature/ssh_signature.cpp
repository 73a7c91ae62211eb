// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/signature/ssh_signature.hpp"

#include "lab/core/base64.hpp"
#include "lab/core/printable.hpp"
#include "promotion/signature/wire.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::string_view begin_line = "-----BEGIN SSH SIGNATURE-----\n";
constexpr std::string_view end_line = "-----END SSH SIGNATURE-----\n";
constexpr std::size_t longest_line = 76;  // RFC 2045; ssh-keygen writes 70
constexpr const char* webauthn = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";

// The base64 between the two lines, in one piece; empty when the text is no armour.
std::string unarmoured(std::string_view text) {
  if (text.size() < begin_line.size() + end_line.size() || !text.starts_with(begin_line) || !text.ends_with(end_line))
    return {};
  text.remove_prefix(begin_line.size());
  text.remove_suffix(end_line.size());
  std::string joined;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos || end == 0 || end > longest_line) return {};
    joined += text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  return joined;
}

bool fits(const PublicKey& key, std::string_view algorithm) {
  switch (key.kind) {
    case KeyKind::ed25519:
    case KeyKind::ecdsa:
    case KeyKind::security_key_ed25519: return algorithm == key.type;
    case KeyKind::rsa: return algorithm == "rsa-sha2-256" || algorithm == "rsa-sha2-512";  // "ssh-rsa" is SHA-1
    case KeyKind::security_key_ecdsa: return algorithm == key.type || algorithm == webauthn;
  }
  return false;
}

}  // namespace

Result<SshSignature> read_ssh_signature(std::string_view armoured, const std::string& file_name) {
  const auto refused = [&](const std::string& why) -> Error {
    return configuration_error(fmt::format("{}: is no usable signature: {}", printable(file_name), why),
                               "it is made by: ssh-keygen -Y sign -f KEY -n NAMESPACE STATEMENT");
  };
  if (armoured.size() > longest_signature) return refused("it is too long");
  const auto encoded = unarmoured(armoured);
  if (encoded.empty()) return refused("it does not stand alone between its BEGIN and END lines");
  const auto blob = from_base64(encoded);
  if (!blob) return refused("its text is not base64");

  Wire wire(*blob);
  const auto magic = wire.bytes(6);
  const auto version = wire.number();
  const auto key_blob = wire.text();
  const auto name_space = wire.text();
  const auto reserved = wire.text();
  const auto hash = wire.text();
  const auto body = wire.text();
  if (magic != "SSHSIG") return refused("it does not begin as one");
  if (!wire.ended()) return refused("it is cut off, or something follows");
  if (version != 1U) return refused(fmt::format("its version {} is not known", *version));
  auto key = read_key_blob(*key_blob);
  if (const auto* none = std::get_if<NoKey>(&key)) return refused(none->text);
  SshSignature signature{std::get<PublicKey>(std::move(key)), std::string(*name_space), std::string(*hash), {}, {}};
  if (signature.name_space.empty() || printable(signature.name_space) != signature.name_space)
    return refused("its namespace is not a plain word");
  if (!reserved->empty()) return refused("it uses what is reserved");
  if (signature.hash != "sha256" && signature.hash != "sha512")
    return refused(fmt::format("its hash '{}' is not known", printable(signature.hash)));

  Wire inner(*body);
  const auto algorithm = inner.text();
  const auto value = inner.text();
  if (!algorithm || !value || value->empty()) return refused("it is cut off");
  signature.algorithm = *algorithm;
  if (!fits(signature.key, signature.algorithm)) {
    return refused(fmt::format("its algorithm '{}' does not belong to a key of type '{}'",
                               printable(signature.algorithm), signature.key.type));
  }
  if (is_security_key(signature.key.kind)) {
    const auto flags = inner.byte();
    const auto counter = inner.number();
    if (!flags || !counter) return refused("it lacks what the security key saw");
    signature.security_key = SecurityKeyUse{*flags, *counter, {}};
    if (signature.algorithm == webauthn) {
      const auto origin = inner.text();
      const auto client_data = inner.text();
      const auto extensions = inner.text();
      if (!origin || !client_data || !extensions || printable(*origin) != *origin)
        return refused("it lacks what the browser signed");
      signature.security_key->origin = *origin;
    }
  }
  if (!inner.ended()) return refused("something follows the signature itself");
  return signature;
}

}  // namespace patchlab::promotion
