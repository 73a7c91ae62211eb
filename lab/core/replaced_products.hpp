// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab {

// Products that an .msi takes away while it is installed, because it replaces them (a major upgrade): a row of its
// table Upgrade. Here because the package says it and only the guest knows which products those are.
struct ReplacedProducts {
  std::string upgrade_code;  // that they share, "{GUID}"
  std::string from;          // versions; empty: from the first
  bool from_included = false;
  std::string to;  // empty: to the latest
  bool to_included = false;
  std::vector<std::string> languages;  // decimal; empty: all
  bool languages_excluded = false;     // all but these
  // Whether a product with that upgrade code goes. Windows Installer compares three numbers of a version. A language
  // that is not known counts as one that is meant.
  [[nodiscard]] bool covers(const std::string& version, const std::string& language) const;
  bool operator==(const ReplacedProducts&) const = default;
};

void to_json(Json& json, const ReplacedProducts& products);
[[nodiscard]] ReplacedProducts replaced_products_from(const Json& json, const std::string& pointer,
                                                      std::vector<JsonProblem>& problems);

}  // namespace patchlab
