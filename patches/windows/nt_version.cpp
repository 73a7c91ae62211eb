// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/windows/nt_version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

struct Release {
  std::uint32_t major;
  std::uint32_t minor;
  std::uint32_t build;
  const char* name;
};
constexpr std::array<Release, 9> releases{{{6, 0, 6003, "Windows Server 2008"},
                                           {6, 1, 7601, "Windows Server 2008 R2"},
                                           {6, 2, 9200, "Windows Server 2012"},
                                           {6, 3, 9600, "Windows Server 2012 R2"},
                                           {10, 0, 14393, "Windows Server 2016"},
                                           {10, 0, 17763, "Windows Server 2019"},
                                           {10, 0, 20348, "Windows Server 2022"},
                                           {10, 0, 25398, "Windows Server, version 23H2"},
                                           {10, 0, 26100, "Windows Server 2025"}}};

// Builds of which an enablement package only changes the number: 1903 to 1909, 2004 to 22H2, 11 22H2 to 23H2.
struct ServicingBranch {
  std::uint32_t base;
  std::uint32_t last;
};
constexpr std::array<ServicingBranch, 3> branches{{{18362, 18363}, {19041, 19045}, {22621, 22631}}};

// The order matters: "windows8.1-" begins with the word of 6.2 but for its separator.
struct NamePrefix {
  std::string_view prefix;
  std::uint32_t major;
  std::uint32_t minor;
};
constexpr std::array<NamePrefix, 6> prefixes{{{"windows6.0-", 6, 0},
                                              {"windows6.1-", 6, 1},
                                              {"windows8-rt-", 6, 2},
                                              {"windows8.1-", 6, 3},
                                              {"windows10.0-", 10, 0},
                                              {"windows11.0-", 10, 0}}};

std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (bad != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take_dot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string NtVersion::text() const {
  return build ? fmt::format("{}.{}.{}", major, minor, *build) : fmt::format("{}.{}", major, minor);
}

std::optional<NtVersion> parse_nt_version(std::string_view text) {
  const auto major = take_number(text);
  if (!major || !take_dot(text)) return std::nullopt;
  const auto minor = take_number(text);
  if (!minor) return std::nullopt;
  NtVersion version{*major, *minor, std::nullopt};
  if (take_dot(text)) {
    version.build = take_number(text);
    if (!version.build) return std::nullopt;
  }
  return text.empty() || text.starts_with('.') ? std::optional(version) : std::nullopt;
}

bool is_same_release(const NtVersion& a, const NtVersion& b) {
  if (a.major != b.major || a.minor != b.minor) return false;
  return a.major < 10 || !a.build || !b.build || *a.build == *b.build;
}

bool is_for_release(const NtVersion& stated, const NtVersion& machine) {
  if (is_same_release(stated, machine)) return true;
  if (stated.major != machine.major || stated.minor != machine.minor || !stated.build || !machine.build) return false;
  return std::any_of(branches.begin(), branches.end(), [&](const ServicingBranch& branch) {
    return *stated.build == branch.base && *machine.build > branch.base && *machine.build <= branch.last;
  });
}

std::string release_name(const NtVersion& version) {
  for (const auto& release : releases) {
    const NtVersion known{release.major, release.minor, release.build};
    if (is_same_release(version, known) && (version.major < 10 || version.build))
      return fmt::format("{} ({})", release.name, version.text());
  }
  return fmt::format("Windows {}", version.text());
}

std::optional<NtVersion> version_in_name(std::string_view name) {
  const auto lower = lower_case(name);
  for (const auto& [prefix, major, minor] : prefixes) {
    if (lower.starts_with(prefix)) return NtVersion{major, minor, std::nullopt};
  }
  return std::nullopt;
}

}  // namespace patchlab::patches
