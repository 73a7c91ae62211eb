// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "patches/catalogue/catalogue.hpp"

// What the catalogue says of one update by itself, in elements side by side.
namespace patchlab::patches {

// "x\REVISION": <ExtendedProperties MsrcSeverity=""><KBArticleID/>...</ExtendedProperties><Files><File .../></Files>,
// as in [MS-WUSP] 3.1.1: SHA-1 and SHA-256 in base64.
struct UpdateDetails {
  std::string kb, severity, bulletin;
  std::vector<std::string> cves;
  std::vector<CatalogueFile> files;
};
[[nodiscard]] Result<UpdateDetails> read_details(std::string_view bytes, const std::string& name);

// "l\LANGUAGE\REVISION": <LocalizedProperties><Title/>
[[nodiscard]] Result<std::string> read_title(std::string_view bytes, const std::string& name);

// The bytes of a digest in base64, as hexadecimal digits; empty: it is none of that size.
[[nodiscard]] std::string hex_of_digest(const std::string& base64_text, std::size_t bytes);

}  // namespace patchlab::patches
