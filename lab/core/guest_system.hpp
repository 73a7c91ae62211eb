// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab {

// What decides how a guest is driven and how its packages are installed.
enum class GuestFamily { debian, windows };
[[nodiscard]] const char* to_string(GuestFamily family);
// Nothing for a word that names no family: there is none that unknown guests belong to.
[[nodiscard]] std::optional<GuestFamily> guest_family_from(std::string_view word);

// What is so of all guests of a family. How they are driven is runners::cell::adapter_for's to know.
struct FamilyTraits {
  GuestFamily family;
  const char* name;   // in files
  const char* title;  // for readers
  // What is installed on a golden machine is known before it runs, and candidates are planned by it.
  bool lists_packages;
  bool has_version;                     // the owner says which, as its kernel counts
  bool offers_removal;                  // of what was installed
  std::vector<std::string_view> kinds;  // of packages that it takes, by the ends of their files' names
  [[nodiscard]] bool takes(std::string_view kind) const;
};
// A row for each family.
[[nodiscard]] const std::vector<FamilyTraits>& guest_families();
[[nodiscard]] const FamilyTraits& traits_of(GuestFamily family);

// The system of a golden machine, as its owner declares it: needed before the machine is started, when it is decided
// which candidates can apply.
struct GuestSystem {
  GuestFamily family = GuestFamily::debian;
  std::string version;                 // of Windows, as its kernel counts: "6.2.9200"; Debian: empty
  std::string architecture = "amd64";  // amd64, x86, arm64
  std::string servicing_stack;         // of Windows, where its owner states it: "10.0.14393.7692"
  bool operator==(const GuestSystem&) const = default;
};

// Why a Windows of that version cannot be tested; empty: it can.
[[nodiscard]] std::string why_not_supported(std::string_view windows_version);

void to_json(Json& json, const GuestSystem& system);
// {"family": "windows", "version": "6.2.9200", "architecture": "amd64", "servicing_stack": "6.2.9200.23408"}; only the
// family must be there, and the version where it is Windows. A Windows that the laboratory cannot drive is a problem.
[[nodiscard]] GuestSystem guest_system_from(const Json& json, const std::string& pointer,
                                            std::vector<JsonProblem>& problems);

}  // namespace patchlab
