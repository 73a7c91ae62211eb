// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "patches/windows/nt_version.hpp"
#include "patches/windows/windows_package.hpp"

namespace patchlab::patches {

// What is known of a machine before it is started. Empty: not known, and then nothing is excluded by it.
struct MachineFacts {
  std::optional<NtVersion> os_version;
  std::string architecture;  // amd64, x86, arm64
  std::string role;
  std::optional<std::vector<std::string>> products;  // installed product codes; none known differs from none installed
};

// Whether a package can apply, so that no machine is started for one that cannot. `skipped` is empty, or the reason.
// That it is not skipped does not mean that the guest will take it: only its own servicing knows.
struct Applicability {
  std::string skipped;
  [[nodiscard]] bool applies() const { return skipped.empty(); }
  bool operator==(const Applicability&) const = default;
};

// `roles`: those the candidate is limited to; empty: all.
[[nodiscard]] Applicability applicability(const WindowsPackage& package, const std::vector<std::string>& roles,
                                          const MachineFacts& machine);

// "Package_for_RollupFix~31bf3856ad364e35~amd64~": all of a servicing identity but its version.
[[nodiscard]] std::string without_version(const std::string& identity);
// Whether both are for some release of Windows; one that states none may be for any.
[[nodiscard]] bool share_a_release(const WindowsPackage& a, const WindowsPackage& b);
// Whether two packages would change the same thing on one machine: an .msu or .cab by a servicing identity of one name
// and architecture for a common release (cumulative updates are called alike for all), an .msi by its product or
// upgrade code, an .msp by its patch code. An .exe does not say.
[[nodiscard]] bool ship_the_same(const WindowsPackage& a, const WindowsPackage& b);

}  // namespace patchlab::patches
