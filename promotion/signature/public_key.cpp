// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/signature/public_key.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "promotion/signature/wire.hpp"

namespace patchlab::promotion {
namespace {

NoKey no_key(KeyProblem problem, std::string text) { return {problem, std::move(text)}; }

struct Curve {
  std::string_view name;
  std::size_t point_bytes;  // uncompressed: 04, x, y
};
constexpr std::array curves{Curve{"nistp256", 65}, Curve{"nistp384", 97}, Curve{"nistp521", 133}};

bool is_point(std::optional<std::string_view> point, const Curve& curve) {
  return point && point->size() == curve.point_bytes && point->front() == '\x04';
}

// An mpint (RFC 4251 section 5) that is positive and has no needless zero in front.
bool is_positive(std::optional<std::string_view> number) {
  if (!number || number->empty() || (static_cast<unsigned char>(number->front()) & 0x80U) != 0) return false;
  return number->front() != '\0' || (number->size() > 1 && (static_cast<unsigned char>((*number)[1]) & 0x80U) != 0);
}

unsigned bits_of(std::string_view number) {
  if (number.front() == '\0') number.remove_prefix(1);
  if (number.empty()) return 0;
  return static_cast<unsigned>((number.size() - 1) * 8 +
                               std::bit_width(static_cast<unsigned>(static_cast<unsigned char>(number.front()))));
}

bool is_application(std::optional<std::string_view> text) {
  return text && !text->empty() && text->size() <= 255 && printable(*text) == *text;
}

}  // namespace

bool is_security_key(KeyKind kind) {
  return kind == KeyKind::security_key_ed25519 || kind == KeyKind::security_key_ecdsa;
}

std::variant<PublicKey, NoKey> read_key_blob(std::string_view blob) {
  if (blob.size() > longest_key)
    return no_key(KeyProblem::unreadable, fmt::format("a key of more than {} bytes", longest_key));
  Wire wire(blob);
  const auto type = wire.text();
  if (!type) return no_key(KeyProblem::unreadable, "the key is cut off");
  PublicKey key;
  key.type = *type;
  key.blob = blob;
  const auto broken = [&] {
    return no_key(KeyProblem::unreadable, fmt::format("the key is not a whole {} key", printable(key.type)));
  };
  if (*type == "ssh-ed25519" || *type == "sk-ssh-ed25519@openssh.com") {
    key.kind = *type == "ssh-ed25519" ? KeyKind::ed25519 : KeyKind::security_key_ed25519;
    if (const auto point = wire.text(); !point || point->size() != 32) return broken();
  } else if (*type == "ssh-rsa") {
    key.kind = KeyKind::rsa;
    const auto exponent = wire.text();
    const auto modulus = wire.text();
    if (!is_positive(exponent) || !is_positive(modulus) || !wire.ended()) return broken();
    key.bits = bits_of(*modulus);
    if (key.bits < least_rsa_bits) {
      return no_key(KeyProblem::weak, fmt::format("an RSA key of {} bits; {} are needed", key.bits, least_rsa_bits));
    }
  } else if (*type == "sk-ecdsa-sha2-nistp256@openssh.com") {
    key.kind = KeyKind::security_key_ecdsa;
    if (wire.text() != curves[0].name || !is_point(wire.text(), curves[0])) return broken();
  } else if (type->starts_with("ecdsa-sha2-") && type->find('@') == std::string_view::npos) {
    key.kind = KeyKind::ecdsa;
    const auto name = type->substr(std::string_view("ecdsa-sha2-").size());
    const auto* curve = std::ranges::find(curves, name, &Curve::name);
    if (curve == curves.end() || wire.text() != name || !is_point(wire.text(), *curve)) return broken();
  } else if (*type == "ssh-dss") {
    return no_key(KeyProblem::weak, "a DSA key, which is too short");
  } else {
    return no_key(KeyProblem::kind, fmt::format("a key of type '{}', which is not known", printable(key.type)));
  }
  if (is_security_key(key.kind)) {
    const auto application = wire.text();
    if (!is_application(application)) return broken();
    key.application = *application;
  }
  if (!wire.ended()) return broken();
  return key;
}

std::variant<PublicKey, NoKey> read_key_text(std::string_view type, std::string_view encoded) {
  // Before it is decoded: what is longer is no key.
  const auto blob = encoded.size() > longest_key * 2 ? std::nullopt : from_base64(encoded);
  if (!blob) return no_key(KeyProblem::unreadable, "the key is not base64 of a public key");
  auto key = read_key_blob(*blob);
  if (const auto* read = std::get_if<PublicKey>(&key); read != nullptr && read->type != type) {
    return no_key(KeyProblem::unreadable,
                  fmt::format("the line says '{}', the key itself '{}'", printable(type), printable(read->type)));
  }
  return key;
}

Result<PublicKey> read_public_key_file(std::string_view text, const std::string& file_name) {
  const auto refused = [&](const std::string& why) -> Error {
    return configuration_error(fmt::format("{}: {}", printable(file_name), why),
                               "give the .pub file that ssh-keygen made: one line 'TYPE BASE64 COMMENT'");
  };
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return refused("is a private key");
  auto line = trimmed(text, " \t\r\n");
  if (line.empty() || line.find('\n') != std::string_view::npos) return refused("must have one line");
  const auto first = line.find(' ');
  if (first == std::string_view::npos) return refused("is no public key");
  const auto type = line.substr(0, first);
  line.remove_prefix(first + 1);
  auto key = read_key_text(type, line.substr(0, line.find(' ')));
  if (const auto* none = std::get_if<NoKey>(&key)) return refused(none->text);
  return std::get<PublicKey>(std::move(key));
}

std::string to_string(const PublicKey& key) { return key.type + " " + base64(key.blob); }

std::string fingerprint(const PublicKey& key) {
  const auto hex = sha256(key.blob);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  auto text = base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

}  // namespace patchlab::promotion
