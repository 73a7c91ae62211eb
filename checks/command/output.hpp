// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/check.hpp"
#include "checks/command/parameters.hpp"

// What a program that has ended by itself says. Pure; what comes in is what the program printed, whoever made it do so.
namespace patchlab::checks::command_kind {

inline constexpr int skipped_code = 77;

// Monitoring Plugins Development Guidelines: exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; the first line is for
// people, behind '|' stands performance data. UNKNOWN and every other code is an error: nothing was found out.
[[nodiscard]] Judgement judge_nagios(int code, const std::string& output, bool warning_passes);

// TAP, versions 12 to 14: one plan, before or after all points; each planned number once. A failing point fails unless
// it is TODO; one that was skipped is one that nobody looked at. What breaks off, or says something else by its exit
// code than by its points, is an error.
[[nodiscard]] Judgement judge_tap(int code, const std::string& output);

// One JSON object a line: {"name": "...", "outcome": "pass" | "fail" | "skipped" | "error"}, and for people "expected"
// and "observed". At least one line; unknown keys and other words are errors. The exit code is 0, or 1 when one failed.
[[nodiscard]] Judgement judge_json_lines(int code, const std::string& output);

// 'label'=value[unit];... behind the '|' of a plugin's lines, at most 64 of them: [{"label", "value", "unit"}].
[[nodiscard]] Json performance_in(const std::string& output);

// The first line that is not empty, at most 300 bytes of it, printed inert; "(it said nothing)".
[[nodiscard]] std::string first_line(const std::string& output);

}  // namespace patchlab::checks::command_kind
