// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace patchlab::lab::guest {

// The kind of a log line: without time stamp and host name, and with everything that differs from one occurrence to the
// next (numbers, hexadecimal, addresses, times, process ids, temporary names) replaced by '#'. Two lines of one kind
// say the same thing.
[[nodiscard]] std::string log_kind(std::string_view line);

// Kinds of the lines in log text that has already been reduced to error level. Lines that only say that the
// laboratory's emulated processor was starved are left out here and below; here also those by which a server tells whom
// it had to leave when it was told to stop (PostgreSQL's manual, appendix A: 57P01, 57P03).
[[nodiscard]] std::set<std::string> log_kinds(std::string_view text);

// dmesg -r ("<3>[    1.234567] text"): kinds of lines at level err and above, and of crashes at any level (the kernel
// reports a process that segfaults at level info).
[[nodiscard]] std::set<std::string> kernel_kinds(std::string_view text);

}  // namespace patchlab::lab::guest
