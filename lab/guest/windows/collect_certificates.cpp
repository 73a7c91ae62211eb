// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/text.hpp"
#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

// Keys are called after the SHA-1 of the certificate in them: the names are enough.
#define STORES "HKLM\\SOFTWARE\\Microsoft\\SystemCertificates\\"
const std::vector<RegistryQuestion>& certificate_stores() {
  static const std::vector<RegistryQuestion> all{
      {"store-ROOT", STORES "ROOT\\Certificates", ""},
      {"store-AuthRoot", STORES "AuthRoot\\Certificates", ""},
      {"store-CA", STORES "CA\\Certificates", ""},
      {"store-TrustedPublisher", STORES "TrustedPublisher\\Certificates", ""},
      {"store-Disallowed", STORES "Disallowed\\Certificates", ""},
      {"store-MY", STORES "MY\\Certificates", ""},
      {"store-policy", "HKLM\\SOFTWARE\\Policies\\Microsoft\\SystemCertificates\\ROOT\\Certificates", ""}};
  return all;
}
#undef STORES

Result<void> read_certificates(const Sections& found, Rows& rows) {
  for (const auto& store : certificate_stores()) {
    PATCHLAB_ASSIGN(const auto keys, registry_answer(found, store));
    const auto name = std::string_view(store.section).substr(std::string_view("store-").size());
    for (const auto& key : keys) {
      const auto print = lower_case(key.name());
      if (print.size() == 40 && print.find_first_not_of("0123456789abcdef") == std::string::npos)
        rows["certificate"][fmt::format("{} {}", name, print)] = "there";
    }
  }
  return {};
}

}  // namespace

Collector certificate_collector() {
  return {"certificates", {"certificate"}, certificate_stores(), {}, read_certificates};
}

}  // namespace patchlab::lab::guest::windows
