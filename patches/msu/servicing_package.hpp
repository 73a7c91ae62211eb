// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "patches/msu/xml_document.hpp"

namespace patchlab::patches {

// How component based servicing names a package.
struct PackageIdentity {
  std::string name;
  std::string version;       // four numbers
  std::string architecture;  // amd64, x86, arm64, ia64, neutral, wow64
  std::string language;      // "neutral", or a language tag
  std::string public_key_token;

  // "Package_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0": dism's and the registry's spelling, without a neutral
  // language.
  [[nodiscard]] std::string text() const;
  bool operator==(const PackageIdentity&) const = default;
};

// What the update.mum of one servicing cabinet says.
struct ServicingPackage {
  std::string file;  // the cabinet it came from
  PackageIdentity identity;
  std::string kb;  // "KB5035968", empty when not stated
  std::string title;
  std::string release_type;  // "Security Update", "Update", ...
  std::string restart;       // "possible", "required", ... as stated
  std::string permanence;    // "permanent": cannot be removed again
  std::vector<PackageIdentity>
      parents;  // packages of which one must be installed; mostly editions of one Windows version
  std::vector<PackageIdentity> supersedes;  // rarely stated here
  // Packages of which it is made: those it names, and those whose manifests lie beside its own. Which of them a machine
  // takes depends on its edition; they come and go with the whole.
  std::vector<PackageIdentity> parts;
  std::string stack_floor;  // version of the servicing stack that must be there before; empty: any
  std::string stack;  // version of the servicing stack that it brings, "10.0.14393.9220"; empty: none, or not stated
  [[nodiscard]] bool is_servicing_stack() const;
};

// "10.0.14393.9220" of the name of a component's file or folder,
// "amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.14393.9220_none_0123456789abcdef.manifest"; empty for
// every other component.
[[nodiscard]] std::string servicing_stack_in(std::string_view entry_name);
// "package_1_for_kb2999226~31bf3856ad364e35~amd64~~6.2.1.9.mum": what a manifest that cannot be read is called.
[[nodiscard]] std::optional<PackageIdentity> identity_in_name(std::string_view entry_name);

struct UnattendItem {
  std::string action;  // "install"
  PackageIdentity identity;
  std::string location;
};

// "KB" with six to eight digits anywhere in a text, as "KB5035968"; empty when there is none.
[[nodiscard]] std::string kb_in(std::string_view text);

[[nodiscard]] Result<ServicingPackage> parse_update_mum(std::string_view bytes, const std::string& name);
// Of two versions of four numbers; an empty one is older than any other.
[[nodiscard]] bool is_newer_version(std::string_view a, std::string_view b);
// By its root: newer .msu files carry other documents beside it.
[[nodiscard]] Result<bool> is_unattend_document(std::string_view bytes, const std::string& name);
// The document that wusa hands to servicing: what is installed, in this order.
[[nodiscard]] Result<std::vector<UnattendItem>> parse_unattend(std::string_view bytes, const std::string& name);

}  // namespace patchlab::patches
