// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/installed_change.hpp"

#include <algorithm>

namespace patchlab::patches {
namespace {

void add_windows(const WindowsPackage& package, InstalledSet& expected) {
  for (const auto& identity : package.packages) expected[identity] = "installed";
  if (package.kind == PackageKind::msi && !package.product_code.empty())
    expected["product " + package.product_code] = package.version;
}

}  // namespace

InstalledSet expected_changes(const InstalledSet& installed, const std::vector<CandidateFile>& files) {
  InstalledSet expected;
  for (const auto& file : files) {
    if (file.windows) {
      add_windows(*file.windows, expected);
      continue;
    }
    const auto key = installed_key(installed, file.package, file.architecture);
    const auto full = file.package + ":" + file.architecture;
    // A package that loses its architecture is listed under another name afterwards.
    const bool renamed = key && *key != full && *key != file.package;
    if (renamed) expected[*key] = "";
    expected[renamed ? full : key.value_or(full)] = file.version;
  }
  return expected;
}

bool say_what_they_change(const std::vector<CandidateFile>& files) {
  return std::all_of(files.begin(), files.end(), [](const CandidateFile& file) {
    if (!file.windows) return true;
    const auto& package = *file.windows;
    return !package.packages.empty() || (package.kind == PackageKind::msi && !package.product_code.empty());
  });
}

}  // namespace patchlab::patches
