// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab {

// A Debian version in its three parts (Debian Policy 5.6.12): [epoch:]upstream[-revision].
struct VersionParts {
  unsigned long epoch = 0;
  std::string_view upstream;
  std::string_view revision;  // empty when absent, which sorts like "0"
};

// The parts, or why the text is no version (dpkg's own rules: characters, empty parts, epoch at most 2^31-1).
[[nodiscard]] Result<VersionParts> version_parts(std::string_view text);

// dpkg's order. '~' sorts before the end of a part, letters before everything else. Texts that are no versions are
// compared as if their upstream part were the whole text, so that sorting never fails; refuse them with version_parts
// where they come in.
[[nodiscard]] std::strong_ordering compare_versions(std::string_view left, std::string_view right);

// dpkg lists "0:1.2" as "1.2", and takes "1.02" and "1.2" for the same: true when both texts mean one version.
[[nodiscard]] bool is_same_version(std::string_view left, std::string_view right);

// Whether what needs `wanted` is content with `there`: an update is not missing, what is fixed in that version is fixed.
[[nodiscard]] inline bool is_at_least(std::string_view there, std::string_view wanted) {
  return compare_versions(there, wanted) >= 0;
}

// The version without its epoch, as it stands in file names.
[[nodiscard]] std::string without_epoch(std::string_view version);

}  // namespace patchlab
