// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::patches {

// Version relations of dependency fields (Debian Policy 7.1).
enum class VersionRelation { any, earlier, earlier_or_equal, equal, later_or_equal, later };

struct Dependency {
  std::string package;
  VersionRelation relation = VersionRelation::any;
  std::string version;
  bool operator==(const Dependency&) const = default;
};

// "a | b": one of them is enough.
using Alternatives = std::vector<Dependency>;

// The value of a Depends or Pre-Depends field. Architecture qualifiers (":any") are dropped.
[[nodiscard]] Result<std::vector<Alternatives>> parse_dependencies(std::string_view text);
[[nodiscard]] bool version_fits(std::string_view have, VersionRelation relation, std::string_view wanted);
[[nodiscard]] bool fits(const Dependency& dependency, std::string_view package, std::string_view version);
// "libssl3 (>= 3.0.22)"
[[nodiscard]] std::string to_string(const Dependency& dependency);

}  // namespace patchlab::patches
