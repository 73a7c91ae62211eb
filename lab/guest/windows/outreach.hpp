// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lab/core/result.hpp"
#include "lab/guest/outreach.hpp"

// How a Windows guest tries to get out: with the sockets of .NET, from PowerShell 3, which Server 2012 brings. It
// writes no frames; instead it tries from each of its network adapters and then names its neighbours.
namespace patchlab::lab::guest::windows {

constexpr const char* outreach_path = "C:\\patchlab\\reach.ps1";

// `token`: a word that the answer begins with.
[[nodiscard]] std::string outreach_script(const Outreach& wanted, const std::string& token);
// What it printed. Without the token nothing was tried, as where PowerShell is gone or forbidden; with it, an answer
// that says nothing of one of the tries, or ends early, is an error. `exit_code`: of PowerShell, for messages.
[[nodiscard]] Result<OutreachSeen> outreach_seen(std::string_view output, std::uint32_t exit_code,
                                                 const Outreach& wanted, const std::string& token);

}  // namespace patchlab::lab::guest::windows
