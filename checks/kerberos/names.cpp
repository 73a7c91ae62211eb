// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/kerberos/names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks::kerberos {

std::string why_no_realm(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  return plain ? "" : "must be a realm's name of capitals, digits, '.' and '-'";
}

std::string why_no_enctype(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 60 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  return plain ? "" : fmt::format("'{}' is no type of encryption such as aes256-cts-hmac-sha1-96", name);
}

std::string why_no_host(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  return plain ? "" : "must be a host's name of letters, digits, '.' and '-'";
}

std::string why_no_principal(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 500 &&
                     std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != '@' && c != '\\'; });
  return plain ? "" : "must be a name such as lab-user or cifs/file1.office.example, without a realm";
}

}  // namespace patchlab::checks::kerberos
