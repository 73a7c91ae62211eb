// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/installed_change.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace patchlab::patches {
namespace {

std::string value_of(const InstalledSet& set, const std::string& key) {
  const auto found = set.find(key);
  return found == set.end() ? std::string() : found->second;
}

std::string or_absent(const std::string& version) { return version.empty() ? "absent" : version; }

std::string widened_text(const InstalledDifference& difference) {
  if (difference.before.empty()) return fmt::format("'{}' {} was added", difference.item, difference.after);
  if (difference.after.empty()) return fmt::format("'{}' {} was removed", difference.item, difference.before);
  return fmt::format("'{}' changed from {} to {}", difference.item, difference.before, difference.after);
}

}  // namespace

std::vector<PackageChange> expected_changes(const InstalledSet& installed, const std::vector<CandidateFile>& files) {
  std::vector<PackageChange> changes;
  for (const auto& file : files) {
    const auto key = installed_key(installed, file.package, file.architecture);
    changes.push_back({file.package, file.architecture, key ? installed.at(*key) : std::string(), file.version});
  }
  return changes;
}

InstalledComparison compare_installed(const InstalledSet& before, const InstalledSet& after,
                                      const std::vector<PackageChange>& expected) {
  InstalledComparison comparison;
  std::set<std::string> accounted;
  for (const auto& change : expected) {
    const auto old_key = installed_key(before, change.package, change.architecture);
    const auto new_key = installed_key(after, change.package, change.architecture);
    if (old_key) accounted.insert(*old_key);
    if (new_key) accounted.insert(*new_key);
    const std::string found = new_key ? after.at(*new_key) : std::string();
    if (found != change.after) comparison.missing.push_back({change.package, change.after, found});
  }
  std::set<std::string> keys;
  for (const auto& [key, version] : before) keys.insert(key);
  for (const auto& [key, version] : after) keys.insert(key);
  for (const auto& key : keys) {
    const InstalledDifference difference{key, value_of(before, key), value_of(after, key)};
    if (accounted.count(key) == 0 && difference.before != difference.after) comparison.widened.push_back(difference);
  }
  return comparison;
}

std::string InstalledComparison::describe() const {
  std::vector<std::string> parts;
  for (const auto& difference : widened) parts.push_back("set widened: " + widened_text(difference));
  for (const auto& difference : missing) {
    parts.push_back(fmt::format("missing: '{}' should be {}, is {}", difference.item, difference.before,
                                or_absent(difference.after)));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace patchlab::patches
