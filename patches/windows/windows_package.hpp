// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/replaced_products.hpp"
#include "patches/cab/cabinet.hpp"

namespace patchlab::patches {

enum class PackageKind { msu, cab, msi, msp, exe };
[[nodiscard]] const char* to_string(PackageKind kind);
[[nodiscard]] std::optional<PackageKind> package_kind_from(std::string_view word);

// What a Windows package says of itself, whatever its kind. Empty: not stated. Nothing here was guessed from the file's
// own name.
struct WindowsPackage {
  PackageKind kind = PackageKind::msu;
  std::string name;  // of the servicing package, or the product
  std::string version;
  std::string architecture;  // amd64, x86, arm64; neutral: any
  std::string language;
  std::string title;
  std::string kb;  // "KB5035968"; a label only: the same number may be published again with other content
  std::string release_type;
  std::string restart;                          // "required", "possible", ... as stated
  std::string removable;                        // "yes", "no"
  std::vector<std::string> os_versions;         // "6.2", "10.0.14393"; empty: not stated
  std::vector<std::string> packages;            // identities of the servicing packages, in the order of installation
  std::vector<std::string> permanent_packages;  // those of them that cannot be removed again: servicing stacks
  // Identities of what the packages are made of. A machine takes those that are for its edition; they come and go with
  // the whole, and are never asked for alone.
  std::vector<std::string> parts;
  std::string servicing_stack;        // version of the one it brings: "10.0.14393.9220"
  std::string needs_servicing_stack;  // the oldest with which it can be installed, and which it does not bring itself
  std::vector<std::string> prerequisites;
  std::vector<std::string> supersedes;
  std::vector<std::string> superseded_by;
  std::string product_code;  // of an .msi
  std::string upgrade_code;
  std::vector<ReplacedProducts> replaces;    // of an .msi: older products that it removes while it is installed
  std::string patch_code;                    // of an .msp
  std::vector<std::string> target_products;  // product codes of which one must be installed for an .msp
  std::vector<std::string> notes;
  bool carries_signature = false;  // whether one is there, not whether it is good
  std::uint64_t entries = 0;       // files in all cabinets
  std::uint64_t unpacked_bytes = 0;
  std::uint64_t bytes = 0;
  std::string sha256;

  // The same for the same content, whatever the file was called, and safe on any medium: "KB5035968-6.2.1.0_amd64.msu".
  [[nodiscard]] std::string canonical_name() const;
  // The part of it without architecture and ending; also the candidate's id.
  [[nodiscard]] std::string label() const;
  bool operator==(const WindowsPackage&) const = default;
};

// Cuts texts to 500 bytes and lists to 1000 entries (parts: 20 000), all valid UTF-8. Whatever is read from a file goes
// through it.
void bound_facts(WindowsPackage& package);

void to_json(Json& json, const WindowsPackage& package);
[[nodiscard]] WindowsPackage windows_package_from(const Json& json, const std::string& pointer,
                                                  std::vector<JsonProblem>& problems);

// By the first bytes: a cabinet, a compound file, a program, or one of the formats that are refused with a reason.
[[nodiscard]] bool is_windows_package(const std::filesystem::path& path);

// Reads every byte. Errors say "'name' ...".
[[nodiscard]] Result<WindowsPackage> inspect_windows_file(const std::filesystem::path& path, const std::string& name,
                                                          const CabLimits& limits = {});
// Without digest and size; for fuzzers, which have no file.
[[nodiscard]] Result<WindowsPackage> inspect_windows_package(const ByteSource& source, const std::string& name,
                                                             const CabLimits& limits = {});

}  // namespace patchlab::patches
