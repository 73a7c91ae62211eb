// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/notify/signature.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

#include "lab/core/base64.hpp"

namespace patchlab::process {

Result<std::string> webhook_key(std::string_view secret) {
  constexpr std::string_view prefix = "whsec_";
  constexpr std::size_t least = 24, most = 64;
  const auto key = secret.starts_with(prefix) ? from_base64(secret.substr(prefix.size())) : std::nullopt;
  if (key && key->size() >= least && key->size() <= most) return *key;
  return configuration_error(
      fmt::format("the secret of a webhook is \"{}\" and {} to {} bytes in base64", prefix, least, most),
      "echo \"whsec_$(openssl rand -base64 32)\" >FILE; chmod 600 FILE");
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t timestamp,
                              std::string_view body) {
  const auto text = fmt::format("{}.{}.{}", id, timestamp, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(), digest.data(), &length) ==
      nullptr)
    throw std::runtime_error("HMAC-SHA256 of OpenSSL does not work");
  return "v1," + base64({reinterpret_cast<const char*>(digest.data()), length});
}

}  // namespace patchlab::process
