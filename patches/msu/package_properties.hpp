// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace patchlab::patches {

// The *-pkgProperties.txt of an .msu: lines of Key="value", in Windows-1252 or UTF-16. Keys become lower case; lines of
// another shape are left out, because the file is only for people and some real ones are sloppy. At most 200 keys.
using PackageProperties = std::map<std::string, std::string>;
[[nodiscard]] PackageProperties parse_package_properties(std::string_view bytes);
[[nodiscard]] std::string property(const PackageProperties& properties, const std::string& key);

}  // namespace patchlab::patches
