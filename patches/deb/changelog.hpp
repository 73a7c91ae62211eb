// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"
#include "patches/deb/deb_archive.hpp"

// What a package's own changelog says of an update (deb-changelog(5)).
namespace patchlab::patches {

struct ChangelogFacts {
  std::string urgency;            // the highest of the entries, in the maintainer's word; empty: none was found
  std::vector<std::string> cves;  // named in the entries, sorted, each once
  bool operator==(const ChangelogFacts&) const = default;
};

// Of the entries that are newer than `installed`; of all when that is empty.
[[nodiscard]] ChangelogFacts changelog_facts(std::string_view changelog, std::string_view installed);

// The Debian changelog inside a package; nothing when it brings none (its documentation may be a link to another's).
[[nodiscard]] Result<std::optional<std::string>> changelog_of(const std::filesystem::path& deb,
                                                              const std::string& package, const DebLimits& limits = {});

}  // namespace patchlab::patches
