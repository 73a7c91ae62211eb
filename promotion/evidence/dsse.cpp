// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/dsse.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_key_file = 64U << 10U;

template <auto Free>
struct FreeWith {
  template <class Thing>
  void operator()(Thing* thing) const {
    Free(thing);
  }
};
using Bytes = std::unique_ptr<BIO, FreeWith<&BIO_free>>;
using Signing = std::unique_ptr<EVP_MD_CTX, FreeWith<&EVP_MD_CTX_free>>;

// Instead of asking at the terminal.
int no_password(char*, int, int, void*) { return 0; }

Error no_key(const std::filesystem::path& file, const char* why) {
  return configuration_error(fmt::format("'{}' {}", file.string(), why),
                             "make a key with: openssl genpkey -algorithm ed25519 -out KEY.pem");
}

}  // namespace

struct DsseKey::Key {
  std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>> key;
};

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

Result<DsseKey> DsseKey::read(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_key_file));
  const Bytes source(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  auto key = std::make_shared<Key>();
  key->key.reset(::PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr));
  if (!key->key) return no_key(file, "is no private key in PEM, or has a password");
  if (::EVP_PKEY_get_base_id(key->key.get()) != EVP_PKEY_ED25519) return no_key(file, "is no Ed25519 key");
  unsigned char* der = nullptr;
  const auto size = ::i2d_PUBKEY(key->key.get(), &der);
  if (size <= 0) return no_key(file, "has no public key");
  auto id = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  ::OPENSSL_free(der);
  return DsseKey(std::move(key), std::move(id));
}

Result<std::string> DsseKey::envelope(std::string_view type, std::string_view payload) const {
  const auto text = pre_authentication_encoding(type, payload);
  const Signing signing(::EVP_MD_CTX_new());
  std::array<unsigned char, 64> signature{};
  auto size = signature.size();
  if (::EVP_DigestSignInit(signing.get(), nullptr, nullptr, nullptr, key_->key.get()) != 1 ||
      ::EVP_DigestSign(signing.get(), signature.data(), &size, reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) != 1)
    return infrastructure_error("OpenSSL cannot sign with this key");
  const Json envelope{
      {"payloadType", type},
      {"payload", base64(payload)},
      {"signatures",
       Json::array({{{"keyid", id_}, {"sig", base64({reinterpret_cast<const char*>(signature.data()), size})}}})}};
  return envelope.dump() + "\n";
}

}  // namespace patchlab::promotion
