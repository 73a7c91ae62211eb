// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab {

// What decides how a guest is driven and how its packages are installed.
enum class GuestFamily { debian, windows };
[[nodiscard]] const char* to_string(GuestFamily family);

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
