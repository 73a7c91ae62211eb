// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "patches/deb/control.hpp"

// Whether apt sources belong to the release that a machine runs. Pure.
namespace patchlab::patches {

// "Debian 12", by the version of the package base-files; a derivative's is given as it is ("base-files 12ubuntu4").
// Empty when the package is not there.
[[nodiscard]] std::string release_of(const std::vector<StatusEntry>& status);

// "bookworm" of "Debian 12"; empty: none that is known.
[[nodiscard]] std::string codename_of(const std::string& release);

// `apt-get indextargets --format` in this shape: origin and code name of every package list.
inline constexpr const char* release_format = "$(ORIGIN)\t$(CODENAME)";
// The releases whose packages the sources offer, with the code names that stand for each: "Debian 12" ->
// {"bookworm", "bookworm-security"}. Sources that are not Debian's, or of a release unknown here, are left out.
[[nodiscard]] std::map<std::string, std::set<std::string>> releases_in(std::string_view index_targets);

}  // namespace patchlab::patches
