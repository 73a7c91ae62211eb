// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "patches/exe/executable.hpp"
#include "patches/msi/installer_file.hpp"
#include "patches/msu/msu_file.hpp"
#include "patches/windows/nt_version.hpp"
#include "patches/windows/windows_package.hpp"

namespace patchlab::patches {
namespace {

enum class Magic { cabinet, compound, program, wim, express, other };

Magic magic_of(const ByteSource& source) {
  const auto first = source.block(0, std::min<std::uint64_t>(source.size(), 8), "");
  if (!first) return Magic::other;
  if (first->starts_with("MSCF")) return Magic::cabinet;
  if (*first == "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") return Magic::compound;
  if (first->starts_with("MZ")) return Magic::program;
  if (first->starts_with("MSWIM")) return Magic::wim;
  if (first->starts_with("PSTREAM")) return Magic::express;
  return Magic::other;
}

void add(std::vector<std::string>& list, std::string text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

// ---- servicing packages

// Windows numbers its editions' packages like itself: a parent of 6.2.9200.16384 means Server 2012. What is a parent
// for another reason (a language, a .NET feature) has such a number too.
void add_versions(std::vector<std::string>& versions, const std::vector<PackageIdentity>& parents) {
  for (const auto& parent : parents) {
    auto version = parse_nt_version(parent.version);
    if (!version || version->major < 6 || version->major > 10) continue;
    if (version->major < 10) version->build.reset();
    add(versions, version->text());
  }
}

// Only when no parent says it. Updates of 6.x carry the version of Windows in their own ("6.2.1.0"), those of 10.0 its
// build in front
// ("14393.6796.1.11").
std::optional<NtVersion> version_of_update(const PackageIdentity& identity) {
  auto version = parse_nt_version(identity.version);
  if (!version) return std::nullopt;
  if (version->major >= 10240) return NtVersion{10, 0, version->major};
  version->build.reset();
  return version->major == 6 || (version->major == 10 && version->minor == 0) ? version : std::nullopt;
}

std::vector<std::string> os_versions_of(const MsuFile& msu) {
  std::vector<std::string> versions;
  for (const auto& package : msu.packages) add_versions(versions, package.parents);
  for (std::size_t i = 0; versions.empty() && i < msu.names.size(); ++i) {
    if (const auto version = version_in_name(msu.names[i])) versions.push_back(version->text());
  }
  for (std::size_t i = 0; versions.empty() && i < msu.packages.size(); ++i) {
    if (const auto version = version_of_update(msu.packages[i].identity)) versions.push_back(version->text());
  }
  return versions;
}

// The strongest of what the packages state.
std::string restart_of(const MsuFile& msu) {
  std::string strongest;
  for (const auto& package : msu.packages) {
    if (package.restart == "required") return package.restart;
    if (strongest.empty() || package.restart == "possible")
      strongest = package.restart.empty() ? strongest : package.restart;
  }
  return strongest;
}

std::string kb_of(const MsuFile& msu, const ServicingPackage& main) {
  const auto number = property(msu.properties, "kb article number");
  if (const auto kb = kb_in("KB" + number); !kb.empty()) return kb;
  return main.kb;
}

// The update itself, not the servicing stack that some .msu files bring along.
const ServicingPackage& main_package(const MsuFile& msu) {
  const auto found = std::find_if(msu.packages.rbegin(), msu.packages.rend(),
                                  [](const auto& package) { return !package.is_servicing_stack(); });
  return found == msu.packages.rend() ? msu.packages.back() : *found;
}

// The version of the component, or what the package's own stands for: "14393.9220.1.0" is 10.0.14393.9220. Those of 6.x
// do not say.
std::string stack_of(const ServicingPackage& package) {
  if (!package.stack.empty()) return package.stack;
  const auto dot = package.identity.version.find('.');
  const auto next = package.identity.version.find('.', dot + 1);
  const auto version = version_of_update(package.identity);
  if (!version || version->major < 10 || !version->build || package.identity.version.starts_with("10.")) return {};
  return fmt::format("10.0.{}", package.identity.version.substr(0, next));
}

// A list for 20 000 parts: each once, and none that is asked for itself.
void drop_what_is_whole(WindowsPackage& package) {
  std::set<std::string> seen(package.packages.begin(), package.packages.end());
  std::erase_if(package.parts, [&](const auto& part) { return !seen.insert(part).second; });
}

Result<WindowsPackage> from_cabinet(const ByteSource& source, const std::string& name, const CabLimits& limits) {
  PATCHLAB_ASSIGN(const auto msu, read_msu(source, name, limits));
  const auto& main = main_package(msu);
  WindowsPackage package;
  package.kind = msu.container == ServicingContainer::msu ? PackageKind::msu : PackageKind::cab;
  package.name = main.identity.name;
  package.version = main.identity.version;
  package.architecture = main.identity.architecture;
  package.language = main.identity.language;
  package.title = main.title;
  package.kb = kb_of(msu, main);
  package.release_type = main.release_type;
  package.restart = restart_of(msu);
  package.os_versions = os_versions_of(msu);
  for (const auto& one : msu.packages) {
    package.packages.push_back(one.identity.text());
    if (one.permanence == "permanent" || one.is_servicing_stack())
      package.permanent_packages.push_back(one.identity.text());
    for (const auto& part : one.parts) package.parts.push_back(part.text());
    if (one.is_servicing_stack() && is_newer_version(stack_of(one), package.servicing_stack))
      package.servicing_stack = stack_of(one);
    if (is_newer_version(one.stack_floor, package.needs_servicing_stack))
      package.needs_servicing_stack = one.stack_floor;
    for (const auto& parent : one.parents) add(package.prerequisites, parent.text());
    for (const auto& older : one.supersedes) add(package.supersedes, older.text());
  }
  package.removable = package.permanent_packages.size() == package.packages.size() ? "no" : "yes";
  drop_what_is_whole(package);
  // What it brings itself needs no candidate of its own.
  if (!is_newer_version(package.needs_servicing_stack, package.servicing_stack)) package.needs_servicing_stack.clear();
  for (const auto& id : msu.metadata.prerequisites) add(package.prerequisites, "update " + id);
  for (const auto& id : msu.metadata.superseded_by) add(package.superseded_by, "revision " + id);
  package.notes = msu.notes;
  package.carries_signature = msu.carries_signature;
  package.entries = msu.entries;
  package.unpacked_bytes = msu.unpacked_bytes;
  return package;
}

// ---- Windows Installer files and programs

Result<WindowsPackage> from_compound(const ByteSource& source, const std::string& name) {
  PATCHLAB_ASSIGN(const auto installer, read_installer_file(source, name));
  WindowsPackage package;
  package.kind = installer.kind == InstallerKind::package ? PackageKind::msi : PackageKind::msp;
  package.name = installer.product_name;
  package.version = installer.product_version;
  package.architecture = installer.architecture;
  package.language = installer.language;
  package.title = installer.title;
  package.kb = installer.kb;
  package.release_type = installer.classification;
  package.removable = installer.removable;
  package.product_code = installer.product_code;
  package.upgrade_code = installer.upgrade_code;
  package.replaces = installer.replaces;
  package.patch_code = installer.patch_code;
  package.target_products = installer.target_products;
  package.supersedes = installer.replaced_patches;
  package.carries_signature = installer.carries_signature;
  package.unpacked_bytes = source.size();
  return package;
}

Result<WindowsPackage> from_program(const ByteSource& source, const std::string& name) {
  PATCHLAB_ASSIGN(const auto program, read_executable(source, name));
  WindowsPackage package;
  package.kind = PackageKind::exe;
  package.name = program.product_name;
  package.version = program.file_version;
  package.architecture = program.architecture;
  package.title = program.description;
  package.kb = kb_in(program.product_name + " " + program.description + " " + program.original_name);
  package.carries_signature = program.carries_signature;
  if (!program.installer.empty()) package.notes.push_back("made with " + program.installer);
  package.notes.push_back("what a program installs and which switches it takes cannot be read from it");
  package.unpacked_bytes = source.size();
  return package;
}

Result<WindowsPackage> read_package(const ByteSource& source, const std::string& name, const CabLimits& limits) {
  switch (magic_of(source)) {
    case Magic::cabinet: return from_cabinet(source, name, limits);
    case Magic::compound: return from_compound(source, name);
    case Magic::program: return from_program(source, name);
    case Magic::wim:
      return configuration_error(
          fmt::format("'{}' is an .msu of the newer kind (a WIM image), which is not read", name),
          "only Windows 11 24H2 and Server 2025 take it, which are not supported yet; packages for Server 2012 to 2022 "
          "are cabinets");
    case Magic::express:
      return configuration_error(
          fmt::format("'{}' is an express payload (.psf), which cannot be installed alone", name),
          "add the .msu or .cab it belongs to");
    case Magic::other: break;
  }
  return configuration_error(
      fmt::format("'{}' is no Windows package (neither cabinet, installer database nor program)", name));
}

}  // namespace

bool is_windows_package(const std::filesystem::path& path) {
  const auto source = FileSource::open(path);
  return source && magic_of(*source) != Magic::other;
}

Result<WindowsPackage> inspect_windows_package(const ByteSource& source, const std::string& name,
                                               const CabLimits& limits) {
  PATCHLAB_ASSIGN(auto package, read_package(source, name, limits));
  bound_facts(package);
  return package;
}

Result<WindowsPackage> inspect_windows_file(const std::filesystem::path& path, const std::string& name,
                                            const CabLimits& limits) {
  PATCHLAB_ASSIGN(const auto source, FileSource::open(path));
  PATCHLAB_ASSIGN(auto package, inspect_windows_package(source, name, limits));
  package.bytes = source.size();
  PATCHLAB_ASSIGN(package.sha256, sha256_of_file(path));
  return package;
}

}  // namespace patchlab::patches
