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

}  // namespace patchlab::patches
