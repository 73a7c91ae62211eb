// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"
#include "patches/deb/control.hpp"

// What apt's programs print, as values. Pure.
namespace patchlab::patches {

// One package that `apt-get -s upgrade` would install.
struct AptUpdate {
  std::string package;
  std::string architecture;
  std::string before;  // empty: not installed yet
  std::string after;
  std::string origin;  // "Debian-Security:12/oldstable-security"
  bool operator==(const AptUpdate&) const = default;
};

// The "Inst" lines of a simulation: Inst bind9 [old] (new Origin:release/suite, ... [amd64]) [...]
[[nodiscard]] Result<std::vector<AptUpdate>> parse_simulation(std::string_view text);
[[nodiscard]] bool is_security_origin(std::string_view origin);

// One version of a package that the sources offer, as `apt-cache show` describes it.
struct AptPackage {
  std::string package;
  std::string version;
  std::string architecture;
  SourceName source;
  std::string depends;
  std::string pre_depends;
  std::string sha256;
  std::uint64_t bytes = 0;
  bool operator==(const AptPackage&) const = default;
};

[[nodiscard]] Result<std::vector<AptPackage>> parse_show(std::string_view text);

}  // namespace patchlab::patches
