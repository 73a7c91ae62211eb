// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/windows/applicability.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string wrong_role(const std::vector<std::string>& roles, const MachineFacts& machine) {
  if (roles.empty() || machine.role.empty() || contains(roles, machine.role)) return {};
  return fmt::format("is for {} machines only", fmt::join(roles, ", "));
}

std::string wrong_release(const WindowsPackage& package, const MachineFacts& machine) {
  if (package.os_versions.empty() || !machine.os_version) return {};
  std::vector<std::string> names;
  for (const auto& text : package.os_versions) {
    const auto version = parse_nt_version(text);
    if (!version) continue;
    if (is_for_release(*version, *machine.os_version)) return {};
    names.push_back(release_name(*version));
  }
  if (names.empty()) return {};
  return fmt::format("is for {}, the machine runs {}", fmt::join(names, ", "), release_name(*machine.os_version));
}

// Windows on amd64 runs 32-bit installers and programs; its servicing takes packages of its own architecture only.
std::string wrong_architecture(const WindowsPackage& package, const MachineFacts& machine) {
  const auto& wanted = package.architecture;
  if (wanted.empty() || wanted == "neutral" || machine.architecture.empty() || wanted == machine.architecture)
    return {};
  const bool serviced = package.kind == PackageKind::msu || package.kind == PackageKind::cab;
  if (!serviced && wanted == "x86" && machine.architecture != "ia64") return {};
  return fmt::format("is for {}, the machine is {}", wanted, machine.architecture);
}

std::string missing_product(const WindowsPackage& package, const MachineFacts& machine) {
  if (package.target_products.empty() || !machine.products) return {};
  const auto same = [](const std::string& a, const std::string& b) { return lower_case(a) == lower_case(b); };
  for (const auto& target : package.target_products) {
    if (std::any_of(machine.products->begin(), machine.products->end(),
                    [&](const auto& product) { return same(product, target); }))
      return {};
  }
  return fmt::format("none of the products that it patches is installed ({})",
                     fmt::join(package.target_products, ", "));
}

bool is_serviced(const WindowsPackage& package) {
  return package.kind == PackageKind::msu || package.kind == PackageKind::cab;
}

bool share_an_identity(const WindowsPackage& a, const WindowsPackage& b) {
  return std::any_of(a.packages.begin(), a.packages.end(), [&](const std::string& one) {
    return std::any_of(b.packages.begin(), b.packages.end(),
                       [&](const std::string& other) { return without_version(one) == without_version(other); });
  });
}

bool is_same_code(const std::string& a, const std::string& b) { return !a.empty() && lower_case(a) == lower_case(b); }

}  // namespace

std::string without_version(const std::string& identity) { return identity.substr(0, identity.rfind('~')); }

bool share_a_release(const WindowsPackage& a, const WindowsPackage& b) {
  if (a.os_versions.empty() || b.os_versions.empty()) return true;
  return std::any_of(a.os_versions.begin(), a.os_versions.end(), [&](const std::string& one) {
    const auto version = parse_nt_version(one);
    return std::any_of(b.os_versions.begin(), b.os_versions.end(), [&](const std::string& other) {
      const auto second = parse_nt_version(other);
      return !version || !second || is_for_release(*version, *second) || is_for_release(*second, *version);
    });
  });
}

bool ship_the_same(const WindowsPackage& a, const WindowsPackage& b) {
  if (is_serviced(a) && is_serviced(b)) return share_an_identity(a, b) && share_a_release(a, b);
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case PackageKind::msi:
      return is_same_code(a.product_code, b.product_code) ||
             (is_same_code(a.upgrade_code, b.upgrade_code) && a.architecture == b.architecture);
    case PackageKind::msp: return is_same_code(a.patch_code, b.patch_code);
    case PackageKind::exe:
    case PackageKind::msu:
    case PackageKind::cab: break;
  }
  return false;
}

Applicability applicability(const WindowsPackage& package, const std::vector<std::string>& roles,
                            const MachineFacts& machine) {
  for (const auto& reason : {wrong_role(roles, machine), wrong_release(package, machine),
                             wrong_architecture(package, machine), missing_product(package, machine)}) {
    if (!reason.empty()) return {reason};
  }
  return {};
}

}  // namespace patchlab::patches
