// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/relation.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "lab/core/text.hpp"
#include "patches/deb/control.hpp"
#include "patches/deb/version.hpp"

namespace patchlab::patches {
namespace {

constexpr std::string_view blanks = " \t\r\n";  // a field may be folded over several lines

std::vector<std::string_view> pieces_of(std::string_view text, char separator) {
  auto pieces = split(text, separator);
  for (auto& piece : pieces) piece = trimmed(piece, blanks);
  return pieces;
}

// The longer signs first; "<" and ">" are dpkg's old spellings of "<=" and ">=".
constexpr std::array<std::pair<std::string_view, VersionRelation>, 7> signs{{
    {"<<", VersionRelation::earlier},
    {"<=", VersionRelation::earlier_or_equal},
    {">>", VersionRelation::later},
    {">=", VersionRelation::later_or_equal},
    {"=", VersionRelation::equal},
    {"<", VersionRelation::earlier_or_equal},
    {">", VersionRelation::later_or_equal},
}};

Result<Dependency> parse_dependency(std::string_view text) {
  Dependency dependency;
  const auto bracket = text.find('(');
  std::string_view name = trimmed(text.substr(0, bracket), blanks);
  name = name.substr(0, name.find(':'));
  if (!is_package_name(name)) return configuration_error(fmt::format("'{}' is no dependency", text));
  dependency.package = known_package_name(name);
  if (bracket == std::string_view::npos) return dependency;
  if (text.back() != ')') return configuration_error(fmt::format("'{}' is no dependency", text));
  std::string_view inner = trimmed(text.substr(bracket + 1, text.size() - bracket - 2), blanks);
  for (const auto& [sign, relation] : signs) {
    if (!inner.starts_with(sign)) continue;
    const auto version = trimmed(inner.substr(sign.size()), blanks);
    PATCHLAB_TRY(version_parts(version));
    dependency.relation = relation;
    dependency.version = std::string(version);
    return dependency;
  }
  return configuration_error(fmt::format("'{}' has no version relation", text));
}

const char* sign_of(VersionRelation relation) {
  switch (relation) {
    case VersionRelation::any: return "";
    case VersionRelation::earlier: return "<<";
    case VersionRelation::earlier_or_equal: return "<=";
    case VersionRelation::equal: return "=";
    case VersionRelation::later_or_equal: return ">=";
    case VersionRelation::later: return ">>";
  }
  return "";
}

}  // namespace

Result<std::vector<Alternatives>> parse_dependencies(std::string_view text) {
  std::vector<Alternatives> clauses;
  if (trimmed(text, blanks).empty()) return clauses;
  for (const auto clause : pieces_of(text, ',')) {
    if (clause.empty()) continue;  // a trailing comma is tolerated by dpkg
    Alternatives alternatives;
    for (const auto alternative : pieces_of(clause, '|')) {
      PATCHLAB_ASSIGN(auto dependency, parse_dependency(alternative));
      alternatives.push_back(std::move(dependency));
    }
    clauses.push_back(std::move(alternatives));
  }
  return clauses;
}

bool version_fits(std::string_view have, VersionRelation relation, std::string_view wanted) {
  if (relation == VersionRelation::any) return true;
  const auto order = compare_versions(have, wanted);
  switch (relation) {
    case VersionRelation::any: return true;
    case VersionRelation::earlier: return order < 0;
    case VersionRelation::earlier_or_equal: return order <= 0;
    case VersionRelation::equal: return order == 0;
    case VersionRelation::later_or_equal: return order >= 0;
    case VersionRelation::later: return order > 0;
  }
  return false;
}

bool fits(const Dependency& dependency, std::string_view package, std::string_view version) {
  return dependency.package == package && version_fits(version, dependency.relation, dependency.version);
}

std::string to_string(const Dependency& dependency) {
  if (dependency.relation == VersionRelation::any) return dependency.package;
  return fmt::format("{} ({} {})", dependency.package, sign_of(dependency.relation), dependency.version);
}

}  // namespace patchlab::patches
