// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::patches {

// Field names of control files are case-insensitive (Debian Policy 5.1).
struct FieldNameLess {
  bool operator()(const std::string& a, const std::string& b) const;
};
using Stanza = std::map<std::string, std::string, FieldNameLess>;

[[nodiscard]] std::string field(const Stanza& stanza, const std::string& name);
// Paragraphs separated by empty lines; continuation lines keep their line breaks. The error names the line.
[[nodiscard]] Result<std::vector<Stanza>> parse_control(std::string_view text);

// By dpkg's own rule, which is wider than Debian Policy 5.6.1: capitals, underscores and single letters are names too.
[[nodiscard]] bool is_package_name(std::string_view text);
// dpkg and apt know a package by its name in lower case, however its control file spells it.
[[nodiscard]] std::string known_package_name(std::string_view text);
[[nodiscard]] bool is_architecture(std::string_view text);

// The source package of a binary package: its Source field, whose version stands in brackets when it differs.
struct SourceName {
  std::string name;
  std::string version;
  bool operator==(const SourceName&) const = default;
};
[[nodiscard]] SourceName source_of(const Stanza& stanza);

// One package that a dpkg status file lists as installed.
struct StatusEntry {
  std::string package;
  std::string version;
  std::string architecture;
  SourceName source;
  std::string provides;
  bool held = false;
};

// Installed packages ("install ok installed" or held) of a dpkg status text, in its order.
[[nodiscard]] Result<std::vector<StatusEntry>> parse_dpkg_status(std::string_view text);

}  // namespace patchlab::patches
