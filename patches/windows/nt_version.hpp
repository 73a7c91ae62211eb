// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace patchlab::patches {

// A Windows version as the kernel counts. Server 2012 is 6.2; which build matters only from 10.0 on, where it tells
// 2016 from 2022.
struct NtVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::optional<std::uint32_t> build;
  [[nodiscard]] std::string text() const;
  bool operator==(const NtVersion&) const = default;
};

// "6.2", "6.2.9200", "10.0.14393.0": further parts are left out.
[[nodiscard]] std::optional<NtVersion> parse_nt_version(std::string_view text);
// Same version; and from 10.0 on the same build, where both name one.
[[nodiscard]] bool is_same_release(const NtVersion& a, const NtVersion& b);
// Whether a package for `stated` is for a machine that runs `machine`: the same release, or a build that an enablement
// package makes of the stated one. Those of one servicing branch share their files and their cumulative updates.
[[nodiscard]] bool is_for_release(const NtVersion& stated, const NtVersion& machine);
// "Windows Server 2012 (6.2)", or the numbers alone.
[[nodiscard]] std::string release_name(const NtVersion& version);
// From the first words of the names inside an .msu: "Windows8-RT-KB5035968-x64.cab" is for 6.2.
[[nodiscard]] std::optional<NtVersion> version_in_name(std::string_view name);

}  // namespace patchlab::patches
