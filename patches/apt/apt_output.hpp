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
struct AptRemoval {
  std::string package;
  std::string version;
  std::string architecture;  // where it is not the machine's own
  bool operator==(const AptRemoval&) const = default;
};
// Its "Remv" lines: Remv libfoo:i386 [1.0]
[[nodiscard]] std::vector<AptRemoval> parse_removals(std::string_view text);
// The packages after "The following packages have been kept back:", as apt names them.
[[nodiscard]] std::vector<std::string> parse_kept_back(std::string_view text);

// What `apt-cache policy` knows of one package.
struct AptPolicy {
  struct Version {
    std::string version;
    int priority = 0;
    bool operator==(const Version&) const = default;
  };
  std::string package;
  std::string installed;
  std::string candidate;
  std::vector<Version> versions;
  bool operator==(const AptPolicy&) const = default;
};
[[nodiscard]] std::vector<AptPolicy> parse_policy(std::string_view text);
// The newest version that is on offer and not chosen because of a pin; empty: none. Suites that are only taken from
// when asked to (priorities from 0 to 499, such as backports) are nobody's pin.
[[nodiscard]] std::string pinned_away(const AptPolicy& policy);
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
  Stanza control{};  // all of it
  bool operator==(const AptPackage&) const = default;
};

[[nodiscard]] Result<std::vector<AptPackage>> parse_show(std::string_view text);

}  // namespace patchlab::patches
