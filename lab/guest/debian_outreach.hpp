// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lab/core/result.hpp"
#include "lab/guest/outreach.hpp"

// Inside lab/guest only: how a Debian guest tries to get out. It has a Perl whatever else it lacks (perl-base is
// Essential), and one process of it does all.
namespace patchlab::lab::guest::debian {

// For GuestAgent::run_script.
[[nodiscard]] std::string outreach_script(const Outreach& wanted);
// What it printed. An answer that says nothing of one of the tries, or ends early, is an error.
[[nodiscard]] Result<OutreachSeen> outreach_seen(std::string_view output, const Outreach& wanted);

}  // namespace patchlab::lab::guest::debian
